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
	caddy.RegisterModule(new(Authenticated))
}

// Authenticated allows the requests of authenticated users.
//
// A client that authenticates for itself, as with the client credentials grant
// of OAuth 2.0, is no user and is refused, as in Django OAuth Toolkit: the
// upstream would be told no user. Require `client` or `scope` for those.
type Authenticated struct {
	Refusal
}

// CaddyModule returns the Caddy module information.
func (*Authenticated) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  namespace + ".authenticated",
		New: func() caddy.Module { return new(Authenticated) },
	}
}

// Allow reports whether a user made the request.
func (p *Authenticated) Allow(_ *http.Request, id *auth.Identity) (bool, error) {
	return isUser(id), nil
}

// UnmarshalCaddyfile sets up the permission from Caddyfile tokens. Syntax:
//
//	require authenticated {
//	    message <text>
//	    code    <code>
//	    body    <json object>
//	}
func (p *Authenticated) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	return p.parseWord(d)
}

// Interface guards
var (
	_ auth.Permission       = (*Authenticated)(nil)
	_ auth.Explainer        = (*Authenticated)(nil)
	_ caddy.Provisioner     = (*Authenticated)(nil)
	_ caddyfile.Unmarshaler = (*Authenticated)(nil)
)
