// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"errors"
)

// A Conn is one connection with the statements that were prepared on it. It is
// not safe for concurrent use.
//
// Statements run to their end even if ctx ends meanwhile: each is a matter of
// microseconds, and to watch a context costs as much as a read. An Engine asks
// ctx before.
type Conn struct {
	sql      *sql.Conn
	dialect  *Dialect
	prepared map[string]*sql.Stmt
}

// NewConn takes over a connection.
func NewConn(conn *sql.Conn, dialect *Dialect) *Conn {
	return &Conn{sql: conn, dialect: dialect, prepared: make(map[string]*sql.Stmt)}
}

// Close closes the statements and returns the connection to its pool.
func (c *Conn) Close() error {
	var errs []error
	for _, stmt := range c.prepared {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, c.sql.Close())...)
}

// Exec runs a statement and reports how many rows it affected.
func (c *Conn) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	ctx = context.WithoutCancel(ctx)
	stmt, err := c.prepare(ctx, query)
	if err != nil {
		return 0, err
	}
	result, err := stmt.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// Row reads the first row, and reports whether there is one.
func (c *Conn) Row(ctx context.Context, query string, args []any, dest ...any) (found bool, err error) {
	err = c.Rows(ctx, query, args, func(rows *sql.Rows) error {
		if found {
			return nil
		}
		found = true
		return rows.Scan(dest...)
	})
	return found, err
}

// Rows calls scan for each row. Scan must not use the connection.
func (c *Conn) Rows(ctx context.Context, query string, args []any, scan func(*sql.Rows) error) (err error) {
	ctx = context.WithoutCancel(ctx)
	stmt, err := c.prepare(ctx, query)
	if err != nil {
		return err
	}
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := rows.Close(); err == nil {
			err = closeErr
		}
	}()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// script runs several statements that nobody needs again.
func (c *Conn) script(ctx context.Context, statements string) error {
	_, err := c.sql.ExecContext(context.WithoutCancel(ctx), statements)
	return err
}

func (c *Conn) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if stmt, ok := c.prepared[query]; ok {
		return stmt, nil
	}
	stmt, err := c.sql.PrepareContext(ctx, c.dialect.statement(query))
	if err != nil {
		return nil, err
	}
	c.prepared[query] = stmt
	return stmt, nil
}
