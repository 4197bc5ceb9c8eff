// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"time"
)

// Hit is tokenstore.Store's. Events are kept in memory, since a write to the disk
// for each request would cost more than the request.
func (s *Store) Hit(ctx context.Context, key string, limit int, per time.Duration, now time.Time) (time.Duration, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if err := s.state.Load().err; err != nil {
		return 0, err
	}
	return s.hits.Hit(key, limit, per, now), nil
}

// Forget is tokenstore.Store's.
func (s *Store) Forget(ctx context.Context, key string) error {
	err := s.Ops.Forget(ctx, key)
	if err == nil {
		s.hits.Forget(key)
	}
	return err
}

// Sweep is tokenstore.Store's.
func (s *Store) Sweep(ctx context.Context, before time.Time, max int) (int, error) {
	n, err := s.Ops.Sweep(ctx, before, max)
	if err == nil {
		n += s.hits.Sweep(before, max-n)
	}
	return n, err
}

// Hit is tokenstore.Store's.
func (t *transaction) Hit(ctx context.Context, key string, limit int, per time.Duration, now time.Time) (wait time.Duration, err error) {
	err = t.Use(ctx, func() error {
		wait = t.hits.Hit(key, limit, per, now)
		return nil
	})
	return wait, err
}

// Forget is tokenstore.Store's.
func (t *transaction) Forget(ctx context.Context, key string) error {
	err := t.Ops.Forget(ctx, key)
	if err == nil {
		t.hits.Forget(key)
	}
	return err
}
