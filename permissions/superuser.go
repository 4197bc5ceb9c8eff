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
	caddy.RegisterModule(new(Superuser))
}

// Superuser allows the requests of superusers, which is Django's is_superuser.
type Superuser struct {
	Refusal
}

// CaddyModule returns the Caddy module information.
func (*Superuser) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  namespace + ".superuser",
		New: func() caddy.Module { return new(Superuser) },
	}
}

// Allow reports whether the user is a superuser.
func (p *Superuser) Allow(_ *http.Request, id *auth.Identity) (bool, error) {
	return isUser(id) && id.Superuser, nil
}

// UnmarshalCaddyfile sets up the permission from Caddyfile tokens. Syntax:
//
//	require superuser {
//	    message <text>
//	    code    <code>
//	    body    <json object>
//	}
func (p *Superuser) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	return p.parseWord(d)
}

// Interface guards
var (
	_ auth.Permission       = (*Superuser)(nil)
	_ auth.Explainer        = (*Superuser)(nil)
	_ caddy.Provisioner     = (*Superuser)(nil)
	_ caddyfile.Unmarshaler = (*Superuser)(nil)
)
