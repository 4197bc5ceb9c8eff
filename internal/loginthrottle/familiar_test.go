// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package loginthrottle

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// TestThrottle_strangers is of a user whom strangers try to lock out.
func TestThrottle_strangers(t *testing.T) {
	w := newWorld(t, Settings{Address: 8})
	w.expect("ok", "alice", here, good)
	w.repeat(5, "bad", "alice", there, "x")
	w.expect("1s", "alice", there, good)
	w.expect("ok", "alice", here, good)
	w.expect("1s", "alice", there, good)
	w.expect("1s", "alice", "203.0.113.1", good)

	// They count against whoever shares the address, and not against the user.
	w.repeat(5, "bad", "alice", here, "x")
	w.expect("1s", "alice", here, good)
	for i := range 3 {
		w.expect("bad", fmt.Sprint("user", i), here, "x")
	}
	w.expect("1s", "another", here, "x")
	w.pass(time.Second)
	w.expect("ok", "alice", here, good)
	w.repeat(1, "bad", "another", here, "x")
	w.expect("2s", "another", here, "x")
	w.expect("ok", "alice", here, good)

	// In time the address is forgotten.
	w.pass(91 * 24 * time.Hour)
	if _, err := w.store.Sweep(t.Context(), w.time, 1000); err != nil {
		t.Fatal(err)
	}
	w.repeat(5, "bad", "alice", there, "x")
	w.expect("1s", "alice", here, good)
}

// TestThrottle_namesake is of a guesser who has an account of almost the same name.
func TestThrottle_namesake(t *testing.T) {
	for _, names := range [][2]string{{"alice", "ALICE"}, {"Alice", "alice"}, {"Alice", "ALICE"}} {
		victim, guesser := names[0], names[1]
		w := newWorld(t, Settings{})
		bad := 0
		for i := range 50 {
			address := fmt.Sprint("2001:db8:0:", i, "::1")
			for range 4 {
				if w.try(victim, address, "x") == "bad" {
					bad++
				}
			}
			w.try(guesser, address, good)
		}
		if bad > 5 {
			t.Errorf("%s made %d guesses at %s", guesser, bad, victim)
		}
	}
	// One's own logins are forgotten in whatever way the name is written.
	w := newWorld(t, Settings{})
	for i := range 4 {
		w.repeat(4, "bad", "Alice", fmt.Sprint("192.0.2.", i), "x")
		w.expect("ok", "Alice", fmt.Sprint("192.0.2.", i), good)
	}
	if page, _, err := w.store.Attempts(t.Context(), UserPrefix("alice"), "", 10); err != nil || len(page) > 0 {
		t.Errorf("Attempts = %v, %v, want none", page, err)
	}
}

// TestThrottle_noWrites is of a user who logs in again from the same address.
func TestThrottle_noWrites(t *testing.T) {
	w := newWorld(t, Settings{})
	w.expect("ok", "Alice", here, good)
	before := w.store.Count()
	w.repeat(3, "ok", "Alice", here, good)
	for _, call := range w.store.Calls()[before:] {
		if call != "Known" && call != "Attempted" {
			t.Errorf("the store was asked for %s", call)
		}
	}
	// Failures are forgotten all the same.
	for range 4 {
		w.repeat(4, "bad", "Alice", here, "x")
		w.expect("ok", "Alice", here, good)
	}
	w.repeat(5, "bad", "Alice", here, "x")
	w.expect("1s", "Alice", here, good)
	w.pass(time.Second)
	w.expect("ok", "Alice", here, good)
	w.repeat(4, "bad", "Alice", here, "x")
}

// TestThrottle_familiarParallel has guesses from a familiar address under way at
// once, of which nothing is in the store yet.
func TestThrottle_familiarParallel(t *testing.T) {
	w := newWorld(t, Settings{})
	w.expect("ok", "alice", here, good)
	verify := make(chan error)
	var started, refused atomic.Int64
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			_, err := w.Guess(t.Context(), Guess{Kind: KindPassword, Name: "alice", Address: here}, func(context.Context) (*auth.Identity, error) {
				started.Add(1)
				return nil, <-verify
			})
			if throttled, ok := errors.AsType[*auth.Throttled](err); ok {
				refused.Add(1)
				if throttled.Wait != time.Second {
					t.Errorf("told to wait for %s", throttled.Wait)
				}
			}
		})
	}
	for refused.Load() < 95 {
		runtime.Gosched()
	}
	for range 5 {
		verify <- &auth.Failure{}
	}
	all.Wait()
	if started.Load() != 5 || len(w.Memory.underway.n) != 0 {
		t.Errorf("%d guesses were verified, want 5; under way are %v", started.Load(), w.Memory.underway.n)
	}
	w.expect("1s", "alice", here, good)
}

