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
	caddy.RegisterModule(new(Scope))
}

// Scope allows requests whose credential was granted all of the scopes, which
// is Django OAuth Toolkit's TokenHasScope. Credentials without scopes, such as
// sessions and passwords, are refused; a superuser is no exception.
type Scope struct {
	// The scopes, all of which are needed. At least one must be given;
	// placeholders are expanded.
	Scopes []string `json:"scopes,omitempty"`

	Refusal
}

// CaddyModule returns the Caddy module information.
func (*Scope) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  namespace + ".scope",
		New: func() caddy.Module { return new(Scope) },
	}
}

// Provision expands the placeholders.
func (p *Scope) Provision(ctx caddy.Context) error {
	if err := expand(p.Scopes); err != nil {
		return err
	}
	return p.Refusal.Provision(ctx)
}

// Validate refuses an empty list.
func (p *Scope) Validate() error {
	if len(p.Scopes) == 0 {
		return errors.New("scope needs at least one of scopes")
	}
	return nil
}

// Allow reports whether the credential was granted all of the scopes.
func (p *Scope) Allow(_ *http.Request, id *auth.Identity) (bool, error) {
	return hasScopes(id, p.Scopes), nil
}

// Explain says which scopes are needed.
func (p *Scope) Explain(*http.Request, *auth.Identity) *auth.Denial { return p.lacking(p.Scopes) }

// UnmarshalCaddyfile sets up the permission from Caddyfile tokens. Syntax:
//
//	require scope <scope...> {
//	    message <text>
//	    code    <code>
//	    body    <json object>
//	}
func (p *Scope) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	p.Scopes = d.RemainingArgs()
	if len(p.Scopes) == 0 {
		return d.ArgErr()
	}
	return p.parseBlock(d)
}

// Interface guards
var (
	_ auth.Permission       = (*Scope)(nil)
	_ auth.Explainer        = (*Scope)(nil)
	_ caddy.Provisioner     = (*Scope)(nil)
	_ caddy.Validator       = (*Scope)(nil)
	_ caddyfile.Unmarshaler = (*Scope)(nil)
)
