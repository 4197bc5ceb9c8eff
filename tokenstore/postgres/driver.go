// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package postgres keeps a token store in a schema of a PostgreSQL database.
package postgres

import (
	"fmt"
	"strconv"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/sqlstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func init() {
	caddy.RegisterModule(Driver{})
}

// Driver keeps users, tokens, sessions and everything else of the store in a
// schema of a PostgreSQL database, version 13 or later, so that several hosts
// share them. What one of them changes, the others know within a second.
//
// The tables are created when a Caddy that serves first uses them; that needs the
// right to create the schema, or in it. Nothing is looked for outside of the
// schema, whatever the role's search_path says.
//
// Only a server that takes writes is used. Name several hosts, and whichever
// of them is the primary is found. While none is, or while the one in use does not
// answer, requests that need the store are answered 503; it is in use again within
// five seconds after it is back.
//
// Passwords belong into `password_file`, into a placeholder as
// `{env.DATABASE_URL}` or `{file./run/secrets/database_url}`, or where libpq
// looks for them: `PGPASSWORD`, `PGPASSFILE`, `~/.pgpass`, a service file.
type Driver struct {
	// Which database, as a URL (`postgres://caddy@db.internal/auth?sslmode=verify-full`)
	// or as keywords (`host=/run/postgresql dbname=auth`), with the options of
	// libpq. What it does not say is taken from the environment (`PGHOST`,
	// `PGUSER` …) and from libpq's defaults. Global placeholders are allowed. A
	// placeholder that is unknown or empty is an error.
	DSN string `json:"dsn,omitempty"`

	// A file that holds the password and may end with a line break. It is read for
	// each new connection, so that a password can be changed while Caddy runs.
	// Global placeholders are allowed. Default: none.
	PasswordFile string `json:"password_file,omitempty"`

	// The schema that holds the tables. Two stores in one database have two.
	// Letters, digits and underscores, not beginning with a digit or `pg_`, 40 at
	// most. Default: `rest_auth`.
	Schema string `json:"schema,omitempty"`

	// How many connections there are at most, beside one that follows what
	// other hosts change. Default: `10`, or `pool_max_conns` in the DSN.
	MaxConnections int `json:"max_connections,omitempty"`

	// How long to wait for a new connection, or for a free one. Default: `2s`.
	ConnectTimeout caddy.Duration `json:"connect_timeout,omitempty"`

	// How long one statement may take, and wait for others; then it is canceled
	// and the request is answered 503. Default: `2s`.
	StatementTimeout caddy.Duration `json:"statement_timeout,omitempty"`

	config     *pgxpool.Config
	identifier string
	logger     *zap.Logger
	reports    *sqlstore.Reports
}

const (
	defaultSchema           = "rest_auth"
	defaultMaxConnections   = 10
	defaultConnectTimeout   = 2 * time.Second
	defaultStatementTimeout = 2 * time.Second
)

// CaddyModule returns the Caddy module information.
func (Driver) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "rest_auth.token_stores.postgres",
		New: func() caddy.Module { return new(Driver) },
	}
}

// Provision resolves the options. It connects to nothing.
func (d *Driver) Provision(ctx caddy.Context) error {
	d.logger = ctx.Logger()
	return d.prepare()
}

func (d *Driver) prepare() error {
	if d.Schema == "" {
		d.Schema = defaultSchema
	}
	if d.ConnectTimeout == 0 {
		d.ConnectTimeout = caddy.Duration(defaultConnectTimeout)
	}
	if d.StatementTimeout == 0 {
		d.StatementTimeout = caddy.Duration(defaultStatementTimeout)
	}
	if err := d.check(); err != nil {
		return err
	}
	return d.configure()
}

// check refuses what the options themselves forbid. It comes before the
// connection string is read, since the schema goes into SQL.
func (d *Driver) check() error {
	if !isSchema(d.Schema) {
		return fmt.Errorf("schema '%s' is not a name of letters, digits and underscores, 40 at most, that does not begin with a digit or 'pg_'", d.Schema)
	}
	if d.MaxConnections < 0 || d.MaxConnections > 10_000 {
		return fmt.Errorf("max_connections of %d is not between 1 and 10000", d.MaxConnections)
	}
	for name, timeout := range map[string]caddy.Duration{"connect_timeout": d.ConnectTimeout, "statement_timeout": d.StatementTimeout} {
		if t := time.Duration(timeout); t < 10*time.Millisecond || t > time.Hour {
			return fmt.Errorf("%s of %s is not between 10ms and 1h", name, t)
		}
	}
	return nil
}

// Identifier names the database and the schema, and tells configurations apart
// that use them in different ways.
func (d *Driver) Identifier() string { return d.identifier }

// UnmarshalCaddyfile sets up the driver from Caddyfile tokens. Syntax:
//
//	store postgres [<dsn>] {
//	    dsn               <dsn>
//	    password_file     <path>
//	    schema            <name>
//	    max_connections   <n>
//	    connect_timeout   <duration>
//	    statement_timeout <duration>
//	}
func (d *Driver) UnmarshalCaddyfile(disp *caddyfile.Dispenser) error {
	disp.Next() // consume driver name
	if disp.NextArg() {
		d.DSN = disp.Val()
	}
	if disp.NextArg() {
		return disp.Err("surplus arguments: a DSN with spaces needs quotes")
	}
	seen := make(map[string]bool)
	for disp.NextBlock(0) {
		option := disp.Val()
		if seen[option] || option == "dsn" && d.DSN != "" {
			return disp.Errf("%s is given twice", option)
		}
		seen[option] = true
		if err := d.unmarshalOption(disp, option); err != nil {
			return err
		}
		if disp.NextArg() {
			return disp.Errf("surplus arguments of %s: a value with spaces needs quotes", option)
		}
	}
	return nil
}

func (d *Driver) unmarshalOption(disp *caddyfile.Dispenser, option string) error {
	text, known := map[string]*string{"dsn": &d.DSN, "password_file": &d.PasswordFile, "schema": &d.Schema}[option]
	timeout := map[string]*caddy.Duration{"connect_timeout": &d.ConnectTimeout, "statement_timeout": &d.StatementTimeout}[option]
	if !known && timeout == nil && option != "max_connections" {
		return disp.Errf("unrecognized subdirective '%s'", option)
	}
	if !disp.NextArg() || disp.Val() == "" {
		return disp.Errf("%s needs a value", option)
	}
	switch {
	case known:
		*text = disp.Val()
	case timeout != nil:
		t, err := caddy.ParseDuration(disp.Val())
		if err != nil || t <= 0 {
			return disp.Errf("%s: '%s' is not a duration", option, disp.Val())
		}
		*timeout = caddy.Duration(t)
	default:
		n, err := strconv.Atoi(disp.Val())
		if err != nil || n < 1 {
			return disp.Errf("max_connections: '%s' is not a number from 1", disp.Val())
		}
		d.MaxConnections = n
	}
	return nil
}

// Interface guards
var (
	_ caddy.Module           = (*Driver)(nil)
	_ caddy.Provisioner      = (*Driver)(nil)
	_ caddyfile.Unmarshaler  = (*Driver)(nil)
	_ tokenstore.Driver      = (*Driver)(nil)
	_ tokenstore.Checker     = (*Driver)(nil)
	_ tokenstore.Initializer = (*Driver)(nil)
)
