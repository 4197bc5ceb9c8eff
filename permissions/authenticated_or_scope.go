// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package permissions

import (
	"errors"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

func init() {
	caddy.RegisterModule(new(AuthenticatedOrScope))
}

// AuthenticatedOrScope allows users who authenticated by other means than an
// OAuth 2.0 token, and OAuth 2.0 tokens that were granted all of the scopes:
// Django OAuth Toolkit's IsAuthenticatedOrTokenHasScope, for an API that
// browsers use with a session and programs with a token.
//
// A credential is taken for an OAuth 2.0 token if it has scopes, or if it was
// accepted by `oauth2`, `introspection`, `jwt` or `entra`. So is one of an
// authenticator from elsewhere if it names a client or has claims. Those of
// `basic`, `token`, `session`, `remote_user`, `simplejwt`, `hawk`,
// `http_signature`, `oauth1` and `client_cert` are not, unless they have scopes.
type AuthenticatedOrScope struct {
	// The scopes that an OAuth 2.0 token needs, all of them. At least one must be
	// given; placeholders are expanded.
	Scopes []string `json:"scopes,omitempty"`

	Refusal
}

// CaddyModule returns the Caddy module information.
func (*AuthenticatedOrScope) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  namespace + ".authenticated_or_scope",
		New: func() caddy.Module { return new(AuthenticatedOrScope) },
	}
}

// Provision expands the placeholders.
func (p *AuthenticatedOrScope) Provision(ctx caddy.Context) error {
	if err := expand(p.Scopes); err != nil {
		return err
	}
	return p.Refusal.Provision(ctx)
}

// Validate refuses an empty list.
func (p *AuthenticatedOrScope) Validate() error {
	if len(p.Scopes) == 0 {
		return errors.New("authenticated_or_scope needs at least one of scopes")
	}
	return nil
}

// Allow reports whether the user needs no scopes or the token has them.
func (p *AuthenticatedOrScope) Allow(_ *http.Request, id *auth.Identity) (bool, error) {
	if len(p.Scopes) == 0 {
		return false, nil
	}
	if isUser(id) && !isOAuthToken(id) {
		return true, nil
	}
	return hasScopes(id, p.Scopes), nil
}

// Explain says which scopes a token needs.
func (p *AuthenticatedOrScope) Explain(*http.Request, *auth.Identity) *auth.Denial {
	return p.lacking(p.Scopes)
}

// isOAuthToken reports whether the credential is to be judged by its scopes. In
// doubt it is, since that allows less.
func isOAuthToken(id *auth.Identity) bool {
	if len(id.Scopes) > 0 {
		return true
	}
	switch id.Method {
	case "oauth2", "introspection", "jwt", "entra":
		return true
	case "basic", "token", "session", "remote_user", "simplejwt", "hawk", "http_signature", "oauth1", "client_cert":
		return false
	default:
		return id.Client != "" || len(id.Claims) > 0
	}
}

// UnmarshalCaddyfile sets up the permission from Caddyfile tokens. Syntax:
//
//	require authenticated_or_scope <scope...> {
//	    message <text>
//	    code    <code>
//	    body    <json object>
//	}
func (p *AuthenticatedOrScope) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	p.Scopes = d.RemainingArgs()
	if len(p.Scopes) == 0 {
		return d.ArgErr()
	}
	return p.parseBlock(d)
}

// Interface guards
var (
	_ auth.Permission       = (*AuthenticatedOrScope)(nil)
	_ auth.Explainer        = (*AuthenticatedOrScope)(nil)
	_ caddy.Provisioner     = (*AuthenticatedOrScope)(nil)
	_ caddy.Validator       = (*AuthenticatedOrScope)(nil)
	_ caddyfile.Unmarshaler = (*AuthenticatedOrScope)(nil)
)
