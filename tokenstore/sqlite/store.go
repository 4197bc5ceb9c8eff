// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/sqlstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const (
	// sweepBatch takes about 30 ms on a slow disk.
	sweepBatch = 500

	checkEvery = time.Second
)

// Store is an open file. It outlives the loss of the file: then it is
// unavailable until the file is back.
type Store struct {
	sqlstore.Ops

	driver *Driver
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	state  atomic.Pointer[state]
	wake   chan struct{} // asks for the file to be opened anew
	wg     sync.WaitGroup

	closing sync.Once
	closed  error
}

// state is an open handle, or why there is none.
type state struct {
	handle *handle
	err    error
}

// newStore serves from an open handle.
func newStore(ctx context.Context, d *Driver, h *handle) *Store {
	s := &Store{driver: d, wake: make(chan struct{}, 1)}
	s.Ops = sqlstore.Ops{Engine: s, SweepBatch: sweepBatch}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	s.state.Store(&state{handle: h})
	s.wg.Go(s.maintain)
	return s
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
		if err == nil || isAnswer(err) {
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
	return unavailable(s.driver.Path, err)
}

// suspect has the file examined and opened anew.
func (s *Store) suspect() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// maintain looks after the file: once a second, and soon after an error that is
// not known to pass.
func (s *Store) maintain() {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	var reopened time.Time
	for {
		again := false
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
		case <-s.wake:
			again = time.Since(reopened) > checkEvery
		}
		st := s.state.Load()
		if st.err == nil && !again && st.handle.check() == nil {
			continue
		}
		if st.err != nil && time.Since(reopened) < checkEvery/2 {
			continue
		}
		reopened = time.Now()
		s.reopen(st)
	}
}

// reopen replaces the handle, or the reason for which there is none.
func (s *Store) reopen(old *state) {
	next := new(state)
	if old.handle != nil {
		if err := old.handle.check(); err != nil {
			// Nobody may use what is lost while its successor is looked for.
			down := &state{err: s.driver.lost(err)}
			if !s.replace(old, down) {
				return
			}
			old = down
		}
	}
	next.handle, next.err = s.driver.connect(s.ctx, existing)
	switch {
	case s.ctx.Err() != nil:
		// Close has put the last state, or will.
		if next.handle != nil {
			next.handle.abandon()
		}
		return
	case next.err == nil:
		s.driver.logger.Info("store was opened anew", zap.String("file", s.driver.Path))
	case errors.Is(next.err, errNoStore):
		next.err = s.driver.lost(next.err)
	}
	s.driver.report(next.err)
	if !s.replace(old, next) && next.handle != nil {
		next.handle.abandon()
	}
}

// replace puts one state in the place of another, unless it is another already.
func (s *Store) replace(old, next *state) bool {
	if !s.state.CompareAndSwap(old, next) {
		return false
	}
	if old.handle != nil {
		close(old.handle.retired)
		s.wg.Go(func() {
			if err := old.handle.close(); err != nil {
				s.driver.logger.Debug("closing a lost file", zap.String("file", s.driver.Path), zap.Error(err))
			}
		})
	}
	return true
}

// Close waits for what is under way.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.cancel()
		last := s.state.Swap(&state{err: errClosed})
		if last.handle != nil {
			close(last.handle.retired)
			s.closed = last.handle.close()
		}
		s.wg.Wait()
	})
	return s.closed
}

// Interface guards
var (
	_ tokenstore.Store      = (*Store)(nil)
	_ tokenstore.Transactor = (*Store)(nil)
	_ tokenstore.Backuper   = (*Store)(nil)
	_ tokenstore.Verifier   = (*Store)(nil)
)
