// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package loginthrottle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/memory"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/storetest"
)

// world is a Throttle, its store, and the time.
type world struct {
	*Throttle
	t     testing.TB
	store *countingStore
	mu    sync.Mutex
	time  time.Time
	seen  map[string]int // results

	readOnly bool // the store counts nothing
}

// countingStore counts what reaches a store.
type countingStore struct {
	*storetest.FailingStore
	attempts atomic.Int64
	readOnly *bool
}

func (s *countingStore) Attempt(ctx context.Context, key string, b tokenstore.Backoff, now time.Time) (time.Duration, error) {
	s.attempts.Add(1)
	if *s.readOnly {
		return 0, tokenstore.ErrUnavailable
	}
	return s.FailingStore.Attempt(ctx, key, b, now)
}

func newWorld(t testing.TB, s Settings) *world {
	t.Helper()
	w := &world{
		t: t, time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), seen: make(map[string]int),
		store: &countingStore{FailingStore: storetest.Failing(memory.New())},
	}
	throttle, err := New(Options{Settings: s, Store: w.store, Memory: NewMemory(memory.New()), Observe: func(kind, result string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.seen[kind+" "+result]++
	}})
	if err != nil {
		t.Fatal(err)
	}
	w.store.readOnly = &w.readOnly
	throttle.now = func() time.Time {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.time
	}
	w.Throttle = throttle
	return w
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.time = w.time.Add(d)
}

const good = "good"

// try guesses, and returns what came of it: ok, bad, or how long to wait.
func (w *world) try(name, address, secret string) string {
	w.t.Helper()
	asked := false
	_, err := w.Guess(w.t.Context(), Guess{Kind: KindPassword, Name: name, Address: address}, func(context.Context) (*auth.Identity, error) {
		asked = true
		switch secret {
		case good:
			return &auth.Identity{ID: name}, nil
		case "down":
			return nil, &auth.Unavailable{}
		}
		return nil, &auth.Failure{Candidate: &auth.Identity{ID: name}}
	})
	if throttled, ok := errors.AsType[*auth.Throttled](err); ok {
		if asked {
			w.t.Errorf("%s from %s: asked and refused", name, address)
		}
		return throttled.Wait.String()
	}
	switch err.(type) {
	case nil:
		return "ok"
	case *auth.Failure:
		return "bad"
	}
	return "undecided"
}

func (w *world) expect(want, name, address, secret string) {
	w.t.Helper()
	if got := w.try(name, address, secret); got != want {
		w.t.Errorf("%s from %s with %s: %s, want %s", name, address, secret, got, want)
	}
}

func (w *world) repeat(n int, want, name, address, secret string) {
	w.t.Helper()
	for range n {
		w.expect(want, name, address, secret)
	}
}

const here, there = "192.0.2.1", "198.51.100.7"

func TestThrottle_delays(t *testing.T) {
	w := newWorld(t, Settings{})
	w.repeat(5, "bad", "alice", here, "x")
	w.expect("1s", "alice", here, good)
	w.expect("1s", "ALICE", there, "x")
	w.pass(999 * time.Millisecond)
	w.expect("1ms", "alice", here, "x")
	w.pass(time.Millisecond)
	w.expect("bad", "alice", here, "x")
	w.expect("2s", "alice", here, "x")
	w.pass(2 * time.Second)
	w.expect("bad", "alice", here, "x")
	w.expect("4s", "alice", here, "x")
	w.expect("bad", "bob", here, "x")
	w.pass(4 * time.Second)
	w.expect("ok", "alice", here, good)
	w.repeat(5, "bad", "alice", there, "x")
	w.expect("1s", "alice", there, "x")
	if w.seen["password failed"] != 13 || w.seen["password succeeded"] != 1 || w.seen["password throttled_user"] != 6 {
		t.Errorf("observed %v", w.seen)
	}
}

// TestThrottle_limit guesses as fast as it may for a month.
func TestThrottle_limit(t *testing.T) {
	w := newWorld(t, Settings{Address: 1 << 30})
	failures, streak, longest := 0, 0, time.Duration(0)
	for start := w.time; w.time.Sub(start) < 30*24*time.Hour; {
		got := w.try("alice", here, "x")
		if got == "bad" {
			failures++
			streak++
			continue
		}
		wait, err := time.ParseDuration(got)
		if err != nil {
			t.Fatal(got)
		}
		if wait == 24*time.Hour {
			if streak > 100 {
				t.Fatalf("%d failures in a row", streak)
			}
			streak = 0
		} else {
			longest = max(longest, wait)
		}
		w.pass(wait)
	}
	if failures > 700 || longest != time.Hour {
		t.Errorf("%d guesses in a month, and the longest wait but a day is %s", failures, longest)
	}
}

