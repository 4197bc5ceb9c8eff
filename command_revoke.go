// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/manage"
)

// maxJWTInput bounds what is read in search of a JSON Web Token.
const maxJWTInput = 64 << 10

func jwtFlags(flags *pflag.FlagSet) {
	flags.Bool("jwt-stdin", false, "Read a JSON Web Token from standard input, and end it")
	flags.String("jti", "", "End the JSON Web Token with this claim jti, or uti of Entra ID")
	flags.String("issuer", "", "Its claim iss, if it has one")
	flags.String("until", "", "When it would have ended: after a time as 12h, or at a time as 2027-01-31T12:00:00Z (default: unknown, and remembered for good)")
}

// revokesJWT reports whether a JSON Web Token is to be revoked, which no record
// is needed of.
func (s *invocation) revokesJWT() bool {
	return s.Bool("jwt-stdin") || s.String("jti") != "" || s.String("issuer") != "" || s.String("until") != ""
}

func revokeJWT(s *invocation) error {
	if len(s.Args()) > 0 || s.tokensFiltered() {
		return errors.New("--jwt-stdin and --jti stand alone: such a token has no handle, and no user here")
	}
	in, err := s.revocation()
	if err != nil {
		return err
	}
	var done manage.Revocation
	if err := s.call(http.MethodPost, "revocations", in, &done); err != nil {
		return err
	}
	issuer := ""
	if done.Issuer != "" {
		issuer = " of " + cell(done.Issuer)
	}
	until := "for good"
	if done.Until != nil {
		until = "until it would have ended, " + when(done.Until)
	}
	fmt.Fprintf(s.err, "revoked token %s%s, %s\n", cell(done.JTI), issuer, until)
	return nil
}

// revocation is what the flags say, or the token itself, of which nothing but these
// claims leaves the process.
func (s *invocation) revocation() (in manage.Revocation, err error) {
	if !s.Bool("jwt-stdin") {
		in.JTI, in.Issuer = s.String("jti"), s.String("issuer")
		switch {
		case in.JTI == "":
			return in, errors.New("--issuer and --until say more of a --jti")
		case manage.LooksJWT(in.JTI):
			return in, errors.New("--jti is one claim of the token; this may be the whole of it, which other users of this machine may have seen now; --jwt-stdin reads it")
		}
		in.Until, err = parseUntil(s.String("until"), time.Now())
		return in, err
	}
	if s.String("jti") != "" || s.String("issuer") != "" || s.String("until") != "" {
		return in, errors.New("--jwt-stdin reads --jti, --issuer and --until from the token")
	}
	text, err := io.ReadAll(io.LimitReader(s.in, maxJWTInput))
	if err != nil {
		return in, fmt.Errorf("reading the token: %w", err)
	}
	return claimsOf(strings.TrimSpace(string(text)))
}

// claimsOf reads what names a token. Its signature is not looked at: whoever may
// run this may end any token.
func claimsOf(compact string) (in manage.Revocation, err error) {
	token, err := jose.Parse(compact)
	if err != nil {
		// Its errors are texts of our own, without any part of the token.
		return in, fmt.Errorf("reading the token: %w", err)
	}
	var ok bool
	if in.JTI, ok, err = token.ID(); !ok || err != nil {
		return in, errors.New("reading the token: it has no jti, so that it cannot be told from others")
	}
	if in.Issuer, _, err = token.String("iss"); err != nil {
		return in, errors.New("reading the token: its iss is no text")
	}
	ends, ok, err := token.Time("exp")
	if err != nil {
		return in, errors.New("reading the token: its exp is no time")
	}
	if ok {
		in.Until = &ends
	}
	return in, nil
}

// parseUntil reads a time, or how far away it is.
func parseUntil(text string, now time.Time) (*time.Time, error) {
	at, err := parseExpiry(text, now)
	if err != nil {
		return nil, errors.New("--until must be a time as 12h, 2027-01-31 or 2027-01-31T12:00:00Z")
	}
	return at, nil
}
