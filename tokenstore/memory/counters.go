// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package memory

import (
	"context"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func (o ops) Remember(ctx context.Context, key string, until time.Time) (fresh bool, err error) {
	err = o.write(ctx, func(s *state) error {
		known, ok := s.remembered[key]
		if fresh = !ok; fresh || until.After(known) {
			put(s, s.remembered, key, until)
			if fresh {
				s.schedule.expect(mortal{mortalKey, key}, until)
			}
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
		drop(s, s.attempts, tokenstore.AttemptKey(key))
		return nil
	})
}

// Hit asks for the lock only to see whether the store is open.
func (s *Store) Hit(ctx context.Context, key string, limit int, per time.Duration, now time.Time) (wait time.Duration, err error) {
	err = s.db.read(ctx, func(*state) error {
		wait = s.db.hits.Hit(key, limit, per, now)
		return nil
	})
	return wait, err
}

// Forget is that of ops, and forgets events.
func (s *Store) Forget(ctx context.Context, key string) error {
	err := s.ops.Forget(ctx, key)
	if err == nil {
		s.db.hits.Forget(key)
	}
	return err
}

// Sweep is that of ops, and sweeps events.
func (s *Store) Sweep(ctx context.Context, before time.Time, max int) (int, error) {
	n, err := s.ops.Sweep(ctx, before, max)
	if err == nil {
		n += s.db.hits.Sweep(before, max-n)
	}
	return n, err
}

func (t *transaction) Hit(ctx context.Context, key string, limit int, per time.Duration, now time.Time) (wait time.Duration, err error) {
	err = t.read(ctx, func(*state) error {
		wait = t.hits.Hit(key, limit, per, now)
		return nil
	})
	return wait, err
}

func (t *transaction) Forget(ctx context.Context, key string) error {
	err := t.ops.Forget(ctx, key)
	if err == nil {
		t.hits.Forget(key)
	}
	return err
}
