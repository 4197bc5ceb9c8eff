// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package sqlite keeps a token store in one SQLite file.
package sqlite

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/sqlstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func init() {
	caddy.RegisterModule(Driver{})
}

// Driver keeps users, tokens, sessions and everything else of the store in one
// SQLite file. It is the default store, and right for everything that runs on
// one host: several Caddy processes there may share the file.
//
// The file is created, for its owner alone, when the store is first used. From
// then on a marker in Caddy's storage says that there is a store. If the file is
// lost, requests that need it are answered 503 until it is back: an empty store
// never takes the place of a lost one. `caddy rest-auth store init --force` starts
// an empty one on purpose. A file that was restored from a backup or moved here is
// taken as it is.
//
// What was answered is on the disk: every write is synced before it is
// acknowledged.
type Driver struct {
	// Where the file is. A relative path is relative to the working directory of
	// Caddy. Global placeholders such as `{env.DATA}` are allowed.
	// Default: `rest_auth.db` in Caddy's data directory.
	Path string `json:"path,omitempty"`

	// How long to wait for another process that is writing to the file; then
	// the request is answered 503. Default: `5s`.
	BusyTimeout caddy.Duration `json:"busy_timeout,omitempty"`

	// Allow the file to be on a network file system. SQLite needs locks and
	// shared memory that most of them do not give, and loses data without
	// notice where they do not. Default: `false`. Only Linux can tell.
	AllowNetworkFilesystem bool `json:"allow_network_filesystem,omitempty"`

	storage certmagic.Storage
	logger  *zap.Logger

	reports *sqlstore.Reports
}

const defaultBusyTimeout = 5 * time.Second

// CaddyModule returns the Caddy module information.
func (Driver) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "rest_auth.token_stores.sqlite",
		New: func() caddy.Module { return new(Driver) },
	}
}

// Provision resolves the path. It touches no file.
func (d *Driver) Provision(ctx caddy.Context) error {
	d.storage, d.logger = ctx.Storage(), ctx.Logger()
	if d.Path == "" {
		d.Path = filepath.Join(caddy.AppDataDir(), "rest_auth.db")
	}
	path, err := caddy.NewReplacer().ReplaceOrErr(d.Path, true, true)
	if err != nil {
		return fmt.Errorf("resolving the path of the store: %w", err)
	}
	if d.Path, err = filepath.Abs(path); err != nil {
		return fmt.Errorf("resolving the path of the store: %w", err)
	}
	d.reports = &sqlstore.Reports{Logger: d.logger, Place: zap.String("file", d.Path)}
	if d.BusyTimeout == 0 {
		d.BusyTimeout = caddy.Duration(defaultBusyTimeout)
	}
	return nil
}

// Validate refuses times that cannot be.
func (d *Driver) Validate() error {
	if timeout := time.Duration(d.BusyTimeout); timeout < time.Millisecond || timeout > time.Hour {
		return fmt.Errorf("busy_timeout of %s is not between 1ms and 1h", timeout)
	}
	return nil
}

// Identifier names the file.
func (d *Driver) Identifier() string { return "sqlite:" + d.Path }

// UnmarshalCaddyfile sets up the driver from Caddyfile tokens. Syntax:
//
//	store sqlite [<path>] {
//	    busy_timeout <duration>
//	    allow_network_filesystem
//	}
func (d *Driver) UnmarshalCaddyfile(disp *caddyfile.Dispenser) error {
	disp.Next() // consume driver name
	if disp.NextArg() {
		d.Path = disp.Val()
	}
	if disp.NextArg() {
		return disp.ArgErr()
	}
	for disp.NextBlock(0) {
		switch option := disp.Val(); option {
		case "busy_timeout":
			if !disp.NextArg() {
				return disp.ArgErr()
			}
			timeout, err := caddy.ParseDuration(disp.Val())
			if err != nil {
				return disp.Errf("parsing busy_timeout: %v", err)
			}
			d.BusyTimeout = caddy.Duration(timeout)
		case "allow_network_filesystem":
			d.AllowNetworkFilesystem = true
		default:
			return disp.Errf("unrecognized subdirective '%s'", option)
		}
		if disp.NextArg() {
			return disp.ArgErr()
		}
	}
	return nil
}

// Interface guards
var (
	_ caddy.Module           = (*Driver)(nil)
	_ caddy.Provisioner      = (*Driver)(nil)
	_ caddy.Validator        = (*Driver)(nil)
	_ caddyfile.Unmarshaler  = (*Driver)(nil)
	_ tokenstore.Driver      = (*Driver)(nil)
	_ tokenstore.Checker     = (*Driver)(nil)
	_ tokenstore.Initializer = (*Driver)(nil)
)