// TestThrottle_waits is of who answers logins from memory.
func TestThrottle_waits(t *testing.T) {
	w := newWorld(t, Settings{User: 2})
	waits := func(address string) bool {
		return w.Waits(t.Context(), Guess{Kind: KindPassword, Name: "alice", Address: address})
	}
	w.expect("ok", "alice", here, good)
	before := w.store.Count()
	if waits(here) || w.Guessed() || w.store.Count() != before {
		t.Errorf("nobody guesses, and the store was asked %q", w.store.Calls()[before:])
	}
	w.repeat(2, "bad", "alice", there, "x")
	if waits(here) || !waits(there) || !w.Guessed() {
		t.Error("only strangers have to wait")
	}
	w.repeat(2, "bad", "alice", here, "x")
	if !waits(here) {
		t.Error("who guesses from a familiar address does not wait")
	}
	w.pass(time.Second)
	if waits(here) {
		t.Error("who has waited has to wait")
	}
	w.pass(25 * time.Hour)
	before = w.store.Count()
	if waits(here) || w.store.Count() != before {
		t.Error("a guess is not forgotten")
	}
	if (*Throttle)(nil).Waits(t.Context(), Guess{}) || (*Throttle)(nil).Guessed() {
		t.Error("somebody waits although it is off")
	}
}

// TestThrottle_leaving is of guessers who go away before they are answered: where
// the answer may be remembered, that would tell them that the guess was wrong.
func TestThrottle_leaving(t *testing.T) {
	leave := func(w *world, address string, err error) (left int) {
		for range 10 {
			ctx, cancel := context.WithCancel(t.Context())
			_, got := w.Guess(ctx, Guess{Kind: KindPassword, Name: "alice", Address: address}, func(ctx context.Context) (*auth.Identity, error) {
				if err == nil {
					cancel()
					return nil, &auth.Unavailable{Err: ctx.Err()}
				}
				return nil, &auth.Unavailable{Err: err}
			})
			cancel()
			if _, refused := errors.AsType[*auth.Throttled](got); !refused {
				left++
			}
		}
		return left
	}
	for name, test := range map[string]struct {
		address string
		err     error
		want    int
	}{
		"from a new address":      {there, nil, 10},
		"from a familiar address": {here, nil, 5},
		"without an address":      {"@", nil, 5},
		"too many hashes":         {here, fmt.Errorf("busy: %w", ErrUnverified), 5},
		"file of users broken":    {here, errors.New("broken"), 10},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Settings{})
			w.expect("ok", "alice", here, good)
			if got := leave(w, test.address, test.err); got != test.want {
				t.Errorf("%d of 10 guesses were let in, want %d", got, test.want)
			}
		})
	}
}

// TestThrottle_refusedAddress is of one who asks on while the address is locked:
// that must not keep the user waiting.
func TestThrottle_refusedAddress(t *testing.T) {
	w := newWorld(t, Settings{Address: 6, Delay: caddy.Duration(time.Minute)})
	w.repeat(5, "bad", "alice", there, "x")
	for i := range 6 {
		w.expect("bad", fmt.Sprint("user", i), here, "x")
	}
	w.pass(59 * time.Second)
	w.expect("bad", "dave", there, "x") // from now on both wait, here for longer
	w.pass(time.Second)
	w.expect("bad", "user9", here, "x")
	w.pass(2 * time.Second)
	w.expect("1m58s", "alice", here, "x")
	w.expect("ok", "alice", "203.0.113.9", good)
}

// TestThrottle_familiarStoreFails is of a store that cannot be written to.
func TestThrottle_familiarStoreFails(t *testing.T) {
	w := newWorld(t, Settings{})
	w.expect("ok", "alice", here, good)
	w.readOnly = true
	bad := 0
	for range 20 {
		if w.try("alice", here, "x") == "bad" {
			bad++
		}
	}
	if bad != 5 {
		t.Errorf("%d guesses were verified, want 5", bad)
	}
	w.readOnly = false
	w.pass(2 * time.Second)
	w.expect("ok", "alice", here, good)
	w.repeat(5, "bad", "alice", here, "x")
}
