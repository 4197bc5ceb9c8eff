// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/accesstoken"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/bearer"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/csrf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/possession"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/session"
)

func init() {
	caddy.RegisterModule(new(JWT))
}

// JWT accepts access tokens that are JSON Web Tokens, of any issuer whose keys
// are known:
//
//	Authorization: Bearer eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJpc3MiOiJodHRwcz…
//
// A token of none of the issuers is nobody's, and the next authenticator is
// asked; so is a token without the three segments of a signed one. Everything
// else that is wrong with a token refuses the request. While the keys of an issuer
// are not known, its tokens, and nobody else's, are answered 503.
type JWT struct {
	// The only issuer, or what several have in common.
	accesstoken.Issuer

	// Several issuers. Each takes what it does not say itself from the fields
	// beside this list, all but who it is and where its keys are.
	// Default: none; the fields beside this list are those of the only one.
	Issuers []*accesstoken.Issuer `json:"issuers,omitempty"`

	bearer.Sources
	bearer.Challenger

	issuers    *accesstoken.Issuers
	possession *possession.Checker
	csrf       *csrf.Checker // of tokens in a cookie
}

// CaddyModule returns the Caddy module information.
func (*JWT) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "rest_auth.authenticators.jwt",
		New: func() caddy.Module { return new(JWT) },
	}
}

// Provision completes the issuers and reads files of keys. No other server is
// asked before the configuration is started.
func (j *JWT) Provision(ctx caddy.Context) (err error) {
	options, err := j.options()
	if err != nil {
		return err
	}
	if err := j.Sources.Resolve(); err != nil {
		return err
	}
	if err := j.Challenger.Resolve(); err != nil {
		return err
	}
	j.DPoPAlgs = possession.Algorithms
	if j.possession, err = possession.FromContext(ctx); err != nil {
		return err
	}
	if j.Cookie != "" {
		sessions, err := session.FromContext(ctx, new(session.Settings))
		if err != nil {
			return fmt.Errorf("loading the CSRF protection: %w", err)
		}
		j.csrf = sessions.CSRF()
	}
	j.issuers, err = accesstoken.New(ctx, options)
	return err
}

// options returns the issuers as they are to be used.
func (j *JWT) options() ([]*accesstoken.Issuer, error) {
	if len(j.Issuers) == 0 {
		return []*accesstoken.Issuer{&j.Issuer}, nil
	}
	if j.Issuer.Issuer != "" {
		return nil, errors.New("issuer and issuers are both given: write each issuer in issuers")
	}
	if j.Keys != (accesstoken.Keys{}) {
		return nil, errors.New("there are several issuers: say in the block of each where its keys are")
	}
	for i, issuer := range j.Issuers {
		if issuer == nil {
			return nil, fmt.Errorf("issuers: position %d is null", i)
		}
		issuer.Inherit(&j.Issuer)
	}
	return j.Issuers, nil
}

// Cleanup gives back the keys.
func (j *JWT) Cleanup() error {
	if j.issuers == nil {
		return nil
	}
	return j.issuers.Close()
}

// UserSource says whose users they are: the issuers', or those of the store to
// which they are linked.
func (j *JWT) UserSource() auth.Source { return j.issuers.Source() }

// Owns reports whether a user of one of several issuers may have that name.
func (j *JWT) Owns(name string) bool { return j.issuers.Owns(name) }

// Authenticate returns whom the request's token stands for.
func (j *JWT) Authenticate(r *http.Request) (*auth.Identity, error) {
	found, err := j.Token(r)
	if err != nil {
		return nil, err
	}
	id, err := j.issuers.Identity(r.Context(), found.Token)
	if err != nil {
		return nil, err
	}
	if isDPoP(found.Scheme) && !isBound(id) {
		// The Guard is not asked about tokens that are not bound.
		return nil, j.possession.Guard(r, id, found.Token, found.Scheme)
	}
	id.Method = "jwt"
	return id, nil
}

