// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/background"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/bearer"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/csrf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/federation"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/introspection"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/possession"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/revocation"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/session"
)

func init() {
	caddy.RegisterModule(new(Introspection))
}

// maxIntrospected is the length in bytes of the longest token that a server is
// asked about.
const maxIntrospected = 8 << 10

// Introspection accepts access tokens for which an authorization server vouches
// when it is asked (RFC 7662):
//
//	Authorization: Bearer mF_9.B5f-4.1JqM
//
// A token is opaque here, also where it looks like a JSON Web Token. What the
// server says is remembered for a while, and no longer than the token lives. While
// the server does not answer, tokens that are not remembered are answered 503.
type Introspection struct {
	introspection.Server

	// For whom a token has to be, of which `aud` of the answer has to name one.
	// Default: none, which takes `optional aud`.
	Audience []string `json:"audience,omitempty"`

	// Which of exp, aud and iss an answer may do without. What it does say still
	// has to be right. Default: none.
	Optional []string `json:"optional,omitempty"`

	// Scopes that every token has to have. One that lacks some is answered 403.
	// Default: none; `require scope` asks for them where they are needed.
	Scope []string `json:"scope,omitempty"`

	// By how much the server's clock may differ, at most a minute. Default: 30s.
	Leeway *caddy.Duration `json:"leeway,omitempty"`

	// How long an answer is remembered, at most an hour, and so how long a token
	// is accepted after the server has revoked it. 0 remembers nothing: the server
	// is asked for each request. Default: 1m.
	CacheTTL *caddy.Duration `json:"cache_ttl,omitempty"`

	federation.Mapping
	federation.Accounts
	outbound.Settings
	bearer.Sources
	bearer.Challenger

	client     *introspection.Client
	rules      jose.Rules
	revoked    *revocation.List
	possession *possession.Checker
	csrf       *csrf.Checker // of tokens in a cookie
	now        func() time.Time
}

// CaddyModule returns the Caddy module information.
func (*Introspection) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "rest_auth.authenticators.introspection",
		New: func() caddy.Module { return new(Introspection) },
	}
}

// Provision sets the defaults and reads the key, if there is one. The server is
// not asked before there is a token.
func (i *Introspection) Provision(ctx caddy.Context) (err error) {
	i.now = time.Now
	if err := i.resolve(); err != nil {
		return err
	}
	if err := i.Accounts.Provision(ctx); err != nil {
		return err
	}
	if i.revoked, err = revocation.FromContext(ctx); err != nil {
		return fmt.Errorf("loading the revoked tokens: %w", err)
	}
	if i.possession, err = possession.FromContext(ctx); err != nil {
		return err
	}
	if i.Cookie != "" {
		sessions, err := session.FromContext(ctx, new(session.Settings))
		if err != nil {
			return fmt.Errorf("loading the CSRF protection: %w", err)
		}
		i.csrf = sessions.CSRF()
	}
	start, err := background.FromContext(ctx)
	if err != nil {
		return err
	}
	if i.client, err = introspection.Acquire(i.Server, i.Settings, i.ttl(), ctx.Logger()); err != nil {
		return err
	}
	start.OnStart(i.client.Start)
	return nil
}

// Cleanup gives back what is shared with others.
func (i *Introspection) Cleanup() error {
	if i.client == nil {
		return nil
	}
	return i.client.Release()
}

// UserSource says whose users they are: the server's, or those of the store to
// which they are linked.
func (i *Introspection) UserSource() auth.Source { return i.Source(i.name()) }

// Authenticate returns whom the request's token stands for.
func (i *Introspection) Authenticate(r *http.Request) (*auth.Identity, error) {
	found, err := i.Token(r)
	if err != nil {
		return nil, err
	}
	if len(found.Token) > maxIntrospected || !bearer.IsToken(found.Token) {
		return nil, bearer.InvalidToken(bearer.DescriptionInvalid, errNoBearerToken)
	}
	answer, err := i.client.Introspect(r.Context(), found.Token)
	switch {
	case errors.Is(err, introspection.ErrInactive):
		return nil, bearer.InvalidToken(bearer.DescriptionInvalid, err)
	case err != nil:
		return nil, err
	}
	id, err := i.identity(r.Context(), answer.Claims, answer.At)
	if err != nil {
		return nil, err
	}
	if isDPoP(found.Scheme) && !isBound(id) {
		return nil, i.possession.Guard(r, id, found.Token, found.Scheme)
	}
	return id, nil
}

