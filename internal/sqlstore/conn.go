// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"io"
)

// A Session is a connection as a driver brings it. Statements are in the
// driver's dialect. It is not safe for concurrent use.
//
// Statements run to their end even if ctx ends meanwhile, or to the end of a
// bound of the session's own: each is a matter of microseconds, and to watch a
// context costs as much as a read. An Engine asks ctx before.
type Session interface {
	// Exec runs a statement and reports how many rows it affected.
	Exec(ctx context.Context, statement string, args ...any) (int64, error)

	// Query calls scan for each row. Scan must not use the session.
	Query(ctx context.Context, statement string, args []any, scan func(Scanner) error) error

	// Script runs several statements that nobody needs again.
	Script(ctx context.Context, statements string) error
}

// A Scanner reads the columns of a row into what dest points to: strings, byte
// slices and integers.
type Scanner interface{ Scan(dest ...any) error }

// A Conn is a Session that understands the statements of this package.
type Conn struct {
	session Session
	dialect *Dialect
}

// Over returns a Conn that uses a session.
func Over(session Session, dialect *Dialect) *Conn {
	return &Conn{session: session, dialect: dialect}
}

// Close closes the session, if it can be.
func (c *Conn) Close() error {
	if closer, ok := c.session.(io.Closer); ok {
		return closer.Close()
	}
	return nil
}

// Exec runs a statement and reports how many rows it affected.
func (c *Conn) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	return c.session.Exec(ctx, c.dialect.statement(query), args...)
}

// Row reads the first row, and reports whether there is one.
func (c *Conn) Row(ctx context.Context, query string, args []any, dest ...any) (found bool, err error) {
	err = c.Rows(ctx, query, args, func(row Scanner) error {
		if found {
			return nil
		}
		found = true
		return row.Scan(dest...)
	})
	return found, err
}

// Rows calls scan for each row. Scan must not use the connection.
func (c *Conn) Rows(ctx context.Context, query string, args []any, scan func(Scanner) error) error {
	return c.session.Query(ctx, c.dialect.statement(query), args, scan)
}

// script runs several statements that nobody needs again.
func (c *Conn) script(ctx context.Context, statements string) error {
	return c.session.Script(ctx, statements)
}
