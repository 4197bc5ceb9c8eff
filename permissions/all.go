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
	caddy.RegisterModule(new(All))
}

// All allows a request that every one of its permissions allows. They are asked
// in order, and none after the first that refuses.
//
// An error of a permission refuses the request. A refusal has the text of this
// permission, or else of the first of its permissions that refused.
type All struct {
	Operands
	Refusal
}

// CaddyModule returns the Caddy module information.
func (*All) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  namespace + ".all",
		New: func() caddy.Module { return new(All) },
	}
}

// Provision loads the permissions.
func (p *All) Provision(ctx caddy.Context) error {
	if err := p.Refusal.Provision(ctx); err != nil {
		return err
	}
	return p.Operands.Provision(ctx)
}

// Allow reports whether all permissions allow the request.
func (p *All) Allow(r *http.Request, id *auth.Identity) (bool, error) {
	for _, permission := range p.permissions {
		if allowed, err := permission.Allow(r, id); err != nil || !allowed {
			return false, err
		}
	}
	return len(p.permissions) > 0, nil
}

// Explain returns the refusal of p, or else of the first permission that
// refuses, with the scopes that this one lacks. It is asked again, so that nothing
// need be kept for a request.
func (p *All) Explain(r *http.Request, id *auth.Identity) *auth.Denial {
	own := p.Refusal.Explain(r, id)
	for _, permission := range p.permissions {
		allowed, err := permission.Allow(r, id)
		if err != nil {
			break
		}
		if allowed {
			continue
		}
		denial := explain(permission, r, id)
		if own == nil {
			return denial
		}
		if denial != nil {
			own.Scopes = denial.Scopes
		}
		break
	}
	return own
}

// UnmarshalCaddyfile sets up the permission from Caddyfile tokens. On its line,
// each word is a permission without arguments. Syntax:
//
//	require all <permission...> {
//	    message <text>
//	    code    <code>
//	    body    <json object>
//	}
//
//	require all {
//	    <permission> [<arguments...>] [{ … }]
//	    …
//	    message <text>
//	    code    <code>
//	    body    <json object>
//	}
func (p *All) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	return p.parse(d, &p.Refusal)
}

// Interface guards
var (
	_ auth.Permission       = (*All)(nil)
	_ auth.Explainer        = (*All)(nil)
	_ auth.Responder        = (*All)(nil)
	_ auth.Composition      = (*All)(nil)
	_ caddy.Provisioner     = (*All)(nil)
	_ caddyfile.Unmarshaler = (*All)(nil)
)
