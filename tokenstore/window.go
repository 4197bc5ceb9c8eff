// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package tokenstore

import (
	"slices"
	"time"
)

// windowBuckets is how many parts a window has whose limit is above
// MaxExactHits.
const windowBuckets = 128

// A Window is the sliding log behind Store.Hit, the oldest events first: what a
// driver keeps under a key.
type Window []Mark

// A Mark stands for N events, the last of which happened at a time.
type Mark struct {
	At time.Time
	N  int
}

// Hit counts an event at now, unless limit events, which is 1 at least, happened
// within per before it. It returns the window to keep, or how long to wait. The
// window itself is left as it is.
func (w Window) Hit(limit int, per time.Duration, now time.Time) (next Window, wait time.Duration) {
	live := slices.DeleteFunc(slices.Clone(w), func(m Mark) bool { return !m.At.After(now.Add(-per)) })
	if wait := live.untilFree(limit, per, now); wait > 0 {
		return nil, wait
	}
	return live.count(MarkOf(limit, per, now)), 0
}

// untilFree returns how long it takes until less than limit events count.
func (w Window) untilFree(limit int, per time.Duration, now time.Time) time.Duration {
	excess := 1 - limit
	for _, m := range w {
		excess += m.N
	}
	if excess <= 0 {
		return 0
	}
	for _, m := range w {
		if excess -= m.N; excess <= 0 {
			return m.At.Add(per).Sub(now)
		}
	}
	return per
}

// count adds an event, which may be older than the last one.
func (w Window) count(at time.Time) Window {
	i, found := slices.BinarySearchFunc(w, at, func(m Mark, at time.Time) int { return m.At.Compare(at) })
	if found {
		w[i].N++
		return w
	}
	return slices.Insert(w, i, Mark{at, 1})
}

// MarkOf returns the time under which an event is counted: its own, or the end
// of its bucket, so that it leaves late and never early.
func MarkOf(limit int, per time.Duration, now time.Time) time.Time {
	width := per / windowBuckets
	if limit <= MaxExactHits || width <= 1 {
		return now
	}
	return now.Truncate(width).Add(width - 1)
}