// Recheck returns a remembered identity as it is now: who is revoked or no user
// any more is refused, and no signature is verified.
func (j *JWT) Recheck(r *http.Request, remembered *auth.Identity) (*auth.Identity, error) {
	id, err := j.issuers.Recheck(r.Context(), remembered)
	if err != nil {
		return nil, err
	}
	id.Method = "jwt"
	return id, nil
}

// CacheKey returns the token, and how many generations of keys there were before:
// what was verified by a key that is gone is not remembered.
func (j *JWT) CacheKey(r *http.Request) (secret []byte, ok bool) {
	found, err := j.Token(r)
	if err != nil || len(found.Token) > jose.MaxSize {
		return nil, false
	}
	return keyOf(found, j.issuers.Generation()), true
}

// keyOf returns a token, how it was sent, and how many generations of keys there
// were before it was verified.
func keyOf(found bearer.Found, generation uint64) []byte {
	// No token has NUL in it, so nothing that is appended is part of another one.
	key := make([]byte, 0, len(found.Token)+10)
	key = append(key, found.Token...)
	key = append(key, 0)
	if isDPoP(found.Scheme) {
		key = append(key, 'D')
	}
	return binary.BigEndian.AppendUint64(key, generation)
}

// Guard refuses a token that is bound to a key which the request does not prove
// to have, and a token in a cookie that another site may have had the browser
// send.
func (j *JWT) Guard(r *http.Request, id *auth.Identity) error {
	bound := isBound(id)
	if !bound && j.csrf == nil {
		return nil
	}
	found, err := j.Token(r)
	if err != nil {
		return err
	}
	if found.Where == bearer.InCookie {
		if err := j.csrf.Check(r); err != nil {
			return err
		}
	}
	if bound {
		return j.possession.Guard(r, id, found.Token, found.Scheme)
	}
	return nil
}

// Challenge asks for a token, and says what was wrong with the one that was sent.
// A token that is none of the issuers' is a bad one if nobody else knew it.
func (j *JWT) Challenge(_ *http.Request, cause error) string {
	if foreign, ok := errors.AsType[*accesstoken.ForeignError](cause); ok {
		cause = bearer.InvalidToken(bearer.DescriptionInvalid, foreign)
	}
	return j.Challenger.Challenge(cause)
}

// ChallengeScope says which scopes the token would have needed.
func (j *JWT) ChallengeScope(_ *http.Request, _ *auth.Identity, scopes []string) string {
	return j.InsufficientScope(scopes)
}

// InputQuery returns the parameter of the query that carries the token. The
// handler removes it before the upstream sees it.
func (j *JWT) InputQuery() string { return j.Query }

// WrapResponse keeps shared caches from giving one client what another's token
// was answered with, where HTTP does not see to it already (RFC 6750 section 2.3).
func (j *JWT) WrapResponse(w http.ResponseWriter, r *http.Request, id *auth.Identity) http.ResponseWriter {
	if j.Cookie != "" {
		varyByCookie(w.Header())
	}
	if j.Query == "" {
		return w
	}
	return wrapPrivate(w, r, &j.Sources, id.Method == "jwt")
}

func isBound(id *auth.Identity) bool { return strings.Contains(id.Proof, possession.Marker) }

func isDPoP(scheme string) bool { return strings.EqualFold(scheme, bearer.DPoP) }

// Interface guards
var (
	_ auth.Authenticator   = (*JWT)(nil)
	_ auth.Cacheable       = (*JWT)(nil)
	_ auth.Challenger      = (*JWT)(nil)
	_ auth.Guard           = (*JWT)(nil)
	_ auth.Owner           = (*JWT)(nil)
	_ auth.QueryReader     = (*JWT)(nil)
	_ auth.RealmSetter     = (*JWT)(nil)
	_ auth.Rechecker       = (*JWT)(nil)
	_ auth.Responder       = (*JWT)(nil)
	_ auth.ScopeChallenger = (*JWT)(nil)
	_ auth.UserSource      = (*JWT)(nil)
	_ caddy.CleanerUpper   = (*JWT)(nil)
	_ caddy.Provisioner    = (*JWT)(nil)
)
