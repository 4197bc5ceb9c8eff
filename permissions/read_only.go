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
	caddy.RegisterModule(new(ReadOnly))
}

// ReadOnly allows the methods GET, HEAD and OPTIONS to everybody, anonymous
// clients included. Put it into `all` to ask for more.
type ReadOnly struct {
	Refusal
}

// CaddyModule returns the Caddy module information.
func (*ReadOnly) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  namespace + ".read_only",
		New: func() caddy.Module { return new(ReadOnly) },
	}
}

// Allow reports whether the method is a safe one.
func (p *ReadOnly) Allow(r *http.Request, _ *auth.Identity) (bool, error) {
	return isSafe(r.Method), nil
}

// UnmarshalCaddyfile sets up the permission from Caddyfile tokens. Syntax:
//
//	require read_only {
//	    message <text>
//	    code    <code>
//	    body    <json object>
//	}
func (p *ReadOnly) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	return p.parseWord(d)
}

// Interface guards
var (
	_ auth.Permission       = (*ReadOnly)(nil)
	_ auth.Explainer        = (*ReadOnly)(nil)
	_ caddy.Provisioner     = (*ReadOnly)(nil)
	_ caddyfile.Unmarshaler = (*ReadOnly)(nil)
)
