// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package memory keeps a token store in the memory of one process.
package memory

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func init() {
	caddy.RegisterModule(Driver{})
}

// Driver keeps users, tokens, sessions and everything else of the store in
// memory. **All of it is lost when Caddy stops**; it survives reloads as long as
// the configuration names the store. It is for tests and demonstrations, and for
// sites that can ask everybody to log in again.
//
// The store is of this process alone: other nodes do not see it, and commands
// reach it through the admin API only. Its size is bounded by what was issued and
// has not expired yet.
type Driver struct {
	// Tells several stores of one process apart: configurations that use the
	// same name share the data. Default: empty, which is a name too.
	Name string `json:"name,omitempty"`
}

// CaddyModule returns the Caddy module information.
func (Driver) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "rest_auth.token_stores.memory",
		New: func() caddy.Module { return new(Driver) },
	}
}

// Identifier names the store within this process.
func (d *Driver) Identifier() string { return "memory:" + d.Name }

// Open returns a new and empty store.
func (d *Driver) Open(ctx context.Context) (tokenstore.Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return New(), nil
}

// OpenExisting finds nothing: the store of a running Caddy is in that process.
func (d *Driver) OpenExisting(context.Context) (tokenstore.Store, error) {
	return nil, fmt.Errorf("opening %s, which only the running Caddy has: %w", d.Identifier(), fs.ErrNotExist)
}

// UnmarshalCaddyfile sets up the driver from Caddyfile tokens. Syntax:
//
//	store memory [<name>]
func (d *Driver) UnmarshalCaddyfile(disp *caddyfile.Dispenser) error {
	disp.Next() // consume driver name
	if disp.NextArg() {
		d.Name = disp.Val()
	}
	if disp.NextArg() {
		return disp.ArgErr()
	}
	for disp.NextBlock(0) {
		return disp.Errf("unrecognized subdirective '%s'", disp.Val())
	}
	return nil
}

// Interface guards
var (
	_ caddy.Module          = (*Driver)(nil)
	_ caddyfile.Unmarshaler = (*Driver)(nil)
	_ tokenstore.Driver     = (*Driver)(nil)
)
