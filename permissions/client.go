// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package permissions

import (
	"errors"
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

func init() {
	caddy.RegisterModule(new(Client))
}

// durinPrefix begins the IDs of durin's API clients, whose names people know.
const durinPrefix = "durin:"

// Client allows requests whose credentials were issued to one of the clients
// (applications), whether they stand for a user or for the client itself. A
// client is named by its ID, as {http.auth.user.client} has it, or, if it is an
// API client of durin, by its name. Both are compared exactly.
type Client struct {
	// The IDs or names of the clients. At least one is needed; placeholders are
	// expanded.
	Clients []string `json:"clients,omitempty"`

	Refusal

	ids map[string]struct{}
}

// CaddyModule returns the Caddy module information.
func (*Client) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  namespace + ".client",
		New: func() caddy.Module { return new(Client) },
	}
}

// Provision expands the placeholders.
func (p *Client) Provision(ctx caddy.Context) error {
	if err := expand(p.Clients); err != nil {
		return err
	}
	p.ids = setOf(p.Clients)
	return p.Refusal.Provision(ctx)
}

// Validate refuses an empty list.
func (p *Client) Validate() error {
	if len(p.Clients) == 0 {
		return errors.New("client needs at least one of clients")
	}
	return nil
}

// Allow reports whether the credentials were issued to one of the clients.
func (p *Client) Allow(_ *http.Request, id *auth.Identity) (bool, error) {
	if !id.Authenticated() || id.Client == "" {
		return false, nil
	}
	_, named := p.ids[id.Client]
	if name, ok := strings.CutPrefix(id.Client, durinPrefix); ok && !named {
		_, named = p.ids[name]
	}
	return named, nil
}

// UnmarshalCaddyfile sets up the permission from Caddyfile tokens. Syntax:
//
//	require client <id or name...> {
//	    message <text>
//	    code    <code>
//	    body    <json object>
//	}
func (p *Client) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	p.Clients = d.RemainingArgs()
	if len(p.Clients) == 0 {
		return d.ArgErr()
	}
	return p.parseBlock(d)
}

// Interface guards
var (
	_ auth.Permission       = (*Client)(nil)
	_ auth.Explainer        = (*Client)(nil)
	_ caddy.Provisioner     = (*Client)(nil)
	_ caddy.Validator       = (*Client)(nil)
	_ caddyfile.Unmarshaler = (*Client)(nil)
)
