// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/sqlstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// sweepBatch takes about 30 ms on a slow disk.
const sweepBatch = 500

// Store is an open store. It outlives the loss of the database: then it is
// unavailable until that is back.
type Store struct {
	sqlstore.Ops

	driver *Driver
	id     string          // of the store in the database
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	state  atomic.Pointer[state]
	server server

	mu     sync.Mutex // guards closed, so that nothing begins after Close
	closed bool
	wg     sync.WaitGroup

	closing sync.Once
}

// state is a pool, or why there is none to use.
type state struct {
	pool *pgxpool.Pool
	err  error
}

func newStore(ctx context.Context, d *Driver, id string) (*Store, error) {
	s := &Store{driver: d, id: id}
	s.Ops = sqlstore.Ops{Engine: s, SweepBatch: sweepBatch}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	pool, err := s.newPool()
	if err != nil {
		s.cancel()
		return nil, err
	}
	s.state.Store(&state{pool: pool})
	return s, nil
}

// newPool makes a pool, each of whose connections is known to lead to the store: a
// name may come to mean another server at any time.
func (s *Store) newPool() (*pgxpool.Pool, error) {
	config := s.driver.config.Copy()
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		if err := s.driver.afterConnect(ctx, conn); err != nil {
			return err
		}
		if err := s.driver.recognize(ctx, conn, s.id); err != nil {
			return err
		}
		_, err := s.leads(ctx, conn)
		return err
	}
	return pgxpool.NewWithConfig(s.ctx, config)
}

// background runs f until Close, unless the store is closed.
func (s *Store) background(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.wg.Go(f)
	}
	return !s.closed
}

// Read is sqlstore.Engine's.
func (s *Store) Read(ctx context.Context, f func(*sqlstore.Conn) error) error {
	return s.do(ctx, func(conn *pgx.Conn, _ int) error {
		return f(sqlstore.Over(s.driver.session(conn), dialect))
	})
}

// Write is sqlstore.Engine's.
func (s *Store) Write(ctx context.Context, f func(*sqlstore.Tx) error) error {
	return s.do(ctx, func(conn *pgx.Conn, conflicts int) error {
		begin := optimistic
		if conflicts >= maxConflicts {
			begin = exclusive
		}
		return s.transact(ctx, conn, begin, func(se *session, work *sqlstore.Work) error {
			return work.Do(ctx, sqlstore.Over(se, dialect), f)
		})
	})
}

const (
	// maxConflicts is after how many conflicts a transaction waits until it is
	// alone, so that it succeeds however many there are.
	maxConflicts = 6

	// maxCut is how often a call tries another connection for one that is gone.
	maxCut = 3

	// A transaction is run again after a pause of up to minPause, twice as long
	// each time.
	minPause = 2 * time.Millisecond
)

// final is an error after which nothing may be done again.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

// do runs f on a connection, and again where an error says that it had no effect
// and may succeed now. F learns how many conflicts there were.
func (s *Store) do(ctx context.Context, f func(conn *pgx.Conn, conflicts int) error) error {
	deadline := time.Now().Add(time.Duration(s.driver.ConnectTimeout + s.driver.StatementTimeout))
	conflicted, broken := 0, 0
	for {
		if err := ctx.Err(); err != nil {
			return s.driver.unavailable(err)
		}
		st := s.state.Load()
		if st.err != nil {
			return st.err
		}
		err := s.once(ctx, st, func(conn *pgx.Conn) error { return f(conn, conflicted) })
		if err == nil || sqlstore.IsAnswer(err) {
			return err
		}
		s.judge(st, err)
		var last final
		if errors.As(err, &last) || time.Now().After(deadline) {
			return s.failed(err)
		}
		switch {
		case conflicts(err):
			if !s.pause(ctx, minPause<<min(conflicted, maxConflicts)) {
				return s.failed(goneError{ctx.Err()})
			}
			conflicted++
		case (cut(err) || outdated(err)) && !silent(err) && broken < maxCut || s.state.Load() != st:
			broken++
		default:
			return s.failed(err)
		}
	}
}

// pause waits for a part of d, and reports whether the caller still does.
func (s *Store) pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(rand.N(d)) // jitter, no secret
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// A goneError says that the caller waits no longer, which tells nothing of the
// server.
type goneError struct{ error }

func (e goneError) Unwrap() error { return e.error }

// A connectError says that there was no connection to be had.
type connectError struct{ error }

func (e connectError) Unwrap() error { return e.error }

// A busyError says that every connection was in use for as long as a caller waited,
// which tells nothing of the server.
type busyError struct{ connections int32 }

func (e busyError) Error() string {
	return fmt.Sprintf("all %d connections are in use: raise max_connections", e.connections)
}

// once runs f on a connection of the pool.
func (s *Store) once(ctx context.Context, st *state, f func(*pgx.Conn) error) error {
	waiting, cancel := context.WithTimeout(ctx, time.Duration(s.driver.ConnectTimeout)+margin)
	conn, err := st.pool.Acquire(waiting)
	cancel()
	switch {
	case err == nil:
		defer conn.Release()
		err := f(conn.Conn())
		if outdated(err) || refusesWrites(err) {
			hangUp(ctx, conn.Conn())
		}
		return err
	case ctx.Err() != nil:
		return final{goneError{ctx.Err()}}
	case waiting.Err() != nil && busy(st.pool):
		return final{busyError{st.pool.Config().MaxConns}}
	default:
		return connectError{err}
	}
}

// busy reports whether a pool has all the connections that it may have. One that
// is handed over just then counts too.
func busy(pool *pgxpool.Pool) bool {
	stat := pool.Stat()
	return stat.AcquiredConns()+stat.IdleConns() >= stat.MaxConns()
}

// failed makes an error the caller's, and has it logged if it is not about the
// caller alone.
func (s *Store) failed(err error) error {
	var gone goneError
	alone := errors.As(err, &gone)
	if err = s.driver.unavailable(err); !alone && s.ctx.Err() == nil {
		s.driver.reports.Failure(err)
	}
	return err
}

// closePatience is how long Close waits for calls and connections.
const closePatience = 5 * time.Second

// Close waits for what is under way, but not for a server that does not answer.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.mu.Lock()
		s.closed = true
		s.mu.Unlock()
		s.cancel()
		last := s.state.Swap(&state{err: errClosed})
		done := make(chan struct{})
		go func() {
			defer close(done)
			if last.pool != nil {
				last.pool.Close()
			}
			s.wg.Wait()
		}()
		select {
		case <-done:
		case <-time.After(closePatience):
		}
	})
	return nil
}

// Interface guards
var (
	_ tokenstore.Store      = (*Store)(nil)
	_ tokenstore.Transactor = (*Store)(nil)
	_ tokenstore.Verifier   = (*Store)(nil)
)
