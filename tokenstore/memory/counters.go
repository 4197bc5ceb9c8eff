// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package memory

import (
	"context"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// A counter is a sliding log of events. It is replaced, never changed, so that a
// transaction can be undone.
type counter struct {
	per    time.Duration
	window tokenstore.Window
}

func (o ops) Remember(ctx context.Context, key string, until time.Time) (fresh bool, err error) {
	err = o.write(ctx, func(s *state) error {
		known, ok := s.remembered[key]
		if fresh = !ok; fresh || until.After(known) {
			put(s, s.remembered, key, until)
		}
		return nil
	})
	return fresh, err
}

func (o ops) Known(ctx context.Context, key string) (known bool, err error) {
	err = o.read(ctx, func(s *state) error {
		_, known = s.remembered[key]
		return nil
	})
	return known, err
}

func (o ops) Forget(ctx context.Context, key string) error {
	return o.write(ctx, func(s *state) error {
		drop(s, s.remembered, key)
		drop(s, s.counters, key)
		drop(s, s.attempts, tokenstore.AttemptKey(key))
		return nil
	})
}

func (o ops) Hit(ctx context.Context, key string, limit int, per time.Duration, now time.Time) (wait time.Duration, err error) {
	if limit < 1 {
		// The read is for the errors of a store that is closed.
		return per, o.read(ctx, func(*state) error { return nil })
	}
	err = o.write(ctx, func(s *state) error {
		var next tokenstore.Window
		if next, wait = s.counters[key].window.Hit(limit, per, now); wait == 0 {
			put(s, s.counters, key, counter{per, next})
		}
		return nil
	})
	return wait, err
}
