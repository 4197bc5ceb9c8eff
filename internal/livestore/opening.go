// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package livestore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const (
	// openWait is how long an operation waits for the first attempt to open.
	openWait = 2 * time.Second

	// A failed attempt is repeated after openMin to openMax: the soonest if
	// there is work, later and later if there is none.
	openMin = 250 * time.Millisecond
	openMax = 2 * time.Second
)

var errOpening = errors.New("the store is still being opened")

// opening is the state of the way to an open store.
type opening struct {
	settled chan struct{} // closed after the first attempt
	opened  chan struct{} // closed when the store is open
	wanted  chan struct{} // says that an operation met a closed store
	settle  func()

	mu  sync.Mutex
	err error
}

func (o *opening) init() {
	o.settled = make(chan struct{})
	o.opened = make(chan struct{})
	o.wanted = make(chan struct{}, 1)
	o.settle = sync.OnceFunc(func() { close(o.settled) })
}

func (s *shared) openError() error {
	s.opening.mu.Lock()
	defer s.opening.mu.Unlock()
	return s.opening.err
}

// open tries until the store is open.
func (s *shared) open() {
	complained := complaints{}
	slow := time.AfterFunc(openWait, func() {
		s.logger().Warn("opening the token store takes long; until then requests that need it are refused")
	})
	defer slow.Stop()
	for delay := openMin; ; delay = min(2*delay, openMax) {
		began := time.Now()
		inner, err := s.driver.Open(s.ctx)
		s.observe("open", began, err)
		if err == nil {
			if s.ctx.Err() != nil {
				_ = inner.Close() // nobody waits for it any more
				return
			}
			s.opened(inner)
			if !slow.Stop() || len(complained) > 0 {
				s.logger().Info("token store is open")
			}
			return
		}
		if s.ctx.Err() != nil {
			return
		}
		s.opening.mu.Lock()
		s.opening.err = err
		s.opening.mu.Unlock()
		s.opening.settle()
		slow.Stop()
		if complained.isNew(err) {
			s.logger().Error("opening token store", zap.Error(err))
		}
		if !s.sleep(openMin) || !s.sleepUnlessWanted(delay-openMin) {
			return
		}
	}
}

func (s *shared) opened(inner tokenstore.Store) {
	s.opening.mu.Lock()
	s.opening.err = nil
	s.opening.mu.Unlock()
	s.inner.Store(&inner)
	close(s.opening.opened)
	s.opening.settle()
}

// use returns the driver's store; leave must follow unless there is an error.
// It waits for the first attempt to open alone: while a store is absent, a
// queue of requests would help nobody.
func (s *shared) use(ctx context.Context) (tokenstore.Store, error) {
	if !s.enter() {
		return nil, unavailable(errClosed)
	}
	inner := s.inner.Load()
	if inner == nil {
		if err := s.await(ctx); err != nil {
			s.leave()
			return nil, unavailable(err)
		}
		if inner = s.inner.Load(); inner == nil {
			s.leave()
			return nil, unavailable(errClosed)
		}
	}
	return *inner, nil
}

// await returns nil once the store is open.
func (s *shared) await(ctx context.Context) error {
	s.begin()
	timer := time.NewTimer(openWait)
	defer timer.Stop()
	select {
	case <-s.opening.settled:
	case <-timer.C:
		return errOpening
	case <-ctx.Done():
		return fmt.Errorf("waiting for the store: %w", context.Cause(ctx))
	case <-s.ctx.Done():
		return errClosed
	}
	select {
	case <-s.opening.opened:
		return nil
	default:
	}
	select {
	case s.opening.wanted <- struct{}{}:
	default: // said already
	}
	if err := s.openError(); err != nil {
		return fmt.Errorf("opening: %w", err)
	}
	return errOpening
}

func (s *shared) sleepUnlessWanted(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.opening.wanted:
		return true
	case <-s.ctx.Done():
		return false
	}
}

func unavailable(err error) error {
	return fmt.Errorf("%w: %w", tokenstore.ErrUnavailable, err)
}

// complaints are the texts that were logged since something failed. They are
// few: a text that never repeats would fill the log.
type complaints map[string]struct{}

const maxComplaints = 8

func (c complaints) isNew(err error) bool {
	text := err.Error()
	if _, known := c[text]; known || len(c) >= maxComplaints {
		return false
	}
	c[text] = struct{}{}
	return true
}
