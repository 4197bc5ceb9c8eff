// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package livestore

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// patience is how long the last Release waits for operations under way, and
// then for what is pending to be written.
const patience = 5 * time.Second

var errClosed = errors.New("the store was closed")

// shared is what all configurations that name one place have in common.
type shared struct {
	driver tokenstore.Driver
	ctx    context.Context // ends with the last Release
	cancel context.CancelFunc

	inner   atomic.Pointer[tokenstore.Store] // nil until it is open
	current atomic.Pointer[Options]          // of the latest use

	opening  opening
	feed     feed
	touches  touches
	begun    sync.Once
	followed sync.Once

	mu     sync.Mutex
	uses   []*Store
	closed bool
	busy   sync.WaitGroup // operations and goroutines; added to under mu
}

func newShared(driver tokenstore.Driver, options *Options) *shared {
	s := &shared{driver: driver}
	s.ctx, s.cancel = context.WithCancel(context.Background()) // no request's: it outlives configurations
	s.current.Store(options)
	s.opening.init()
	return s
}

// begin has the store opened and touches written.
func (s *shared) begin() {
	s.begun.Do(func() {
		s.goes(s.open)
		s.goes(s.flushTouches)
	})
}

func (s *shared) start() {
	s.begin()
	s.followed.Do(func() {
		s.goes(s.follow)
		s.goes(s.sweep)
	})
}

// join makes u's options those of the background.
func (s *shared) join(u *Store) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uses = append(s.uses, u)
	s.current.Store(&u.options)
}

// part gives the background back to the latest use that is left: a
// configuration that failed to load parts before the one that stays.
func (s *shared) part(u *Store) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uses = slices.DeleteFunc(s.uses, func(other *Store) bool { return other == u })
	if n := len(s.uses); n > 0 {
		s.current.Store(&s.uses[n-1].options)
	}
}

// enter keeps the store from being closed until leave.
func (s *shared) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.busy.Add(1)
	return true
}

func (s *shared) leave() { s.busy.Done() }

// goes runs f in the background, unless the store was closed.
func (s *shared) goes(f func()) {
	if s.enter() {
		go func() {
			defer s.leave()
			f()
		}()
	}
}

// Destruct closes the store. The pool calls it after the last Release.
func (s *shared) Destruct() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()

	idle := make(chan struct{})
	go func() {
		s.busy.Wait()
		close(idle)
	}()
	select {
	case <-idle:
	case <-time.After(patience):
		s.logger().Warn("closing a token store that is in use")
	}
	s.feed.down(errClosed)

	inner := s.inner.Swap(nil)
	if inner == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), patience)
	defer cancel()
	if err := s.writeTouches(ctx, *inner); err != nil {
		s.logger().Warn("losing when credentials were last used", zap.Error(err))
	}
	return (*inner).Close()
}

func (s *shared) logger() *zap.Logger { return s.current.Load().Logger }

func (s *shared) observe(operation string, began time.Time, err error) {
	s.current.Load().Observe(operation, time.Since(began), err)
}

// sleep waits, and reports whether the store is still in use.
func (s *shared) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.ctx.Done():
		return false
	}
}
