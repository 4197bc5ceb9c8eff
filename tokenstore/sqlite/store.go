// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/hitlog"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/sqlstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// sweepBatch takes about 10 ms on a slow disk.
const sweepBatch = 100

// Store is an open file. It outlives the loss of the file: then it is
// unavailable until the file is back.
type Store struct {
	sqlstore.Ops

	driver *Driver
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	state  atomic.Pointer[state]
	hits   *hitlog.Log   // outlives the loss of the file too
	wake   chan struct{} // asks for the file to be opened anew

	mu     sync.Mutex // guards closed, so that nothing begins after Close
	closed bool
	wg     sync.WaitGroup

	retiring sync.WaitGroup // handles that close; only maintain adds to it

	closing sync.Once
	failure error // of Close
}

// state is an open handle, or why there is none to use. A handle beside an error
// is that of a lost file: as long as it is open its inode cannot be given to
// another file, and if the file comes back it is used again.
type state struct {
	handle *handle
	err    error
}

// newStore serves from an open handle.
func newStore(ctx context.Context, d *Driver, h *handle) *Store {
	s := &Store{driver: d, hits: hitlog.New(hitlog.DefaultBudget), wake: make(chan struct{}, 1)}
	s.Ops = sqlstore.Ops{Engine: s, SweepBatch: sweepBatch}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	s.state.Store(&state{handle: h})
	s.background(s.maintain)
	return s
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
	return s.with(func(h *handle) error { return h.using(ctx, f) })
}

// Write is sqlstore.Engine's.
func (s *Store) Write(ctx context.Context, f func(*sqlstore.Tx) error) error {
	return s.with(func(h *handle) error { return h.writer.do(ctx, f) })
}

// with runs f with the open handle, and looks after its errors.
func (s *Store) with(f func(*handle) error) error {
	for {
		st := s.state.Load()
		if st.err != nil {
			return st.err
		}
		err := f(st.handle)
		if err == nil || sqlstore.IsAnswer(err) {
			return err
		}
		if err != errRetired {
			return s.failed(err)
		}
	}
}

func (s *Store) failed(err error) error {
	if !passes(err) {
		s.suspect()
	}
	var lost *moved // which maintain reports
	quiet := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &lost)
	err = unavailable(s.driver.Path, err)
	if !quiet {
		s.driver.reports.Failure(err)
	}
	return err
}

// Close waits for what is under way.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.cancel()
		last := s.state.Swap(&state{err: errClosed})
		if last.handle != nil {
			close(last.handle.retired)
			s.failure = last.handle.close()
		}
		s.mu.Lock()
		s.closed = true
		s.mu.Unlock()
		s.wg.Wait()
		s.retiring.Wait()
	})
	return s.failure
}

// Interface guards
var (
	_ tokenstore.Store      = (*Store)(nil)
	_ tokenstore.Transactor = (*Store)(nil)
	_ tokenstore.Backuper   = (*Store)(nil)
	_ tokenstore.Verifier   = (*Store)(nil)
)
