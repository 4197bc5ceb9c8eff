// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"errors"
)

// database is a Session over database/sql, with the statements that were
// prepared on it.
type database struct {
	conn     *sql.Conn
	prepared map[string]*sql.Stmt
}

// NewConn takes over a connection of database/sql.
func NewConn(conn *sql.Conn, dialect *Dialect) *Conn {
	return Over(&database{conn: conn, prepared: make(map[string]*sql.Stmt)}, dialect)
}

// Close closes the statements and returns the connection to its pool.
func (d *database) Close() error {
	var errs []error
	for _, stmt := range d.prepared {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, d.conn.Close())...)
}

func (d *database) Exec(ctx context.Context, statement string, args ...any) (int64, error) {
	ctx = context.WithoutCancel(ctx)
	stmt, err := d.prepare(ctx, statement)
	if err != nil {
		return 0, err
	}
	result, err := stmt.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (d *database) Query(ctx context.Context, statement string, args []any, scan func(Scanner) error) (err error) {
	ctx = context.WithoutCancel(ctx)
	stmt, err := d.prepare(ctx, statement)
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

func (d *database) Script(ctx context.Context, statements string) error {
	_, err := d.conn.ExecContext(context.WithoutCancel(ctx), statements)
	return err
}

func (d *database) prepare(ctx context.Context, statement string) (*sql.Stmt, error) {
	if stmt, ok := d.prepared[statement]; ok {
		return stmt, nil
	}
	stmt, err := d.conn.PrepareContext(ctx, statement)
	if err != nil {
		return nil, err
	}
	d.prepared[statement] = stmt
	return stmt, nil
}
