// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// hit counts an event of a window of a minute.
func (f *fixture) hit(key string, limit int, now time.Time) time.Duration {
	f.Helper()
	wait, err := f.store.Hit(f.Context(), key, limit, time.Minute, now)
	f.ok(err)
	return wait
}

// hits fails the test unless the event is answered with this wait.
func (f *fixture) hits(key string, limit int, now time.Time, want time.Duration) {
	f.Helper()
	if got := f.hit(key, limit, now); got != want {
		f.Fatalf("Hit(%q, %d) at %v = %v, want %v", key, limit, now.Sub(t0), got, want)
	}
}

var counterTests = []test{
	{"slide as those of Django REST framework", func(f *fixture) {
		f.hits("a", 2, t0, 0)
		f.hits("a", 2, t0, 0)
		f.hits("a", 2, t0, time.Minute)
		f.hits("a", 2, at(30200*time.Millisecond), 29800*time.Millisecond)
		f.hits("a", 2, at(time.Minute-time.Microsecond), time.Microsecond)
		f.hits("a", 2, at(time.Minute), 0)
		f.hits("a", 2, at(time.Minute), 0)
		f.hits("a", 2, at(time.Minute), time.Minute)
	}},
	{"wait for the oldest event", func(f *fixture) {
		for _, s := range []time.Duration{0, 10, 20} {
			f.hits("a", 3, at(s*time.Second), 0)
		}
		f.hits("a", 3, at(30*time.Second), 30*time.Second)
		f.hits("a", 3, at(60*time.Second), 0)
		f.hits("a", 3, at(61*time.Second), 9*time.Second)
	}},
	{"do not count what they deny", func(f *fixture) {
		f.hits("a", 1, t0, 0)
		for s := time.Duration(1); s < 60; s++ {
			f.hits("a", 1, at(s*time.Second), (60-s)*time.Second)
		}
		f.hits("a", 1, at(time.Minute), 0)
	}},
	{"keep keys apart", func(f *fixture) {
		f.hits("a", 1, t0, 0)
		f.hits("b", 1, t0, 0)
		f.hits("A", 1, t0, 0)
		f.hits("a", 1, t0, time.Minute)
	}},
	{"obey a limit that was lowered or raised", func(f *fixture) {
		for s := range time.Duration(5) {
			f.hits("a", 5, at(s*time.Second), 0)
		}
		f.hits("a", 2, at(5*time.Second), 58*time.Second)
		f.hits("a", 6, at(5*time.Second), 0)
		f.hits("a", 6, at(5*time.Second), 55*time.Second)
	}},
	{"deny all below a limit of 1", func(f *fixture) {
		f.hits("a", 0, t0, time.Minute)
		f.hits("a", -1, t0, time.Minute)
		f.hits("a", 1, t0, 0)
	}},
	{"can be forgotten", func(f *fixture) {
		f.hits("a", 1, t0, 0)
		f.ok(f.store.Forget(f.Context(), "a"))
		f.hits("a", 1, t0, 0)
		f.ok(f.store.Forget(f.Context(), "never was"))
	}},
	{"bear events out of order", func(f *fixture) {
		f.hits("a", 2, at(10*time.Second), 0)
		f.hits("a", 2, at(5*time.Second), 0)
		f.hits("a", 2, at(20*time.Second), 45*time.Second)
		f.hits("a", 2, at(65*time.Second), 0)
		f.hits("a", 2, at(65*time.Second), 5*time.Second)
	}},
	{"are exact up to the highest exact limit", func(f *fixture) {
		for i := range tokenstore.MaxExactHits {
			f.hits("a", tokenstore.MaxExactHits, at(time.Duration(i)*time.Millisecond), 0)
		}
		f.hits("a", tokenstore.MaxExactHits, at(time.Second), 59*time.Second)
		f.hits("a", tokenstore.MaxExactHits, at(time.Minute), 0)
		f.hits("a", tokenstore.MaxExactHits, at(time.Minute), time.Millisecond)
	}},
	{"above it never admit too much, nor wait much too long", func(f *fixture) {
		const limit, bucket = tokenstore.MaxExactHits + 280, time.Minute / 128
		step := time.Minute / limit
		for i := range limit {
			f.hits("a", limit, at(time.Duration(i)*step), 0)
		}
		for _, now := range []time.Duration{time.Minute - step, time.Minute - 1} {
			wait := f.hit("a", limit, at(now))
			if left := time.Minute - now; wait < left || wait > left+bucket {
				f.Errorf("Hit at %v waits %v, want %v to %v", now, wait, left, left+bucket)
			}
		}
		f.hits("a", limit, at(time.Minute+bucket), 0)
		var admitted int
		for f.hit("a", limit, at(time.Minute+bucket)) == 0 {
			admitted++
		}
		if most := int(bucket/step) + 1; admitted+1 > most {
			f.Errorf("%d events admitted, want at most the %d that left", admitted+1, most)
		}
		for range limit {
			f.hits("a", limit, at(3*time.Minute), 0)
		}
		if wait := f.hit("a", limit, at(3*time.Minute)); wait <= 0 || wait > time.Minute+bucket {
			f.Errorf("Hit above the limit waits %v", wait)
		}
	}},
}
