// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package memory

import (
	"context"
	"slices"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// buckets is how many parts a window has whose limit is too high to keep the
// time of every event.
const buckets = 128

// A counter is a sliding log of events. It is replaced, never changed, so that a
// transaction can be undone.
type counter struct {
	per   time.Duration
	marks []mark // the oldest first
}

// A mark stands for n events, the latest of which happened at that time.
type mark struct {
	at time.Time
	n  int
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
		return nil
	})
}

func (o ops) Hit(ctx context.Context, key string, limit int, per time.Duration, now time.Time) (wait time.Duration, err error) {
	if limit < 1 {
		// The read is for the errors of a store that is closed.
		return per, o.read(ctx, func(*state) error { return nil })
	}
	err = o.write(ctx, func(s *state) error {
		marks := slices.DeleteFunc(slices.Clone(s.counters[key].marks), func(m mark) bool {
			return !m.at.After(now.Add(-per))
		})
		if wait = untilFree(marks, limit, per, now); wait == 0 {
			put(s, s.counters, key, counter{per, count(marks, markOf(limit, per, now))})
		}
		return nil
	})
	return wait, err
}

// untilFree is how long it takes until fewer than limit events are in the
// window.
func untilFree(marks []mark, limit int, per time.Duration, now time.Time) time.Duration {
	excess := 1 - limit
	for _, m := range marks {
		excess += m.n
	}
	if excess <= 0 {
		return 0
	}
	for _, m := range marks {
		if excess -= m.n; excess <= 0 {
			return m.at.Add(per).Sub(now)
		}
	}
	return per
}

// markOf is when an event counts as: as what it is, or as the last of its
// bucket, so that it never leaves the window early.
func markOf(limit int, per time.Duration, now time.Time) time.Time {
	width := per / buckets
	if limit <= tokenstore.MaxExactHits || width <= 1 {
		return now
	}
	return now.Truncate(width).Add(width - 1)
}

// count adds an event, in order.
func count(marks []mark, at time.Time) []mark {
	i, found := slices.BinarySearchFunc(marks, at, func(m mark, at time.Time) int { return m.at.Compare(at) })
	if found {
		marks[i].n++
		return marks
	}
	return slices.Insert(marks, i, mark{at, 1})
}
