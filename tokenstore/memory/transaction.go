// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package memory

import (
	"context"
	"errors"
	"sync"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/hitlog"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// errEnded is what the store of a transaction answers after it.
var errEnded = errors.New("transaction has ended")

// A transaction is the store that InTx hands out.
type transaction struct {
	ops
	mu    sync.Mutex
	state *state
	hits  *hitlog.Transaction
	ended bool
}

// InTx does what f does as one. Everybody else waits meanwhile.
func (s *Store) InTx(ctx context.Context, f func(tokenstore.Store) error) error {
	err := s.db.write(ctx, func(st *state) error {
		tx := &transaction{state: st, hits: s.db.hits.Begin()}
		tx.ops = ops{tx}
		committed := false
		defer func() {
			tx.end()
			tx.hits.End(committed)
		}()
		err := f(tx)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return &undone{err}
		}
		committed = true
		return nil
	})
	var u *undone
	if errors.As(err, &u) {
		return u.cause
	}
	return err
}

// undone hides an error of f from the guard, which would keep what was done if it
// were ErrReused.
type undone struct{ cause error }

func (u *undone) Error() string { return u.cause.Error() }

func (t *transaction) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
}

// read takes the same lock as write, since f may have goroutines of its own.
func (t *transaction) read(ctx context.Context, f func(*state) error) error {
	return t.write(ctx, f)
}

func (t *transaction) write(ctx context.Context, f func(*state) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return errEnded
	}
	return t.state.try(f)
}

// Close does nothing: the transaction ends with f.
func (t *transaction) Close() error { return nil }
