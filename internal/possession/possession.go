// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package possession checks that whoever presents an access token holds the key
// that the token is bound to by its claim cnf (RFC 7800): the key of a client
// certificate (RFC 8705), or one that signs a proof for each request (RFC 9449).
// A bound token that was stolen is worth nothing without the key.
package possession

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/bearer"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// Marker is part of the Proof of an identity whose token is bound, so that those
// of all others cost nothing to tell apart.
const Marker = ";cnf"

// Algorithms are those that a proof may be signed with, for a challenge.
var Algorithms = []string{"ES256", "ES384", "ES512", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"}

// Causes of refusals.
var (
	errNotBound    = errors.New("the token came with the scheme DPoP, and is not bound to a key of DPoP")
	errAsBearer    = errors.New("the token is bound to a key of DPoP, and came with another scheme")
	errUnknown     = errors.New("the token is bound in a way that is not known here")
	errUnreadable  = errors.New("the claim cnf of the token cannot be read")
	errNoCertified = errors.New("the token is bound to a client certificate, and the connection has none")
	errCertificate = errors.New("the token is bound to another client certificate")
)

// A Checker checks the tokens of requests. It is safe for concurrent use.
type Checker struct {
	store seen
	now   func() time.Time
}

// seen is what a Checker needs of the store: a memory of proofs that all nodes share.
type seen interface {
	Remember(ctx context.Context, key string, until time.Time) (fresh bool, err error)
}

// FromContext returns a checker with the store of the configuration that ctx
// belongs to.
func FromContext(ctx caddy.Context) (*Checker, error) {
	store, err := tokenstore.FromContext(ctx)
	if err != nil {
		return nil, fmt.Errorf("loading the store: %w", err)
	}
	return &Checker{store: store, now: time.Now}, nil
}

// Guard is for the Guard of an authenticator that accepted the token for the
// identity, from a header with the scheme, if any. It returns nil if the token
// is not bound, or the request proves possession of its key; an *auth.Failure if it
// does not; and an *auth.Unavailable if the store could not tell whether a proof
// was seen before.
func (c *Checker) Guard(r *http.Request, id *auth.Identity, token, scheme string) error {
	if !strings.Contains(id.Proof, Marker) {
		if strings.EqualFold(scheme, bearer.DPoP) {
			return refused(errNotBound)
		}
		return nil
	}
	// A map, since names are to be compared exactly: another claim may be CNF.
	var claims map[string]json.RawMessage
	if json.Unmarshal(id.Claims, &claims) != nil {
		return refused(errUnreadable)
	}
	return c.Check(r, token, scheme, claims["cnf"])
}

// Check is Guard for a token whose claim cnf is known. All that it names must
// hold, and a member that is not known here is refused: what it asks for could
// not be proved.
func (c *Checker) Check(r *http.Request, token, scheme string, cnf json.RawMessage) error {
	confirmation, err := readConfirmation(cnf)
	if err != nil {
		return refused(err)
	}
	overDPoP := strings.EqualFold(scheme, bearer.DPoP)
	switch {
	case overDPoP && confirmation.thumbprint == "":
		return refused(errNotBound)
	case !overDPoP && confirmation.thumbprint != "":
		return refused(errAsBearer)
	}
	if confirmation.certificate != "" {
		if err := checkCertificate(r, confirmation.certificate); err != nil {
			return refused(err)
		}
	}
	if confirmation.thumbprint != "" {
		return c.checkProof(r, token, confirmation.thumbprint)
	}
	return nil
}

// confirmation is what a token is bound to.
type confirmation struct {
	certificate string // x5t#S256, RFC 8705 section 3.1
	thumbprint  string // jkt, RFC 9449 section 6.1
}

func readConfirmation(cnf json.RawMessage) (c confirmation, err error) {
	// A map, since names are to be compared exactly.
	var members map[string]json.RawMessage
	if json.Unmarshal(cnf, &members) != nil || len(members) == 0 {
		return c, errUnreadable
	}
	for name, value := range members {
		var into *string
		switch name {
		case "x5t#S256":
			into = &c.certificate
		case "jkt":
			into = &c.thumbprint
		default:
			return c, errUnknown
		}
		if json.Unmarshal(value, into) != nil || *into == "" {
			return c, errUnreadable
		}
	}
	return c, nil
}

func refused(cause error) *auth.Failure {
	return bearer.InvalidToken(bearer.DescriptionInvalid, cause)
}
