// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// backoff lets three attempts pass, then has the next ones wait for a second, two,
// four, and so on up to ten, and forgets them after a minute.
var backoff = tokenstore.Backoff{Free: 3, Base: time.Second, Max: 10 * time.Second, Quiet: time.Minute}

// attempt fails the test unless an attempt is answered with this wait.
func (f *fixture) attempt(key string, now time.Time, want time.Duration) {
	f.Helper()
	wait, err := f.store.Attempt(f.Context(), key, backoff, now)
	f.ok(err)
	if wait != want {
		f.Fatalf("Attempt(%q) at %v = %v, want %v", key, now.Sub(t0), wait, want)
	}
}

// attempted fails the test unless this many are counted under a key.
func (f *fixture) attempted(key, kept string, want int) {
	f.Helper()
	a, err := f.store.Attempted(f.Context(), key)
	f.ok(err)
	if a.Key != kept || a.Count != want {
		f.Errorf("Attempted(%.20q) = %.20q, %d of them, want %d", key, a.Key, a.Count, want)
	}
}

// attempts fails the test unless this is counted under the keys with a prefix,
// each as "key count time".
func (f *fixture) attempts(prefix string, want ...string) {
	f.Helper()
	var got []string
	cursor := ""
	for range 100 {
		page, next, err := f.store.Attempts(f.Context(), prefix, cursor, 2)
		f.ok(err)
		for _, a := range page {
			if a.Last.Location() != time.UTC {
				f.Errorf("Attempts(%q): %v is not UTC", prefix, a.Last)
			}
			got = append(got, fmt.Sprint(a.Key, " ", a.Count, " ", a.Last.Sub(t0)))
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	f.sameStrings(fmt.Sprintf("Attempts(%q)", prefix), got, want...)
}

var attemptTests = []test{
	{"have to wait twice as long each time", func(f *fixture) {
		f.attempt("a", t0, 0)
		f.attempt("a", t0, 0)
		f.attempt("a", t0, 0)
		now := time.Duration(0)
		for _, wait := range []time.Duration{1, 2, 4, 8, 10, 10, 10} {
			wait *= time.Second
			f.attempt("a", at(now), wait)
			f.attempt("a", at(now+wait-time.Microsecond), time.Microsecond)
			now += wait
			f.attempt("a", at(now), 0)
		}
		f.attempts("", "a 10 45s")
	}},
	{"are forgotten after a quiet time, and no sooner", func(f *fixture) {
		for range 3 {
			f.attempt("a", t0, 0)
		}
		f.attempt("a", at(time.Minute-time.Microsecond), 0)
		f.attempts("", "a 4 59.999999s")
		f.attempt("a", at(time.Minute), 2*time.Second-time.Microsecond)
		f.attempt("a", at(2*time.Minute), 0)
		f.attempts("", "a 1 2m0s")
	}},
	{"are denied without being counted", func(f *fixture) {
		for range 3 {
			f.attempt("a", t0, 0)
		}
		for range 5 {
			f.attempt("a", at(999*time.Millisecond), time.Millisecond)
		}
		f.attempts("", "a 3 0s")
	}},
	{"can be taken back, but not their time", func(f *fixture) {
		f.ok(f.store.Refund(f.Context(), "a"))
		f.attempts("")
		for range 3 {
			f.attempt("a", t0, 0)
		}
		f.attempt("a", at(time.Second), 0)
		f.ok(f.store.Refund(f.Context(), "a"))
		f.attempts("", "a 3 1s")
		f.attempt("a", at(time.Second), time.Second)
		f.ok(f.store.Refund(f.Context(), "a"))
		f.attempt("a", at(time.Second), 0)
		for range 3 {
			f.ok(f.store.Refund(f.Context(), "a"))
		}
		f.attempts("")
		f.ok(f.store.Refund(f.Context(), "a"))
		f.attempt("a", at(time.Second), 0)
		f.attempts("", "a 1 1s")
	}},
	{"can be forgotten, and nothing else by that", func(f *fixture) {
		for _, key := range []string{"a", "b"} {
			for range 3 {
				f.attempt(key, t0, 0)
			}
		}
		f.ok(f.store.Forget(f.Context(), "a"))
		f.attempt("a", t0, 0)
		f.attempt("b", t0, time.Second)
		f.attempts("", "a 1 0s", "b 3 0s")
	}},
	{"have keys of their own", func(f *fixture) {
		f.remember("a", at(time.Hour), true)
		f.hits("a", 1, t0, 0)
		f.attempt("a", t0, 0)
		f.hits("b", 1, t0, 0)
		f.attempts("", "a 1 0s")
		_, err := f.store.Attempt(f.Context(), "", backoff, t0)
		f.fails(err, "Attempt without a key")
	}},
	{"wait for the latest where the clock goes back", func(f *fixture) {
		f.attempt("a", at(30*time.Second), 0)
		f.attempt("a", t0, 0)
		f.attempt("a", t0, 0)
		f.attempts("", "a 3 30s")
		f.attempt("a", t0, 31*time.Second)
		f.attempt("a", at(31*time.Second), 0)
		f.attempt("a", at(-29*time.Second-time.Microsecond), 0)
		f.attempts("", "a 1 -29.000001s")
	}},
	{"obey a backoff that changes", func(f *fixture) {
		for range 3 {
			f.attempt("a", t0, 0)
		}
		for want, b := range map[time.Duration]tokenstore.Backoff{
			time.Minute:     {Free: 1, Base: 15 * time.Second, Max: time.Hour, Quiet: time.Hour},
			5 * time.Second: {Free: -1, Base: 5 * time.Second},
			9 * time.Second: {Free: 3, Base: 9 * time.Second, Max: time.Second},
			time.Hour:       {Base: 20 * time.Minute, Max: time.Hour},
			1 << 62:         {Free: 3, Base: 1 << 62},
		} {
			wait, err := f.store.Attempt(f.Context(), "a", b, t0)
			f.ok(err)
			if wait != want {
				f.Errorf("Attempt with %+v = %v, want %v", b, wait, want)
			}
		}
		for range 5 {
			wait, err := f.store.Attempt(f.Context(), "b", tokenstore.Backoff{}, t0)
			if wait != 0 || err != nil {
				f.Errorf("Attempt without a backoff = %v, %v, want no wait", wait, err)
			}
		}
	}},
	{"of 100 at once exactly those pass that are free", func(f *fixture) {
		for _, key := range []string{"a", "b"} {
			var passed atomic.Int32
			together(100, func(int) {
				wait, err := f.store.Attempt(f.Context(), key, backoff, t0)
				if err != nil {
					f.Errorf("Attempt = %v, want no error", err)
				}
				if wait == 0 {
					passed.Add(1)
				}
			})
			if passed.Load() != 3 {
				f.Errorf("%d attempts passed, want 3", passed.Load())
			}
		}
		f.attempts("", "a 3 0s", "b 3 0s")
	}},
	{"are listed by prefix", func(f *fixture) {
		want := []string{"a", "b", "b\x00", "b1", "b2", "b\xff", "b\xff\xff", "c", "\xff"}
		for _, i := range []int{3, 0, 8, 5, 2, 7, 1, 6, 4} {
			f.attempt(want[i], t0, 0)
		}
		for prefix, want := range map[string][]string{
			"": want, "a": want[:1], "b": want[1:7], "b\xff": want[5:7], "\xff": want[8:], "d": nil, "bb": nil,
		} {
			listed := make([]string, len(want))
			for i, key := range want {
				listed[i] = key + " 1 0s"
			}
			f.attempts(prefix, listed...)
		}
		for _, cursor := range []string{"x", "!", "dXNlcg"} {
			if page, next, err := f.store.Attempts(f.Context(), "", cursor, 2); err == nil && (len(page) > 2 || next == cursor) {
				f.Errorf("Attempts with a forged cursor = %v, %q", page, next)
			}
		}
		page, next, err := f.store.Attempts(f.Context(), "b", "", -1)
		if len(page) != 1 || next == "" || err != nil {
			f.Errorf("Attempts of -1 = %v, %q, %v, want one and a cursor", page, next, err)
		}
		page, _, err = f.store.Attempts(f.Context(), "c", next, 10)
		if len(page) != 1 || err != nil {
			f.Errorf("Attempts of c with a cursor of b = %v, %v, want one", page, err)
		}
	}},
	{"may have keys of any length", func(f *fixture) {
		long := strings.Repeat("x", 1<<16)
		for range 3 {
			f.attempt(long, t0, 0)
			f.attempt(long+"y", t0, 0)
		}
		f.attempt(long, t0, time.Second)
		kept := tokenstore.AttemptKey(long)
		f.attempted(long, kept, 3)
		f.attempted(kept, kept, 3)
		f.attempted(kept[1:], kept[1:], 0)
		f.attempt(kept, t0, time.Second)
		page, _, err := f.store.Attempts(f.Context(), "xxx", "", 10)
		if len(page) != 2 || err != nil || page[0].Key != kept && page[1].Key != kept {
			f.Errorf("Attempts = %d of them, %v, want both", len(page), err)
		}
		f.ok(f.store.Forget(f.Context(), kept))
		f.attempt(long, t0, 0)
		f.ok(f.store.Refund(f.Context(), long))
		f.attempts(kept)
	}},
	{"are swept when they are forgotten", func(f *fixture) {
		f.attempt("a", t0, 0)
		f.attempt("b", at(time.Second), 0)
		f.sweep(at(time.Minute), 100, 0)
		f.sweep(at(time.Minute+time.Microsecond), 100, 1)
		f.attempts("", "b 1 1s")
	}},
	{"are counted as a model does", func(f *fixture) {
		r := rand.New(rand.NewPCG(4, 0)) // for variety, no secret
		model, now := make(map[string]tokenstore.Attempts), t0
		for range 400 {
			key := []string{"a", "b"}[r.IntN(2)]
			b := tokenstore.Backoff{Free: r.IntN(4), Base: time.Duration(r.IntN(3)) * time.Second, Max: time.Duration(r.IntN(9)) * time.Second, Quiet: time.Duration(r.IntN(20)) * time.Second}
			now = now.Add(time.Duration(r.IntN(2500)-500) * time.Millisecond)
			a := model[key]
			switch a.Key = key; r.IntN(8) {
			case 0:
				f.ok(f.store.Refund(f.Context(), key))
				if a.Count--; a.Count <= 0 {
					delete(model, key)
				} else {
					model[key] = a
				}
			case 1:
				f.ok(f.store.Forget(f.Context(), key))
				delete(model, key)
			default:
				want := b.Wait(a, now)
				wait, err := f.store.Attempt(f.Context(), key, b, now)
				f.ok(err)
				if wait != want {
					f.Fatalf("Attempt(%q, %+v) at %v = %v, want %v", key, b, now.Sub(t0), wait, want)
				}
				if wait == 0 {
					model[key] = b.Count(a, now)
				}
			}
			for key, want := range model {
				page, _, err := f.store.Attempts(f.Context(), key, "", 1)
				f.ok(err)
				alone, err := f.store.Attempted(f.Context(), key)
				f.ok(err)
				f.same("attempted", alone, want)
				if len(page) != 1 {
					f.Fatalf("nothing is counted under %q, want %+v", key, want)
				}
				f.same("attempts", page[0], want)
			}
		}
	}},
}
