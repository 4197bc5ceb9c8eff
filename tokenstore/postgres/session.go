// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/sqlstore"
)

// margin is how much longer than the server we wait for a statement: it says
// so when the time is over, and only one that is lost does not.
const margin = 500 * time.Millisecond

// A session is a connection in use. Its statements end by its own bound, and not
// with a caller's context, which would cost the connection.
type session struct {
	conn  *pgx.Conn
	limit time.Duration

	// attached says that the connection is nobody else's, so that statements may end
	// with the caller's context.
	attached bool

	// before is sent together with the next statement that changes something.
	before []string
}

func (d *Driver) session(conn *pgx.Conn) *session {
	return &session{conn: conn, limit: time.Duration(d.StatementTimeout) + margin}
}

func (s *session) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if !s.attached {
		ctx = context.WithoutCancel(ctx)
	}
	return context.WithTimeout(ctx, s.limit)
}

// Exec is sqlstore.Session's.
func (s *session) Exec(ctx context.Context, statement string, args ...any) (int64, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	if len(s.before) > 0 {
		return s.pipelined(ctx, statement, args)
	}
	tag, err := s.conn.Exec(ctx, statement, encoded(args)...)
	return tag.RowsAffected(), err
}

// pipelined sends what is due before a statement along with it.
func (s *session) pipelined(ctx context.Context, statement string, args []any) (n int64, err error) {
	var batch pgx.Batch
	for _, due := range s.before {
		batch.Queue(due)
	}
	s.before = nil
	batch.Queue(statement, encoded(args)...)
	results := s.conn.SendBatch(ctx, &batch)
	defer func() {
		if closeErr := results.Close(); err == nil {
			err = closeErr
		}
	}()
	for range batch.Len() {
		tag, err := results.Exec()
		if err != nil {
			return 0, err
		}
		n = tag.RowsAffected()
	}
	return n, nil
}

// Query is sqlstore.Session's.
func (s *session) Query(ctx context.Context, statement string, args []any, scan func(sqlstore.Scanner) error) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	rows, err := s.conn.Query(ctx, statement, encoded(args)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(scanner{rows}); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Script is sqlstore.Session's.
func (s *session) Script(ctx context.Context, statements string) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	_, err := s.conn.PgConn().Exec(ctx, statements).ReadAll()
	return err
}

// encoded makes bytes of text. The arguments are the caller's.
func encoded(args []any) []any {
	converted := make([]any, len(args))
	for i, arg := range args {
		if text, ok := arg.(string); ok {
			arg = []byte(text)
		}
		converted[i] = arg
	}
	return converted
}

// A scanner makes text of bytes.
type scanner struct{ rows pgx.Rows }

func (s scanner) Scan(dest ...any) error {
	var few [32]any // of which no row has more, so that nothing is allocated for it
	converted := append(few[:0], dest...)
	for i, d := range converted {
		if p, ok := d.(*string); ok {
			converted[i] = (*text)(p)
		}
	}
	return s.rows.Scan(converted...)
}

// text is a string that is kept as bytes.
type text string

// ScanBytes is pgtype.BytesScanner's.
func (t *text) ScanBytes(b []byte) error {
	*t = text(b)
	return nil
}
