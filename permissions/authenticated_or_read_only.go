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
	caddy.RegisterModule(new(AuthenticatedOrReadOnly))
}

// AuthenticatedOrReadOnly allows the methods GET, HEAD and OPTIONS to
// everybody, and all others to authenticated users.
type AuthenticatedOrReadOnly struct {
	Refusal
}

// CaddyModule returns the Caddy module information.
func (*AuthenticatedOrReadOnly) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  namespace + ".authenticated_or_read_only",
		New: func() caddy.Module { return new(AuthenticatedOrReadOnly) },
	}
}

// Allow reports whether the method is a safe one or a user made the request.
func (p *AuthenticatedOrReadOnly) Allow(r *http.Request, id *auth.Identity) (bool, error) {
	return isSafe(r.Method) || isUser(id), nil
}

// UnmarshalCaddyfile sets up the permission from Caddyfile tokens. Syntax:
//
//	require authenticated_or_read_only {
//	    message <text>
//	    code    <code>
//	    body    <json object>
//	}
func (p *AuthenticatedOrReadOnly) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	return p.parseWord(d)
}

// Interface guards
var (
	_ auth.Permission       = (*AuthenticatedOrReadOnly)(nil)
	_ auth.Explainer        = (*AuthenticatedOrReadOnly)(nil)
	_ caddy.Provisioner     = (*AuthenticatedOrReadOnly)(nil)
	_ caddyfile.Unmarshaler = (*AuthenticatedOrReadOnly)(nil)
)
