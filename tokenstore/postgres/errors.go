// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/sqlstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

var errClosed = fmt.Errorf("postgres store is closed: %w", tokenstore.ErrUnavailable)

// errUnknown says that nobody knows whether a transaction was committed.
var errUnknown = errors.New("the connection was lost while committing, whose outcome is not known")

// sqlstate returns the code of an error of the server, or "".
func sqlstate(err error) string {
	if e := (*pgconn.PgError)(nil); errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// conflicts reports whether a transaction was undone because of another one, so
// that it may be run again. A key that was taken meanwhile is found the next time.
func conflicts(err error) bool {
	switch sqlstate(err) {
	case "40001", "40P01", "23505", "23503":
		return true
	default:
		return false
	}
}

// outdated reports whether a statement that was prepared does not hold any more,
// as after DISCARD or a change of the schema.
func outdated(err error) bool {
	switch sqlstate(err) {
	case "26000", "0A000":
		return true
	default:
		return false
	}
}

// refusesWrites reports whether the server has become a standby.
func refusesWrites(err error) bool {
	return sqlstate(err) == "25006" || errors.Is(err, errReadOnly) || errors.Is(err, pgconn.ErrReadOnlyConnection)
}

// lost reports whether the tables are gone.
func lost(err error) bool { return sqlstate(err) == "42P01" || sqlstate(err) == "3F000" }

// full reports whether the server has no connection left, for us or for anybody.
func full(err error) bool { return sqlstate(err) == "53300" }

// ended reports whether somebody ended this one connection.
func ended(err error) bool { return sqlstate(err) == "57P01" }

// silent reports whether the server did not answer in time.
func silent(err error) bool {
	return sqlstate(err) == "" && (pgconn.Timeout(err) || errors.Is(err, context.DeadlineExceeded))
}

// cut reports whether the connection is gone.
func cut(err error) bool {
	switch sqlstate(err) {
	case "57P01", "57P02", "57P03", "57P05", "25P03": // shutdown, crash, starting up, idle for too long
		return true
	case "":
		return err != nil && !sqlstore.IsAnswer(err)
	default:
		return false
	}
}

// unavailable wraps what keeps the store from answering in ErrUnavailable, and
// says what an operator can do about it.
func (d *Driver) unavailable(err error) error {
	switch {
	case err == nil, sqlstore.IsAnswer(err), errors.Is(err, tokenstore.ErrUnavailable):
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("waiting for the store: %w: %w", tokenstore.ErrUnavailable, err)
	}
	if errors.Is(err, fs.ErrNotExist) {
		// A socket or a file is missing, which does not mean that there is no store.
		return fmt.Errorf("%w: %v", tokenstore.ErrUnavailable, err)
	}
	if advice := d.advice(err); advice != "" {
		return fmt.Errorf("%w: %s: %w", tokenstore.ErrUnavailable, advice, err)
	}
	return fmt.Errorf("%w: %w", tokenstore.ErrUnavailable, err)
}

// advice explains the codes that operators meet.
func (d *Driver) advice(err error) string {
	config := d.config.ConnConfig
	state := sqlstate(err)
	if errors.Is(err, errPrivilege) {
		state = "42501"
	}
	switch state {
	case "25006":
		return "the server takes no writes any more"
	case "53300":
		return "the server has no connection left: raise its max_connections or lower ours"
	case "57014", "55P03":
		return "a statement took longer than statement_timeout"
	case "28P01", "28000":
		return fmt.Sprintf("the server does not let the role %s in", config.User)
	case "3D000":
		return fmt.Sprintf("there is no database %s", config.Database)
	case "42P01", "3F000":
		return fmt.Sprintf("the tables in schema %s are gone", d.Schema)
	case "42501":
		return fmt.Sprintf("the role %[1]s lacks a privilege; as the owner: CREATE SCHEMA IF NOT EXISTS %[2]s; "+
			"GRANT USAGE, CREATE ON SCHEMA %[2]s TO %[1]s; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %[2]s TO %[1]s",
			config.User, d.Schema)
	default:
		return ""
	}
}
