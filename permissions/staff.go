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
	caddy.RegisterModule(new(Staff))
}

// Staff allows the requests of users who are staff, which is Django's is_staff
// and Django REST framework's IsAdminUser. A superuser is not staff by that.
type Staff struct {
	Refusal
}

// CaddyModule returns the Caddy module information.
func (*Staff) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  namespace + ".staff",
		New: func() caddy.Module { return new(Staff) },
	}
}

// Allow reports whether the user is staff.
func (p *Staff) Allow(_ *http.Request, id *auth.Identity) (bool, error) {
	return isUser(id) && id.Staff, nil
}

// UnmarshalCaddyfile sets up the permission from Caddyfile tokens. Syntax:
//
//	require staff {
//	    message <text>
//	    code    <code>
//	    body    <json object>
//	}
func (p *Staff) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	return p.parseWord(d)
}

// Interface guards
var (
	_ auth.Permission       = (*Staff)(nil)
	_ auth.Explainer        = (*Staff)(nil)
	_ caddy.Provisioner     = (*Staff)(nil)
	_ caddyfile.Unmarshaler = (*Staff)(nil)
)
