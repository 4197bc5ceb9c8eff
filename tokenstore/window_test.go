// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package tokenstore

import (
	"testing"
	"time"
)

// The waits are those that were measured of Django REST framework with 2 events
// a minute; its header is the wait rounded up.
func TestWindow_waits(t *testing.T) {
	start := time.Unix(1_500_000_000, 0)
	var w Window
	for range 2 {
		next, wait := w.Hit(2, time.Minute, start)
		if wait != 0 {
			t.Fatalf("within the limit: wait %s", wait)
		}
		w = next
	}
	for after, want := range map[time.Duration]time.Duration{
		0:                        time.Minute,
		30200 * time.Millisecond: 29800 * time.Millisecond,
		59900 * time.Millisecond: 100 * time.Millisecond,
		time.Minute:              0,
	} {
		if _, wait := w.Hit(2, time.Minute, start.Add(after)); wait != want {
			t.Errorf("after %s: wait %s, want %s", after, wait, want)
		}
	}
	if len(w) != 1 || w[0].N != 2 {
		t.Errorf("the window was changed: %v", w)
	}
}

// However many events, a window with a high limit has few marks, and none of
// them leaves early.
func TestWindow_bounded(t *testing.T) {
	now := time.Unix(1_500_000_000, 0)
	var w Window
	for range 5 * MaxExactHits {
		now = now.Add(time.Second)
		next, wait := w.Hit(10*MaxExactHits, time.Hour, now)
		if wait != 0 {
			t.Fatalf("within the limit: wait %s", wait)
		}
		w = next
	}
	if len(w) > windowBuckets+1 {
		t.Errorf("%d marks, want %d at most", len(w), windowBuckets+1)
	}
	counted := 0
	for _, m := range w {
		counted += m.N
	}
	if counted < 3600 {
		t.Errorf("%d events count, want at least the 3600 of the last hour", counted)
	}
}
