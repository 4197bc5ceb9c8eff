// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/sqlstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// errRetired says that the handle was replaced before it was used.
var errRetired = errors.New("the file is being opened anew")

var errClosed = fmt.Errorf("sqlite store is closed: %w", tokenstore.ErrUnavailable)

// unavailable wraps what keeps the store from answering in ErrUnavailable, and
// names the file and the cause.
func unavailable(path string, err error) error {
	switch {
	case err == nil, sqlstore.IsAnswer(err), errors.Is(err, tokenstore.ErrUnavailable):
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("waiting for the store: %w: %w", tokenstore.ErrUnavailable, err)
	}
	if cause := causes[code(err)]; cause != "" {
		return fmt.Errorf("%w: %s: %s: %w", tokenstore.ErrUnavailable, path, cause, err)
	}
	return fmt.Errorf("%w: %s: %w", tokenstore.ErrUnavailable, path, err)
}

// causes explain SQLite's primary result codes to an operator.
var causes = map[int]string{
	sqlite3.SQLITE_BUSY:     "locked by another process for longer than busy_timeout",
	sqlite3.SQLITE_LOCKED:   "locked by another connection",
	sqlite3.SQLITE_FULL:     "the disk is full",
	sqlite3.SQLITE_READONLY: "the file, or its directory, is read-only",
	sqlite3.SQLITE_PERM:     "no permission to use the file",
	sqlite3.SQLITE_CANTOPEN: "the file, or its journal, cannot be opened",
	sqlite3.SQLITE_IOERR:    "reading or writing the file failed",
	sqlite3.SQLITE_CORRUPT:  "the file is damaged: restore a backup",
	sqlite3.SQLITE_NOTADB:   "the file is no SQLite database",
	sqlite3.SQLITE_NOMEM:    "out of memory",
}

// code returns SQLite's primary result code, or 0.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// passes reports whether the cause of an error goes away by itself, without the
// file being opened anew.
func passes(err error) bool {
	switch code(err) {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_NOMEM:
		return true
	default:
		return sqlstore.IsAnswer(err) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	}
}
