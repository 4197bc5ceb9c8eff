// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/sqlstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// exclusiveInTx leaves f time between its calls.
const exclusiveInTx = exclusive + `; SET LOCAL idle_in_transaction_session_timeout = '10s'`

// InTx is tokenstore.Transactor's. F runs once. Other writers, of other hosts
// too, wait until it returns; readers do not.
func (s *Store) InTx(ctx context.Context, f func(tokenstore.Store) error) error {
	var own error // of f, which passes unchanged
	err := s.do(ctx, func(conn *pgx.Conn, _ int) error {
		called := false
		err := s.transact(ctx, conn, exclusiveInTx, func(se *session, work *sqlstore.Work) error {
			called = true
			tx := &transaction{session: se, work: work}
			tx.Unavailable = s.driver.unavailable
			tx.Ops = sqlstore.Ops{Engine: tx, SweepBatch: sweepBatch}
			defer tx.End()
			own = f(tx)
			broken := tx.Broken()
			if broken == nil && own != nil {
				return errUndone
			}
			return broken // also if f gave another reason: others have to know
		})
		if err != nil && called {
			return final{err}
		}
		return err
	})
	if own != nil {
		return own
	}
	return err
}

// errUndone is never seen by anybody: the error of f takes its place.
var errUndone = fmt.Errorf("undone: %w", tokenstore.ErrStale)

// A transaction is the Store of InTx, and the Engine of its own Ops.
type transaction struct {
	sqlstore.Ops
	sqlstore.Guard
	work    *sqlstore.Work
	session *session
	saved   bool // whether there is a savepoint
}

// Read is sqlstore.Engine's.
func (t *transaction) Read(ctx context.Context, f func(*sqlstore.Conn) error) error {
	return t.Use(ctx, func() error { return f(sqlstore.Over(t.session, dialect)) })
}

// Write is sqlstore.Engine's.
func (t *transaction) Write(ctx context.Context, f func(*sqlstore.Tx) error) error {
	return t.Use(ctx, func() error { return t.within(ctx, f) })
}

const savepoint = `SAVEPOINT one`

// within runs f in a transaction within the one under way. The savepoint goes
// along with the first statement that changes something, and is left for the next
// one to release: neither costs a round trip.
func (t *transaction) within(ctx context.Context, f func(*sqlstore.Tx) error) error {
	t.session.before = []string{savepoint}
	if t.saved {
		t.session.before = []string{`RELEASE ` + savepoint, savepoint}
	}
	err := t.work.Do(ctx, sqlstore.Over(t.session, dialect), f)
	wrote := len(t.session.before) == 0
	t.session.before = nil
	t.saved = t.saved || wrote
	if wrote && !sqlstore.Keeps(err) && sqlstore.IsAnswer(err) {
		if undoErr := t.session.Script(ctx, `ROLLBACK TO `+savepoint); undoErr != nil {
			return undoErr
		}
	}
	return err
}
