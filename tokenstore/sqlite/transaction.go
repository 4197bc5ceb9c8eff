// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"fmt"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/hitlog"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/sqlstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

var errInterrupted = fmt.Errorf("writing was interrupted: %w", tokenstore.ErrUnavailable)

// transact runs f in a transaction, which is undone if f fails or panics, unless
// sqlstore.Keeps the error.
func transact(ctx context.Context, conn *sqlstore.Conn, f func() error) (err error) {
	if _, err := conn.Exec(ctx, `BEGIN IMMEDIATE`); err != nil {
		return err
	}
	committed := false
	defer func() {
		if !committed {
			// It fails if SQLite has rolled back by itself, as it does when
			// the disk is full.
			_, _ = conn.Exec(ctx, `ROLLBACK`)
		}
	}()
	err = f()
	if !sqlstore.Keeps(err) {
		return err
	}
	if _, err := conn.Exec(ctx, `COMMIT`); err != nil {
		return err
	}
	committed = true
	return err
}

// transact is the function of that name on the connection that writes. The file
// is compared on both sides, since a transaction may wait for another process or,
// by InTx, take long, and a COMMIT into a deleted file succeeds.
func (h *handle) transact(ctx context.Context, f func() error) error {
	if err := h.check(); err != nil {
		return err
	}
	err := transact(ctx, h.writer.conn, f)
	if !sqlstore.Keeps(err) {
		return err
	}
	if lost := h.check(); lost != nil {
		return lost
	}
	return err
}

// within runs f in a transaction within the one under way.
func within(ctx context.Context, conn *sqlstore.Conn, f func() error) error {
	if _, err := conn.Exec(ctx, `SAVEPOINT one`); err != nil {
		return err
	}
	err := f()
	if !sqlstore.Keeps(err) {
		if _, undoErr := conn.Exec(ctx, `ROLLBACK TO one`); undoErr != nil {
			// SQLite has rolled everything back by itself, as it does when the
			// disk is full: then the cause is what counts.
			if !sqlstore.IsAnswer(err) {
				return err
			}
			return undoErr
		}
	}
	if _, err := conn.Exec(ctx, `RELEASE one`); err != nil {
		return err
	}
	return err
}

// Without room for the pages that it changes, a long transaction writes and reads
// them over and over, while others wait.
const (
	largeCache = `PRAGMA cache_size = -65536`
	smallCache = `PRAGMA ` + cachePragma
)

// InTx is tokenstore.Transactor's. Other writers wait until f returns.
func (s *Store) InTx(ctx context.Context, f func(tokenstore.Store) error) error {
	var own error // of f, which passes unchanged
	hits, committed := s.hits.Begin(), false
	defer func() { hits.End(committed) }()
	err := s.with(func(h *handle) error {
		return h.writer.exclusively(ctx, func(conn *sqlstore.Conn) error {
			if _, err := conn.Exec(ctx, largeCache); err != nil {
				return err
			}
			defer func() { _, _ = conn.Exec(ctx, smallCache) }() // more memory than needed does no harm
			return h.transact(ctx, func() error {
				tx := &transaction{conn: conn, hits: hits}
				tx.Unavailable = func(err error) error { return unavailable(h.file.path, err) }
				tx.Ops = sqlstore.Ops{Engine: tx, SweepBatch: sweepBatch}
				defer tx.End()
				own = f(tx)
				switch {
				case own != nil:
					return errUndone
				case tx.Broken() != nil:
					return tx.Broken()
				case ctx.Err() != nil:
					return ctx.Err()
				default:
					return tx.work.Report(ctx, conn)
				}
			})
		})
	})
	if own != nil {
		return own
	}
	committed = err == nil
	return err
}

// errUndone is never seen by anybody: the error of f takes its place.
var errUndone = fmt.Errorf("undone: %w", tokenstore.ErrStale)

// A transaction is the Store of InTx, and the Engine of its own Ops.
type transaction struct {
	sqlstore.Ops
	sqlstore.Guard
	work sqlstore.Work
	conn *sqlstore.Conn
	hits *hitlog.Transaction
}

// Read is sqlstore.Engine's.
func (t *transaction) Read(ctx context.Context, f func(*sqlstore.Conn) error) error {
	return t.Use(ctx, func() error { return f(t.conn) })
}

// Write is sqlstore.Engine's.
func (t *transaction) Write(ctx context.Context, f func(*sqlstore.Tx) error) error {
	return t.Use(ctx, func() error {
		return within(ctx, t.conn, func() error { return t.work.Do(ctx, t.conn, f) })
	})
}
