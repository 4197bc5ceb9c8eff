// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package livestore

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// A reload provisions and starts the new configuration before it cleans up the
// old one.
func TestReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDriver()
		old, oldLogs := acquire(t, d)
		old.Start()
		var cache heard
		defer old.Subscribe(cache.listen)()
		d.store.feed <- tokenstore.Change{All: true}
		synctest.Wait()

		again := newDriver()
		again.identifier = d.identifier
		young, youngLogs := acquire(t, again)
		young.Start()
		if !young.Trusted() {
			t.Error("the new configuration does not share the feed")
		}
		if err := old.Release(); err != nil {
			t.Errorf("Release: %v", err)
		}
		if err := old.Release(); err != nil {
			t.Errorf("second Release: %v", err)
		}
		if d.store.closed != 0 || d.opened()+again.opened() != 1 {
			t.Fatalf("%d stores were opened and %d closed, want one that stays open", d.opened()+again.opened(), d.store.closed)
		}
		if err := lookup(t.Context(), young); err != nil {
			t.Errorf("Lookup after the reload: %v", err)
		}
		if err := lookup(t.Context(), old); err != nil {
			t.Errorf("Lookup of a request of the old configuration: %v", err)
		}

		cache.take()
		if err := young.DeleteUser(t.Context(), "store:1"); err != nil {
			t.Fatal(err)
		}
		if got, want := cache.take(), []tokenstore.Change{{UserKey: "store:1"}}; !slices.Equal(got, want) {
			t.Errorf("a subscriber from before the reload heard %v, want %v", got, want)
		}

		d.store.feed <- errBroken
		synctest.Wait()
		if oldLogs.Len() != 0 || youngLogs.Len() != 1 {
			t.Errorf("%d lines in the old log and %d in the new one, want 0 and 1", oldLogs.Len(), youngLogs.Len())
		}
		if err := young.Release(); err != nil {
			t.Errorf("Release: %v", err)
		}
		if d.store.closed != 1 {
			t.Errorf("the store was closed %d times, want once", d.store.closed)
		}
		if err := lookup(t.Context(), young); !errors.Is(err, tokenstore.ErrUnavailable) {
			t.Errorf("Lookup after the last Release = %v, want ErrUnavailable", err)
		}
		if young.Trusted() {
			t.Error("a closed store is trusted")
		}
	})
}

// A configuration that fails to load is released before the one that stays.
func TestReload_failed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDriver()
		stays, logs := acquire(t, d)
		stays.Start()
		failed, _ := acquire(t, d)
		if err := failed.Release(); err != nil {
			t.Errorf("Release: %v", err)
		}
		d.store.feed <- errBroken
		synctest.Wait()
		if logs.Len() != 1 {
			t.Errorf("%d lines in the log of the configuration that stays, want 1", logs.Len())
		}
	})
}

func TestRelease_concurrent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDriver()
		var stores []*Store
		for range 8 {
			s, _ := acquire(t, d)
			s.Start()
			stores = append(stores, s)
		}
		var wg sync.WaitGroup
		for _, s := range stores {
			for range 2 {
				wg.Go(func() {
					_ = lookup(t.Context(), s)
					if err := s.Close(); err != nil {
						t.Errorf("Close: %v", err)
					}
				})
			}
		}
		wg.Wait()
		if d.opened() != d.store.closed {
			t.Errorf("opened %d times, closed %d times", d.opened(), d.store.closed)
		}
	})
}

func TestRelease_waitsForOperations(t *testing.T) {
	for name, test := range map[string]struct{ takes, waits time.Duration }{
		"that end":         {2 * time.Second, 2 * time.Second},
		"but not for ever": {time.Hour, patience},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDriver()
				s, _ := acquire(t, d)
				if err := lookup(t.Context(), s); err != nil {
					t.Fatal(err)
				}
				d.store.during = func() {
					if d.store.count("close") == 0 {
						time.Sleep(test.takes)
					}
				}
				go func() { _ = lookup(t.Context(), s) }()
				synctest.Wait()
				began := time.Now()
				if err := s.Release(); err != nil {
					t.Errorf("Release: %v", err)
				}
				if took := time.Since(began); took != test.waits {
					t.Errorf("Release took %v, want %v", took, test.waits)
				}
				time.Sleep(test.takes)
			})
		})
	}
}

func TestRelease_returnsTheErrorOfClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDriver()
		d.store.answer("close", errBroken)
		s, err := Acquire(d, Options{})
		if err != nil {
			t.Fatal(err)
		}
		_ = lookup(t.Context(), s)
		if err := s.Release(); !errors.Is(err, errBroken) {
			t.Errorf("Release = %v, want %v", err, errBroken)
		}
	})
}

func TestAcquire_noDriver(t *testing.T) {
	if s, err := Acquire(nil, Options{}); err == nil {
		t.Errorf("Acquire(nil) = %v, want an error", s)
	}
}