// Recheck returns a remembered identity as it is now, and has the server asked
// again if its answer is too old.
func (i *Introspection) Recheck(r *http.Request, remembered *auth.Identity) (*auth.Identity, error) {
	at, ok := answeredAt(remembered)
	if !ok || !i.now().Before(at.Add(i.ttl())) {
		return nil, auth.ErrChanged
	}
	claims, err := jose.ParseClaims(remembered.Claims)
	if err != nil {
		return nil, auth.ErrChanged
	}
	return i.identity(r.Context(), claims, at)
}

// CacheKey returns the token, if answers are remembered at all.
func (i *Introspection) CacheKey(r *http.Request) (secret []byte, ok bool) {
	found, err := i.Token(r)
	if err != nil || i.ttl() <= 0 || len(found.Token) > maxIntrospected || !bearer.IsToken(found.Token) {
		return nil, false
	}
	if isDPoP(found.Scheme) {
		// No token has NUL in it, so this is not another one's key.
		return append([]byte(found.Token), 0, 'D'), true
	}
	return readOnly(found.Token), true
}

// Guard refuses a token without the scopes that all need, a token that is bound to
// a key which the request does not prove to have, and a token in a cookie that
// another site may have had the browser send.
func (i *Introspection) Guard(r *http.Request, id *auth.Identity) error {
	bound := isBound(id)
	if bound || i.csrf != nil {
		found, err := i.Token(r)
		if err != nil {
			return err
		}
		if found.Where == bearer.InCookie {
			if err := i.csrf.Check(r); err != nil {
				return err
			}
		}
		if bound {
			if err := i.possession.Guard(r, id, found.Token, found.Scheme); err != nil {
				return err
			}
		}
	}
	if !hasAll(id.Scopes, i.Scope) {
		return &auth.Denial{Scopes: i.Scope}
	}
	return nil
}

// Challenge asks for a token, and says what was wrong with the one that was sent.
func (i *Introspection) Challenge(_ *http.Request, cause error) string {
	return i.Challenger.Challenge(cause)
}

// ChallengeScope says which scopes the token would have needed.
func (i *Introspection) ChallengeScope(_ *http.Request, _ *auth.Identity, scopes []string) string {
	return i.InsufficientScope(scopes)
}

// InputQuery returns the parameter of the query that carries the token. The
// handler removes it before the upstream sees it.
func (i *Introspection) InputQuery() string { return i.Query }

// WrapResponse keeps shared caches from giving one client what another's token
// was answered with, where HTTP does not see to it already (RFC 6750 section 2.3).
func (i *Introspection) WrapResponse(w http.ResponseWriter, r *http.Request, id *auth.Identity) http.ResponseWriter {
	if i.Cookie != "" {
		varyByCookie(w.Header())
	}
	if i.Query == "" {
		return w
	}
	return wrapPrivate(w, r, &i.Sources, id.Method == "introspection")
}

// Interface guards
var (
	_ auth.Authenticator   = (*Introspection)(nil)
	_ auth.Cacheable       = (*Introspection)(nil)
	_ auth.Challenger      = (*Introspection)(nil)
	_ auth.Guard           = (*Introspection)(nil)
	_ auth.QueryReader     = (*Introspection)(nil)
	_ auth.RealmSetter     = (*Introspection)(nil)
	_ auth.Rechecker       = (*Introspection)(nil)
	_ auth.Responder       = (*Introspection)(nil)
	_ auth.ScopeChallenger = (*Introspection)(nil)
	_ auth.UserSource      = (*Introspection)(nil)
	_ caddy.CleanerUpper   = (*Introspection)(nil)
	_ caddy.Provisioner    = (*Introspection)(nil)
)
