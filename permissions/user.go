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
	caddy.RegisterModule(new(User))
}

// User allows the requests of the users who are named, by the login names that
// `{http.auth.user.id}` shows. Names are compared exactly, letter case included.
type User struct {
	// The login names. At least one is needed; placeholders are expanded.
	Users []string `json:"users,omitempty"`

	Refusal

	names map[string]struct{}
}

// CaddyModule returns the Caddy module information.
func (*User) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  namespace + ".user",
		New: func() caddy.Module { return new(User) },
	}
}

// Provision expands the placeholders.
func (p *User) Provision(ctx caddy.Context) error {
	if err := expand(p.Users); err != nil {
		return err
	}
	p.names = setOf(p.Users)
	return p.Refusal.Provision(ctx)
}

// Validate refuses an empty list.
func (p *User) Validate() error {
	if len(p.Users) == 0 {
		return errors.New("user needs at least one of users")
	}
	return nil
}

// Allow reports whether the user is one of those named.
func (p *User) Allow(_ *http.Request, id *auth.Identity) (bool, error) {
	if !isUser(id) {
		return false, nil
	}
	_, named := p.names[id.ID]
	return named, nil
}

// UnmarshalCaddyfile sets up the permission from Caddyfile tokens. Syntax:
//
//	require user <name...> {
//	    message <text>
//	    code    <code>
//	    body    <json object>
//	}
func (p *User) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	p.Users = d.RemainingArgs()
	if len(p.Users) == 0 {
		return d.ArgErr()
	}
	return p.parseBlock(d)
}

// Interface guards
var (
	_ auth.Permission       = (*User)(nil)
	_ auth.Explainer        = (*User)(nil)
	_ caddy.Provisioner     = (*User)(nil)
	_ caddy.Validator       = (*User)(nil)
	_ caddyfile.Unmarshaler = (*User)(nil)
)
