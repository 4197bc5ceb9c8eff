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
	caddy.RegisterModule(new(ReadWriteScope))
}

// ReadWriteScope allows requests whose credential was granted the scope `read`
// for the methods GET, HEAD and OPTIONS, and the scope `write` for all others:
// Django OAuth Toolkit's TokenHasReadWriteScope. Writing does not imply reading.
type ReadWriteScope struct {
	// Scopes that are needed beside `read` or `write`, all of them, whatever the
	// method. Placeholders are expanded. Default: none.
	Scopes []string `json:"scopes,omitempty"`

	ScopeNames
	Refusal

	read, write []string
}

// CaddyModule returns the Caddy module information.
func (*ReadWriteScope) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  namespace + ".read_write_scope",
		New: func() caddy.Module { return new(ReadWriteScope) },
	}
}

// Provision works out the scopes that reading and writing need.
func (p *ReadWriteScope) Provision(ctx caddy.Context) error {
	if err := expand(p.Scopes); err != nil {
		return err
	}
	read, write, err := p.names()
	if err != nil {
		return err
	}
	p.read, p.write = nil, nil
	for _, scope := range p.Scopes {
		p.read = append(p.read, scope)
		p.write = append(p.write, scope)
	}
	p.read, p.write = append(p.read, read), append(p.write, write)
	return p.Refusal.Provision(ctx)
}

// Allow reports whether the credential was granted the scopes that the method needs.
func (p *ReadWriteScope) Allow(r *http.Request, id *auth.Identity) (bool, error) {
	return hasScopes(id, p.needed(r)), nil
}

// Explain says which scopes the method needs.
func (p *ReadWriteScope) Explain(r *http.Request, _ *auth.Identity) *auth.Denial {
	return p.lacking(p.needed(r))
}

func (p *ReadWriteScope) needed(r *http.Request) []string {
	if isSafe(r.Method) {
		return p.read
	}
	return p.write
}

// UnmarshalCaddyfile sets up the permission from Caddyfile tokens. Syntax:
//
//	require read_write_scope [<scope...>] {
//	    read_scope  <name>
//	    write_scope <name>
//	    message     <text>
//	    code        <code>
//	    body        <json object>
//	}
func (p *ReadWriteScope) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	p.Scopes = d.RemainingArgs()
	return p.parseBlockWith(d, func() (bool, error) { return p.ScopeNames.parseOption(d) })
}

// Interface guards
var (
	_ auth.Permission       = (*ReadWriteScope)(nil)
	_ auth.Explainer        = (*ReadWriteScope)(nil)
	_ caddy.Provisioner     = (*ReadWriteScope)(nil)
	_ caddyfile.Unmarshaler = (*ReadWriteScope)(nil)
)