func TestThrottle_addresses(t *testing.T) {
	w := newWorld(t, Settings{Address: 3})
	for i, address := range []string{"2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:1::3%eth0"} {
		w.expect("bad", fmt.Sprint("user", i), address, "x")
	}
	w.expect("1s", "carol", "2001:db8:0:1::4", good)
	w.expect("bad", "carol", "2001:db8:0:2::4", "x")
	for i, address := range []string{"192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1"} {
		w.expect("bad", fmt.Sprint("other", i), address, "x")
	}
	w.expect("1s", "dave", "::ffff:192.0.2.1", "x")
	w.repeat(3, "bad", "dave", "192.0.2.2", "x")
	// Nothing is known of clients of a Unix socket.
	for i := range 10 {
		w.expect("bad", fmt.Sprint("local", i), "@", "x")
	}
}

// TestThrottle_ownAccount is of a guesser who logs in between.
func TestThrottle_ownAccount(t *testing.T) {
	w := newWorld(t, Settings{Address: 4})
	for i := range 4 {
		w.expect("ok", "mallory", here, good)
		w.expect("bad", fmt.Sprint("user", i), here, "x")
	}
	w.expect("1s", "another", here, "x")
	w.expect("ok", "mallory", here, good)
	w.expect("1s", "another", here, "x")
}

func TestThrottle_undecided(t *testing.T) {
	w := newWorld(t, Settings{})
	w.repeat(20, "undecided", "alice", here, "down")
	w.repeat(5, "bad", "alice", here, "x")
	// It takes no failure away, and no time.
	w.pass(time.Second)
	w.expect("undecided", "alice", here, "down")
	w.expect("1s", "alice", here, good)
	w.pass(time.Second)
	w.expect("ok", "alice", here, good)
	page, _, err := w.store.Attempts(t.Context(), Prefix, "", 10)
	if err != nil || len(page) != 1 || page[0].Key != AddressKey(here) || page[0].Count != 5 {
		t.Errorf("Attempts = %v, %v", page, err)
	}
}

// TestThrottle_parallel makes more guesses at once than are free.
func TestThrottle_parallel(t *testing.T) {
	w := newWorld(t, Settings{})
	var bad atomic.Int64
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if w.try("alice", here, "x") == "bad" {
				bad.Add(1)
			}
		})
	}
	all.Wait()
	if bad.Load() != 5 {
		t.Errorf("%d of 100 guesses were verified, want 5", bad.Load())
	}
	page, _, err := w.store.Attempts(t.Context(), Prefix, "", 10)
	if err != nil || len(page) != 2 || page[0].Count != 5 || page[1].Count != 5 {
		t.Errorf("counted %v, %v", page, err)
	}
}

// TestThrottle_storeDown counts in the process, and in the store again once it
// is back.
func TestThrottle_storeDown(t *testing.T) {
	w := newWorld(t, Settings{Address: 8})
	w.store.Down(true)
	w.repeat(3, "bad", "alice", here, "x")
	w.expect("ok", "alice", here, good)
	w.repeat(5, "bad", "alice", here, "x")
	w.expect("1s", "alice", here, good)
	w.pass(2 * time.Second)
	w.store.Down(false)
	w.repeat(5, "bad", "alice", here, "x")
	w.expect("1s", "alice", here, good)
}

// TestThrottle_flood is of a client that does not listen to Retry-After.
func TestThrottle_flood(t *testing.T) {
	w := newWorld(t, Settings{Address: 1})
	w.expect("bad", "alice", here, "x")
	w.expect("1s", "user", here, "x")
	before := w.store.attempts.Load()
	for range 100 {
		w.expect("1s", "user", here, "x")
	}
	if n := w.store.attempts.Load() - before; n != 0 {
		t.Errorf("100 guesses from a locked address asked the store for %d attempts", n)
	}
	page, _, err := w.store.Attempts(t.Context(), UserPrefix("user"), "", 10)
	if err != nil || len(page) > 0 {
		t.Errorf("counted %v, %v of a user at whom nobody could guess", page, err)
	}
}

