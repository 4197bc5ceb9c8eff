// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package livestore

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const (
	touchInterval = 5 * time.Second
	touchTimeout  = 30 * time.Second // of writing all that is pending

	// maxTouches bounds how many credentials are pending. More are dropped:
	// the next use of the credential touches it again.
	maxTouches = 8192

	// touchBatch is how many are written in one transaction, so that a writer
	// who waits does not wait long.
	touchBatch = 128

	// touchSilence is how long failures are not logged after one was.
	touchSilence = time.Minute
)

// touches are what Touch was told and the store was not yet.
type touches struct {
	mu      sync.Mutex
	pending map[string]touch
}

type touch struct{ used, expires time.Time }

func (t touch) merge(other touch) touch {
	return touch{later(t.used, other.used), later(t.expires, other.expires)}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// Touch implements tokenstore.Store. It never waits: what it is told is written
// within seconds, and nobody decides by it.
func (s *Store) Touch(ctx context.Context, digest []byte, used, expires time.Time) error {
	if len(digest) < tokenstore.MinDigest || len(digest) > tokenstore.MaxDigest {
		return tokenstore.ErrTooLarge
	}
	if used.IsZero() || auth.DryRun(ctx) {
		return nil // without a time Expires is not raised either
	}
	s.shared.touches.add(string(digest), touch{used, expires})
	s.shared.begin()
	return nil
}

func (t *touches) add(digest string, new touch) {
	t.mu.Lock()
	defer t.mu.Unlock()
	old, ok := t.pending[digest]
	if !ok && len(t.pending) >= maxTouches {
		return
	}
	if t.pending == nil {
		t.pending = make(map[string]touch)
	}
	t.pending[digest] = old.merge(new)
}

func (t *touches) take() map[string]touch {
	t.mu.Lock()
	defer t.mu.Unlock()
	taken := t.pending
	t.pending = nil
	return taken
}

// flushTouches writes what is pending every few seconds.
func (s *shared) flushTouches() {
	var logged time.Time
	for s.sleep(touchInterval) {
		inner := s.inner.Load()
		if inner == nil {
			continue
		}
		ctx, cancel := context.WithTimeout(s.ctx, touchTimeout)
		err := s.writeTouches(ctx, *inner)
		cancel()
		if err != nil && s.ctx.Err() == nil && time.Since(logged) >= touchSilence {
			logged = time.Now()
			s.logger().Warn("writing when credentials were last used", zap.Error(err))
		}
	}
}

// writeTouches writes what is pending. What the store had no time for is
// pending again.
func (s *shared) writeTouches(ctx context.Context, inner tokenstore.Store) error {
	var failed error
	batch := make(map[string]touch, touchBatch)
	write := func() {
		if failed == nil {
			began := time.Now()
			failed = touchAll(ctx, inner, batch)
			s.observe("touch", began, failed)
		}
		if mayPass(failed) {
			for digest, t := range batch {
				s.touches.add(digest, t)
			}
		}
		clear(batch)
	}
	for digest, t := range s.touches.take() {
		batch[digest] = t
		if len(batch) == touchBatch {
			write()
		}
	}
	if len(batch) > 0 {
		write()
	}
	return failed
}

// mayPass reports whether what failed may succeed later.
func mayPass(err error) bool {
	return errors.Is(err, tokenstore.ErrUnavailable) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// touchAll writes a batch, at the price of one write where the store can.
func touchAll(ctx context.Context, inner tokenstore.Store, batch map[string]touch) error {
	all := func(to tokenstore.Store) error {
		for digest, t := range batch {
			if err := to.Touch(ctx, []byte(digest), t.used, t.expires); err != nil {
				return err
			}
		}
		return nil
	}
	transactor, ok := inner.(tokenstore.Transactor)
	if !ok || len(batch) == 1 {
		return all(inner)
	}
	return transactor.InTx(ctx, all)
}
