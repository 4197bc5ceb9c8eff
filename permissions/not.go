// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package permissions

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

func init() {
	caddy.RegisterModule(new(Not))
}

// Not allows what its one permission refuses, and refuses what that allows.
//
// That includes anonymous requests: `not group suspended` allows them, since
// nobody anonymous is in a group. Require `authenticated` beside it.
//
// An error of the permission refuses the request; it is never turned into an
// allowance. A refusal has the text of this permission alone, since the other
// one has a text only for the requests that are allowed here.
type Not struct {
	// The permission to negate. Required.
	NegatedRaw json.RawMessage `json:"negated,omitempty" caddy:"namespace=rest_auth.permissions inline_key=permission"`

	Refusal

	permission auth.Permission
}

// CaddyModule returns the Caddy module information.
func (*Not) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  namespace + ".not",
		New: func() caddy.Module { return new(Not) },
	}
}

// Provision loads the permission.
func (p *Not) Provision(ctx caddy.Context) error {
	if err := p.Refusal.Provision(ctx); err != nil {
		return err
	}
	if p.NegatedRaw == nil {
		return errors.New("it needs a permission")
	}
	module, err := ctx.LoadModule(p, "NegatedRaw")
	if err != nil {
		return fmt.Errorf("loading permission: %w", err)
	}
	permission, ok := module.(auth.Permission)
	if !ok {
		return fmt.Errorf("loading permission: %T is not a permission", module)
	}
	p.permission = permission
	return nil
}

// Allow reports whether the permission refuses the request.
func (p *Not) Allow(r *http.Request, id *auth.Identity) (bool, error) {
	if p.permission == nil {
		return false, nil
	}
	allowed, err := p.permission.Allow(r, id)
	if err != nil {
		return false, err
	}
	return !allowed, nil
}

// Parts returns the permission that is negated.
func (p *Not) Parts() []auth.Permission { return []auth.Permission{p.permission} }

// WrapResponse lets the permission play its part in the response, if it has one.
func (p *Not) WrapResponse(w http.ResponseWriter, r *http.Request, id *auth.Identity) http.ResponseWriter {
	if responder, ok := p.permission.(auth.Responder); ok {
		return responder.WrapResponse(w, r, id)
	}
	return w
}

// UnmarshalCaddyfile sets up the permission from Caddyfile tokens. In the first
// form, the lines message, code and body belong to `not`, and the other lines
// of the block to the permission that it negates. Syntax:
//
//	require not <permission> [<arguments...>] {
//	    message <text>
//	    code    <code>
//	    body    <json object>
//	    …
//	}
//
//	require not {
//	    <permission> [<arguments...>] [{ … }]
//	    message <text>
//	    code    <code>
//	    body    <json object>
//	}
func (p *Not) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	if d.NextArg() {
		return p.parseInline(d)
	}
	err := p.parseBlockWith(d, func() (bool, error) {
		if p.NegatedRaw != nil {
			return true, d.Errf("unexpected '%s': 'not' takes one permission", d.Val())
		}
		var err error
		p.NegatedRaw, err = ParseCaddyfile(d)
		return true, err
	})
	if err != nil {
		return err
	}
	if p.NegatedRaw == nil {
		return d.Err("'not' needs a permission")
	}
	return nil
}

// parseInline parses the permission whose name is the current token, with the
// options of the refusal taken out of its block.
func (p *Not) parseInline(d *caddyfile.Dispenser) error {
	operand, err := p.takeOptions(d)
	if err != nil {
		return err
	}
	inner := caddyfile.NewDispenser(operand)
	inner.Next()
	p.NegatedRaw, err = ParseCaddyfile(inner)
	return err
}

// Interface guards
var (
	_ auth.Permission       = (*Not)(nil)
	_ auth.Explainer        = (*Not)(nil)
	_ auth.Responder        = (*Not)(nil)
	_ auth.Composition      = (*Not)(nil)
	_ caddy.Provisioner     = (*Not)(nil)
	_ caddyfile.Unmarshaler = (*Not)(nil)
)
