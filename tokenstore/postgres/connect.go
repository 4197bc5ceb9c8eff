// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/sqlstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// The names of our connections in pg_stat_activity. The feed's is followed by
// " feed", so that it can be told from those of requests.
const (
	applicationName = "caddy-rest-auth"
	feedSuffix      = " feed"
)

// errReadOnly says that a server takes no writes.
var errReadOnly = errors.New("the server takes no writes: it is a standby, or default_transaction_read_only is on")

// errPrivilege says that the role may not use the schema.
var errPrivilege = errors.New("permission denied for the schema")

// settings are what every session begins with. Names outside of the schema are
// never found. Without the right to use it the server would pass over it: that is
// what the first column tells. What was acknowledged is on the server's disk,
// whatever the role's own settings are. A session that stopped in a transaction
// must not keep others waiting.
const settings = `SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $3 AND NOT pg_catalog.has_schema_privilege(oid, 'USAGE')),
	set_config('search_path', $1, false),
	set_config('statement_timeout', $2, false), set_config('lock_timeout', $2, false),
	set_config('idle_in_transaction_session_timeout', $2, false),
	set_config('standard_conforming_strings', 'on', false), set_config('client_min_messages', 'error', false),
	set_config('jit', 'off', false),
	CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', false) END`

// beforeConnect reads the password, which may have changed.
func (d *Driver) beforeConnect(_ context.Context, config *pgx.ConnConfig) error {
	if d.PasswordFile == "" {
		return nil
	}
	password, err := os.ReadFile(d.PasswordFile)
	if err != nil {
		return fmt.Errorf("reading password_file: %w", err)
	}
	config.Password = string(bytes.TrimRight(password, "\r\n"))
	return nil
}

// afterConnect prepares a session.
func (d *Driver) afterConnect(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(d.ConnectTimeout))
	defer cancel()
	timeout := strconv.FormatInt(max(time.Duration(d.StatementTimeout).Milliseconds(), 1), 10)
	// Not prepared: a session needs it once.
	rows, err := conn.Query(ctx, settings, pgx.QueryExecModeExec, `"`+d.Schema+`"`, timeout, d.Schema)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if string(rows.RawValues()[0]) == "t" {
			return errPrivilege
		}
	}
	return rows.Err()
}

// single opens a connection outside of any pool.
func (d *Driver) single(ctx context.Context, suffix string) (*pgx.Conn, error) {
	config := d.config.ConnConfig.Copy()
	config.RuntimeParams["application_name"] += suffix
	if err := d.beforeConnect(ctx, config); err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	if err := d.afterConnect(ctx, conn); err != nil {
		hangUp(ctx, conn)
		return nil, err
	}
	return conn, nil
}

// hangUp closes a connection, and does not wait for a server that is silent.
func hangUp(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 100*time.Millisecond)
	defer cancel()
	_ = conn.Close(ctx)
}

// version examines the store over a connection.
func (d *Driver) version(ctx context.Context, conn *pgx.Conn) (version int, id string, err error) {
	se := d.session(conn)
	se.attached = true
	return sqlstore.Version(ctx, sqlstore.Over(se, dialect))
}

// An otherStoreError says that another store has taken the place of the one that
// was open.
type otherStoreError struct{ what string }

func (e otherStoreError) Error() string { return e.what }

func (e otherStoreError) Unwrap() error { return tokenstore.ErrUnavailable }

// recognize fails unless a connection leads to the store of that id.
func (d *Driver) recognize(ctx context.Context, conn *pgx.Conn, id string) error {
	version, found, err := d.version(ctx, conn)
	switch {
	case err != nil:
		return err
	case version == 0:
		return otherStoreError{"the tables of the store are gone"}
	case found != id:
		return otherStoreError{"the database has another store than before"}
	default:
		return nil
	}
}
