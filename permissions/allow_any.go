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
	caddy.RegisterModule(new(AllowAny))
}

// AllowAny allows every request, anonymous ones too. Credentials that are
// presented and bad are still refused: they are judged before permissions.
type AllowAny struct {
	Refusal
}

// CaddyModule returns the Caddy module information.
func (*AllowAny) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  namespace + ".allow_any",
		New: func() caddy.Module { return new(AllowAny) },
	}
}

// Allow reports true.
func (p *AllowAny) Allow(*http.Request, *auth.Identity) (bool, error) { return true, nil }

// UnmarshalCaddyfile sets up the permission from Caddyfile tokens. Syntax:
//
//	require allow_any {
//	    message <text>
//	    code    <code>
//	    body    <json object>
//	}
func (p *AllowAny) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	return p.parseWord(d)
}

// Interface guards
var (
	_ auth.Permission       = (*AllowAny)(nil)
	_ auth.Explainer        = (*AllowAny)(nil)
	_ caddy.Provisioner     = (*AllowAny)(nil)
	_ caddyfile.Unmarshaler = (*AllowAny)(nil)
)
