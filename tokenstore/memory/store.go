// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package memory

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/hitlog"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// Store is a tokenstore.Store without a disk.
type Store struct {
	ops
	db *database
}

// New returns an empty store.
func New() *Store {
	db := &database{state: newState(), hits: hitlog.New(hitlog.DefaultBudget), watchers: make(map[*watcher]struct{})}
	return &Store{ops: ops{db}, db: db}
}

// Close ends the store, drops its data, and ends every Watch.
func (s *Store) Close() error {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	s.db.closed = true
	s.db.state, s.db.hits = newState(), hitlog.New(0)
	for w := range s.db.watchers {
		s.db.end(w, errClosed)
	}
	return nil
}

// errClosed is what a store answers after Close.
var errClosed = fmt.Errorf("memory store is closed: %w", tokenstore.ErrUnavailable)

// A guard lets functions at the state: one writer, or several readers. What a
// function did is undone if it returns an error, unless that is ErrReused, whose
// revocation is meant to stay.
type guard interface {
	read(ctx context.Context, f func(*state) error) error
	write(ctx context.Context, f func(*state) error) error
}

// ops are the methods that a store has in common with a transaction.
type ops struct{ guard }

// A database is the state with the lock that guards it.
type database struct {
	mu       sync.RWMutex
	state    *state
	hits     *hitlog.Log
	closed   bool
	watchers map[*watcher]struct{}
}

func (db *database) read(ctx context.Context, f func(*state) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	db.mu.RLock()
	defer db.mu.RUnlock()
	if db.closed {
		return errClosed
	}
	return f(db.state)
}

func (db *database) write(ctx context.Context, f func(*state) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		return errClosed
	}
	// A panic in f leaves the journal to the next writer, which must not mix it
	// with its own.
	done := false
	defer func() {
		if !done {
			db.state.rollback(savepoint{})
		}
	}()
	err := db.state.try(f)
	done = true
	db.publish(db.state.commit())
	return err
}

// try undoes what f did if it fails.
func (s *state) try(f func(*state) error) error {
	before := s.savepoint()
	err := f(s)
	if err != nil && !errors.Is(err, tokenstore.ErrReused) {
		s.rollback(before)
	}
	return err
}

// Interface guards
var (
	_ tokenstore.Store      = (*Store)(nil)
	_ tokenstore.Transactor = (*Store)(nil)
)
