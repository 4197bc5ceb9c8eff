// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package permissions

import (
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

func init() {
	caddy.RegisterModule(new(Any))
}

// Any allows a request that one of its permissions allows. They are asked in
// order, and none after the first that allows.
//
// An error of a permission refuses the request, even if a later one would have
// allowed it. A refusal has the text of this permission, or else of the last of
// its permissions that has one.
type Any struct {
	Operands
	Refusal
}

// CaddyModule returns the Caddy module information.
func (*Any) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  namespace + ".any",
		New: func() caddy.Module { return new(Any) },
	}
}

// Provision loads the permissions.
func (p *Any) Provision(ctx caddy.Context) error {
	if err := p.Refusal.Provision(ctx); err != nil {
		return err
	}
	return p.Operands.Provision(ctx)
}

// Allow reports whether one of the permissions allows the request.
func (p *Any) Allow(r *http.Request, id *auth.Identity) (bool, error) {
	for _, permission := range p.permissions {
		allowed, err := permission.Allow(r, id)
		if err != nil {
			return false, err
		}
		if allowed {
			return true, nil
		}
	}
	return false, nil
}

// Explain returns the refusal of p, or else of the last permission that has one,
// with the scopes of the first that lacks some.
func (p *Any) Explain(r *http.Request, id *auth.Identity) *auth.Denial {
	text := p.Refusal.Explain(r, id)
	var scopes []string
	for i := len(p.permissions) - 1; i >= 0; i-- {
		denial := explain(p.permissions[i], r, id)
		if text == nil && says(denial) {
			text = denial
		}
		if denial != nil && len(denial.Scopes) > 0 {
			scopes = denial.Scopes
		}
	}
	return withScopes(text, scopes)
}

// UnmarshalCaddyfile sets up the permission from Caddyfile tokens. On its line,
// each word is a permission without arguments. Syntax:
//
//	require any <permission...> {
//	    message <text>
//	    code    <code>
//	    body    <json object>
//	}
//
//	require any {
//	    <permission> [<arguments...>] [{ … }]
//	    …
//	    message <text>
//	    code    <code>
//	    body    <json object>
//	}
func (p *Any) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	return p.parse(d, &p.Refusal)
}

// Interface guards
var (
	_ auth.Permission       = (*Any)(nil)
	_ auth.Explainer        = (*Any)(nil)
	_ auth.Responder        = (*Any)(nil)
	_ auth.Composition      = (*Any)(nil)
	_ caddy.Provisioner     = (*Any)(nil)
	_ caddyfile.Unmarshaler = (*Any)(nil)
)
