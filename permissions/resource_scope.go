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
	caddy.RegisterModule(new(ResourceScope))
}

// ResourceScope allows requests whose credential was granted `<scope>:read` for
// the methods GET, HEAD and OPTIONS, and `<scope>:write` for all others, for
// each of the scopes: Django OAuth Toolkit's TokenHasResourceScope. Writing does
// not imply reading.
type ResourceScope struct {
	// The resources, as "music" for `music:read` and `music:write`. At least one
	// must be given, and all are needed; placeholders are expanded.
	Scopes []string `json:"scopes,omitempty"`

	ScopeNames
	Refusal

	read, write []string
}

// CaddyModule returns the Caddy module information.
func (*ResourceScope) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  namespace + ".resource_scope",
		New: func() caddy.Module { return new(ResourceScope) },
	}
}

// Provision works out the scopes that reading and writing need.
func (p *ResourceScope) Provision(ctx caddy.Context) error {
	if err := expand(p.Scopes); err != nil {
		return err
	}
	read, write, err := p.names()
	if err != nil {
		return err
	}
	p.read, p.write = nil, nil
	for _, scope := range p.Scopes {
		p.read = append(p.read, scope+":"+read)
		p.write = append(p.write, scope+":"+write)
	}
	return p.Refusal.Provision(ctx)
}

// Validate refuses an empty list.
func (p *ResourceScope) Validate() error {
	if len(p.Scopes) == 0 {
		return errors.New("resource_scope needs at least one of scopes")
	}
	return nil
}

// Allow reports whether the credential was granted the scopes that the method needs.
func (p *ResourceScope) Allow(r *http.Request, id *auth.Identity) (bool, error) {
	return hasScopes(id, p.needed(r)), nil
}

// Explain says which scopes the method needs.
func (p *ResourceScope) Explain(r *http.Request, _ *auth.Identity) *auth.Denial {
	return p.lacking(p.needed(r))
}

func (p *ResourceScope) needed(r *http.Request) []string {
	if isSafe(r.Method) {
		return p.read
	}
	return p.write
}

// UnmarshalCaddyfile sets up the permission from Caddyfile tokens. Syntax:
//
//	require resource_scope <scope...> {
//	    read_scope  <name>
//	    write_scope <name>
//	    message     <text>
//	    code        <code>
//	    body        <json object>
//	}
func (p *ResourceScope) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	p.Scopes = d.RemainingArgs()
	if len(p.Scopes) == 0 {
		return d.ArgErr()
	}
	return p.parseBlockWith(d, func() (bool, error) { return p.ScopeNames.parseOption(d) })
}

// Interface guards
var (
	_ auth.Permission       = (*ResourceScope)(nil)
	_ auth.Explainer        = (*ResourceScope)(nil)
	_ caddy.Provisioner     = (*ResourceScope)(nil)
	_ caddy.Validator       = (*ResourceScope)(nil)
	_ caddyfile.Unmarshaler = (*ResourceScope)(nil)
)
