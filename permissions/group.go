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
	caddy.RegisterModule(new(Group))
}

// Group allows the requests of users who are a member of at least one of the
// groups. Names are compared exactly.
type Group struct {
	// The names of the groups. At least one is needed; placeholders are expanded.
	Groups []string `json:"groups,omitempty"`

	Refusal

	names map[string]struct{}
}

// CaddyModule returns the Caddy module information.
func (*Group) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  namespace + ".group",
		New: func() caddy.Module { return new(Group) },
	}
}

// Provision expands the placeholders.
func (p *Group) Provision(ctx caddy.Context) error {
	if err := expand(p.Groups); err != nil {
		return err
	}
	p.names = setOf(p.Groups)
	return p.Refusal.Provision(ctx)
}

// Validate refuses an empty list.
func (p *Group) Validate() error {
	if len(p.Groups) == 0 {
		return errors.New("group needs at least one of groups")
	}
	return nil
}

// Allow reports whether one of the groups of the identity is named.
func (p *Group) Allow(_ *http.Request, id *auth.Identity) (bool, error) {
	if !id.Authenticated() {
		return false, nil
	}
	for _, group := range id.Groups {
		if _, named := p.names[group]; named {
			return true, nil
		}
	}
	return false, nil
}

// UnmarshalCaddyfile sets up the permission from Caddyfile tokens. Syntax:
//
//	require group <name...> {
//	    message <text>
//	    code    <code>
//	    body    <json object>
//	}
func (p *Group) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	p.Groups = d.RemainingArgs()
	if len(p.Groups) == 0 {
		return d.ArgErr()
	}
	return p.parseBlock(d)
}

// Interface guards
var (
	_ auth.Permission       = (*Group)(nil)
	_ auth.Explainer        = (*Group)(nil)
	_ caddy.Provisioner     = (*Group)(nil)
	_ caddy.Validator       = (*Group)(nil)
	_ caddyfile.Unmarshaler = (*Group)(nil)
)