func TestThrottle_candidate(t *testing.T) {
	w := newWorld(t, Settings{User: 1})
	w.expect("bad", "alice", here, "x")
	_, err := w.Guess(t.Context(), Guess{Kind: KindPassword, Name: "Alice", Address: there}, nil)
	if throttled, ok := errors.AsType[*auth.Throttled](err); !ok || throttled.Candidate == nil || throttled.Candidate.ID != "alice" {
		t.Errorf("Guess: %+v, want a Throttled with the candidate", err)
	}
	// Each kind of secret has counts of its own.
	_, err = w.Guess(t.Context(), Guess{Kind: "code", Name: "alice", Address: there}, func(context.Context) (*auth.Identity, error) {
		return &auth.Identity{ID: "alice"}, nil
	})
	if err != nil {
		t.Errorf("Guess of another kind: %v", err)
	}
	w.expect("1s", "alice", there, good)
}

func TestThrottle_dryRun(t *testing.T) {
	w := newWorld(t, Settings{User: 1})
	w.expect("bad", "alice", here, "x")
	seen := fmt.Sprint(w.seen)
	_, err := w.Guess(auth.WithDryRun(t.Context()), Guess{Kind: KindPassword, Name: "alice", Address: here}, nil)
	if throttled, ok := errors.AsType[*auth.Throttled](err); !ok || throttled.Wait != time.Second {
		t.Errorf("Guess in a dry run: %v, want to wait", err)
	}
	if fmt.Sprint(w.seen) != seen {
		t.Errorf("a dry run was observed: %v", w.seen)
	}
}

func TestThrottle_clientGone(t *testing.T) {
	w := newWorld(t, Settings{})
	ctx, cancel := context.WithCancel(t.Context())
	for range 10 {
		_, err := w.Guess(ctx, Guess{Kind: KindPassword, Name: "alice", Address: here}, func(ctx context.Context) (*auth.Identity, error) {
			cancel()
			return nil, &auth.Unavailable{Err: ctx.Err()}
		})
		if _, ok := errors.AsType[*auth.Unavailable](err); !ok {
			t.Fatalf("Guess: %v", err)
		}
	}
	if page, _, err := w.store.Attempts(t.Context(), Prefix, "", 10); err != nil || len(page) > 0 {
		t.Errorf("counted %v, %v", page, err)
	}
	// A guess that was made is counted whether anybody waits for the answer.
	ctx, cancel = context.WithCancel(t.Context())
	_, _ = w.Guess(ctx, Guess{Kind: KindPassword, Name: "alice", Address: here}, func(context.Context) (*auth.Identity, error) {
		cancel()
		return nil, &auth.Failure{}
	})
	if page, _, err := w.store.Attempts(t.Context(), Prefix, "", 10); err != nil || len(page) != 2 {
		t.Errorf("counted %v, %v", page, err)
	}
}

// TestThrottle_alike compares what is asked of the store about a user whom there
// is and one whom there is not: the answer must not take longer for either.
func TestThrottle_alike(t *testing.T) {
	asked := func(name string) []string {
		w := newWorld(t, Settings{User: 2})
		if name == "alice" {
			w.expect("ok", name, there, good)
		}
		before := w.store.Count()
		for range 4 {
			w.try(name, here, "x")
		}
		return w.store.Calls()[before:]
	}
	if known, unknown := asked("alice"), asked("nobody"); !slices.Equal(known, unknown) {
		t.Errorf("the store is asked %q about a user, and %q about nobody", known, unknown)
	}
}

// TestThrottle_storeErrors has the store fail once, at each of its calls.
func TestThrottle_storeErrors(t *testing.T) {
	for n := 1; ; n++ {
		w := newWorld(t, Settings{})
		w.store.FailAt(n)
		w.repeat(4, "bad", "alice", here, "x")
		w.expect("ok", "alice", here, good)
		bad := 0
		for range 12 {
			if w.try("alice", here, "x") == "bad" {
				bad++
			}
		}
		// What was not forgotten counts, and what was not counted was in the process.
		if bad == 0 || bad > 6 {
			t.Errorf("with an error at call %d, %d more guesses were verified", n, bad)
		}
		if w.store.Count() < n {
			return
		}
	}
}
