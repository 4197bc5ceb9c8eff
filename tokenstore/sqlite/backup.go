// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Backup is tokenstore.Backuper's. The copy is made beside the file, so that the
// disk needs room for it, and holds all that was committed when it began.
func (s *Store) Backup(ctx context.Context, w io.Writer) error {
	var file *os.File
	defer func() {
		if file != nil {
			_ = file.Close()
			_ = os.Remove(file.Name())
		}
	}()
	err := s.examining(ctx, func(h *handle, conn *sql.Conn) (err error) {
		// SQLite fills an empty file, whose mode is that of a private one.
		if file, err = os.CreateTemp(filepath.Dir(h.file.path), ".rest_auth-backup-*"); err != nil {
			return err
		}
		// The copy is another database, which query_only forbids to write as well.
		if _, err := conn.ExecContext(ctx, `PRAGMA query_only = 0`); err != nil {
			return err
		}
		if _, err := conn.ExecContext(ctx, `VACUUM INTO ?`, file.Name()); err != nil {
			return fmt.Errorf("copying the store: %w", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	// Whoever takes the copy may be slow, or fail: neither is the store's affair.
	if _, err := io.Copy(w, file); err != nil {
		return fmt.Errorf("writing the copy: %w", err)
	}
	return nil
}

// checks find what should never be. Each reads one line per problem.
var checks = []string{
	`SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'`,
	`SELECT 'a row of ' || "table" || ' refers to a ' || parent || ' that is not there' FROM pragma_foreign_key_check`,
	`SELECT 'record ' || c.id || ' is of a user who is not there' FROM credentials c
		WHERE substr(c.user_key, 1, 6) = 'store:' AND NOT EXISTS (SELECT 1 FROM users u WHERE u.key = c.user_key)`,
}

// Verify is tokenstore.Verifier's.
func (s *Store) Verify(ctx context.Context) (problems []string, err error) {
	err = s.examining(ctx, func(h *handle, conn *sql.Conn) error {
		problems = nil
		for _, check := range checks {
			if err := lines(ctx, conn, check, &problems); err != nil {
				return err
			}
		}
		found, err := read(ctx, h.read)
		if err == nil && found.id != h.id {
			problems = append(problems, "the id of the store has changed since it was opened")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return problems, nil
}

func lines(ctx context.Context, conn *sql.Conn, query string, lines *[]string) error {
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return err
		}
		*lines = append(*lines, line)
	}
	return rows.Err()
}

// examining runs f, which may take long, on a connection of its own. It ends
// with ctx.
func (s *Store) examining(ctx context.Context, f func(*handle, *sql.Conn) error) error {
	return s.with(func(h *handle) error {
		if err := h.check(); err != nil {
			return err
		}
		return h.guest(ctx, func(conn *sql.Conn) error { return f(h, conn) })
	})
}
