// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package hitlog

import (
	"math"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// A window is a ring of marks, the oldest first: what tokenstore.Window is, at a
// quarter of the memory, and without a copy for each event.
type window struct {
	at    []int64  // nanoseconds of a mark
	n     []uint32 // its events; nil while each mark is one event
	head  int      // where the oldest is
	marks int
	total int // events

	limit int           // of the latest event
	per   time.Duration // of it
}

// hit counts an event unless it comes too soon, as tokenstore.Window.Hit does.
func (w *window) hit(limit int, per time.Duration, now time.Time) (wait time.Duration) {
	gone, live := w.expired(now.UnixNano(), per)
	if live >= limit {
		return w.untilFree(gone, live-limit+1, per, now.UnixNano())
	}
	w.drop(gone, w.total-live)
	w.limit, w.per = limit, per
	at := tokenstore.MarkOf(limit, per, now).UnixNano()
	if !w.count(at, limit > tokenstore.MaxExactHits) {
		w.insert(at, limit)
	}
	w.total++
	return 0
}

// expired returns how many marks count no more, and how many events still do.
func (w *window) expired(now int64, per time.Duration) (marks, live int) {
	live = w.total
	for marks < w.marks && now-w.at[w.place(marks)] >= int64(per) {
		live -= w.events(marks)
		marks++
	}
	return marks, live
}

// untilFree returns how long it takes until excess events have left.
func (w *window) untilFree(gone, excess int, per time.Duration, now int64) time.Duration {
	if w.n == nil {
		gone, excess = gone+excess-1, 1
	}
	for i := gone; i < w.marks; i++ {
		if excess -= w.events(i); excess <= 0 {
			return time.Duration(w.at[w.place(i)] - now + int64(per))
		}
	}
	return per
}

func (w *window) drop(marks, events int) {
	w.head, w.marks, w.total = w.place(marks), w.marks-marks, w.total-events
}

// count adds an event to the mark of that time, if there is one. Where marks are
// buckets they have numbers.
func (w *window) count(at int64, buckets bool) bool {
	if buckets && w.n == nil {
		w.n = make([]uint32, len(w.at))
		for i := range w.n {
			w.n[i] = 1
		}
	}
	if w.n == nil {
		return false
	}
	for i := w.marks - 1; i >= 0 && w.at[w.place(i)] >= at; i-- {
		if w.at[w.place(i)] == at {
			w.n[w.place(i)]++
			return true
		}
	}
	return false
}

// insert adds a mark of one event, which may be older than the latest.
func (w *window) insert(at int64, limit int) {
	if w.marks == len(w.at) {
		w.grow(limit)
	}
	i := w.marks
	w.marks++
	for ; i > 0 && w.at[w.place(i-1)] > at; i-- {
		w.at[w.place(i)] = w.at[w.place(i-1)]
		if w.n != nil {
			w.n[w.place(i)] = w.n[w.place(i-1)]
		}
	}
	w.at[w.place(i)] = at
	if w.n != nil {
		w.n[w.place(i)] = 1
	}
}

// grow doubles the ring, but not beyond what the limit allows to be in it.
func (w *window) grow(limit int) {
	size := max(2*len(w.at), firstMarks)
	if limit <= tokenstore.MaxExactHits {
		size = max(min(size, limit), w.marks+1)
	}
	at := make([]int64, size)
	for i := range w.marks {
		at[i] = w.at[w.place(i)]
	}
	if w.n != nil {
		n := make([]uint32, size)
		for i := range w.marks {
			n[i] = w.n[w.place(i)]
		}
		w.n = n
	}
	w.at, w.head = at, 0
}

// uncount takes an event back that was counted under this mark.
func (w *window) uncount(at int64) {
	for i := w.marks - 1; i >= 0; i-- {
		if w.at[w.place(i)] != at {
			continue
		}
		w.total--
		if w.n != nil && w.n[w.place(i)] > 1 {
			w.n[w.place(i)]--
			return
		}
		for ; i < w.marks-1; i++ {
			w.at[w.place(i)] = w.at[w.place(i+1)]
			if w.n != nil {
				w.n[w.place(i)] = w.n[w.place(i+1)]
			}
		}
		w.marks--
		return
	}
}

// ends is when the last event counts no more.
func (w *window) ends() int64 {
	if w.marks == 0 {
		return math.MinInt64
	}
	last := w.at[w.place(w.marks-1)]
	if last > math.MaxInt64-int64(w.per) {
		return math.MaxInt64
	}
	return last + int64(w.per)
}

// place is where the mark of a number is in the ring.
func (w *window) place(i int) int {
	if i += w.head; i >= len(w.at) {
		i -= len(w.at)
	}
	return i
}

func (w *window) events(i int) int {
	if w.n == nil {
		return 1
	}
	return int(w.n[w.place(i)])
}
