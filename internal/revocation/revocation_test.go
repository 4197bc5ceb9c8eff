// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package revocation

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/memory"
)

var errBroken = errors.New("disk on fire")

// liveStore is a store that reports, or does not, and counts what it is asked.
type liveStore struct {
	tokenstore.Store
	untrusted atomic.Bool
	asked     atomic.Int64
	failing   atomic.Bool
	during    func()

	mu   sync.Mutex
	tell func(tokenstore.Change)
}

func (s *liveStore) Trusted() bool { return !s.untrusted.Load() }

func (s *liveStore) Subscribe(tell func(tokenstore.Change)) func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tell = tell
	tell(tokenstore.Change{All: true})
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.tell = func(tokenstore.Change) {}
	}
}

func (s *liveStore) report(c tokenstore.Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tell(c)
}

func (s *liveStore) Revoke(ctx context.Context, family string, until time.Time) error {
	err := s.Store.Revoke(ctx, family, until)
	s.report(tokenstore.Change{Family: family})
	return err
}

func (s *liveStore) Revoked(ctx context.Context, family string) (bool, error) {
	s.asked.Add(1)
	if s.failing.Load() {
		return false, errBroken
	}
	revoked, err := s.Store.Revoked(ctx, family)
	if s.during != nil {
		s.during()
	}
	return revoked, err
}

func newList(t testing.TB) (*List, *liveStore) {
	t.Helper()
	store := &liveStore{Store: memory.New()}
	t.Cleanup(func() { _ = store.Close() })
	list := New(store)
	t.Cleanup(list.Close)
	return list, store
}

// wants fails the test unless the families are revoked or not, after so many
// questions to the store.
func wants(t *testing.T, list *List, store *liveStore, want bool, questions int64, families ...string) {
	t.Helper()
	before := store.asked.Load()
	got, err := list.Revoked(t.Context(), families...)
	if err != nil || got != want {
		t.Errorf("Revoked(%q) = %t, %v, want %t", families, got, err, want)
	}
	if asked := store.asked.Load() - before; asked != questions {
		t.Errorf("Revoked(%q) asked the store %d times, want %d", families, asked, questions)
	}
}

func TestRevoked(t *testing.T) {
	list, store := newList(t)
	wants(t, list, store, false, 0)
	wants(t, list, store, false, 0, "", "")
	wants(t, list, store, false, 1, "a")
	for range 3 {
		wants(t, list, store, false, 0, "a", "b")
	}
	if err := store.Revoke(t.Context(), "a", time.Time{}); err != nil {
		t.Fatal(err)
	}
	wants(t, list, store, true, 2, "a") // whether there is any, and this one
	wants(t, list, store, true, 1, "a")
	wants(t, list, store, true, 1, "", "a", "b")
	wants(t, list, store, false, 2, "b", "c")
	if _, err := store.Revoked(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
}

// What was revoked and swept costs nothing again, once anything changes.
func TestRevoked_freeAgain(t *testing.T) {
	list, store := newList(t)
	if err := store.Revoke(t.Context(), "a", time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	wants(t, list, store, true, 2, "a")
	if n, err := store.Sweep(t.Context(), time.Unix(2, 0), 10); n != 1 || err != nil {
		t.Fatalf("Sweep = %d, %v", n, err)
	}
	wants(t, list, store, false, 1, "a")
	store.report(tokenstore.Change{All: true})
	wants(t, list, store, false, 1, "a")
	wants(t, list, store, false, 0, "a")
}

func TestRevoked_changes(t *testing.T) {
	for name, tt := range map[string]struct {
		change tokenstore.Change
		asks   int64
	}{
		"everything": {tokenstore.Change{All: true}, 1},
		"a family":   {tokenstore.Change{Family: "f"}, 1},
		"a user":     {tokenstore.Change{UserKey: "u"}, 0},
		"a record":   {tokenstore.Change{CredentialID: "c", ClientID: "d"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			list, store := newList(t)
			wants(t, list, store, false, 1, "a")
			store.report(tt.change)
			wants(t, list, store, false, tt.asks, "a")
			wants(t, list, store, false, 0, "a")
		})
	}
}

// While the feed is down, nothing is taken for granted, and nothing that was read
// meanwhile is afterwards.
func TestRevoked_untrusted(t *testing.T) {
	list, store := newList(t)
	wants(t, list, store, false, 1, "a")
	store.untrusted.Store(true)
	wants(t, list, store, false, 1, "a")
	wants(t, list, store, false, 2, "a", "b")
	if err := store.Store.Revoke(t.Context(), "a", time.Time{}); err != nil { // another process
		t.Fatal(err)
	}
	wants(t, list, store, true, 1, "a")
	store.report(tokenstore.Change{All: true})
	store.untrusted.Store(false)
	wants(t, list, store, true, 2, "a")
}

// A store that never reports is asked always.
func TestRevoked_silentStore(t *testing.T) {
	store := memory.New()
	defer store.Close()
	list := New(store)
	defer list.Close()
	for _, want := range []bool{false, true} {
		if got, err := list.Revoked(t.Context(), "a"); got != want || err != nil {
			t.Errorf("Revoked = %t, %v, want %t", got, err, want)
		}
		if err := store.Revoke(t.Context(), "a", time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRevoked_failing(t *testing.T) {
	list, store := newList(t)
	store.failing.Store(true)
	for _, trusted := range []bool{true, false} {
		store.untrusted.Store(!trusted)
		if got, err := list.Revoked(t.Context(), "a"); got || !errors.Is(err, errBroken) {
			t.Errorf("trusted %t: Revoked = %t, %v, want the store's error", trusted, got, err)
		}
	}
	store.untrusted.Store(false)
	store.failing.Store(false)
	wants(t, list, store, false, 1, "a")
	store.failing.Store(true)
	wants(t, list, store, false, 0, "a")
}

// A revocation that comes while the store says that there is none is not missed.
func TestRevoked_meanwhile(t *testing.T) {
	list, store := newList(t)
	store.during = func() {
		store.during = nil
		if err := store.Revoke(t.Context(), "a", time.Time{}); err != nil {
			t.Error(err)
		}
	}
	wants(t, list, store, false, 1, "a") // it was asked before
	wants(t, list, store, true, 2, "a")
}

// Whoever was told that a family is revoked sees it revoked.
func TestRevoked_concurrent(t *testing.T) {
	list, store := newList(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 50 {
				family := JWT("issuer", string(rune('a'+i))+string(rune('a'+n%26)))
				if err := store.Revoke(t.Context(), family, time.Time{}); err != nil {
					t.Error(err)
				}
				if revoked, err := list.Revoked(t.Context(), family); !revoked || err != nil {
					t.Errorf("Revoked = %t, %v after Revoke", revoked, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestJWT(t *testing.T) {
	if got, want := JWT("https://issuer.example", "id|1"), "jwt:https://issuer.example|id|1"; got != want {
		t.Errorf("JWT = %q, want %q", got, want)
	}
	if JWT("a|b", "c") == JWT("a", "b|c") {
		t.Error("two tokens have one family")
	}
	long := JWT("issuer", strings.Repeat("x", 20_000))
	if len(long) > tokenstore.MaxName || long == JWT("issuer", strings.Repeat("x", 20_001)) {
		t.Errorf("JWT of a long jti = %q", long)
	}
}

func TestWiden(t *testing.T) {
	for name, tt := range map[string]struct{ in, want tokenstore.Change }{
		"a token":        {tokenstore.Change{Family: JWT("https://issuer.example", "a|b")}, tokenstore.Change{Family: JWT("https://issuer.example", "a|b"), CredentialID: "a|b"}},
		"no issuer":      {tokenstore.Change{Family: JWT("", "id")}, tokenstore.Change{Family: "jwt:|id", CredentialID: "id"}},
		"a long token":   {tokenstore.Change{Family: JWT("", strings.Repeat("x", 2000))}, tokenstore.Change{All: true}},
		"another family": {tokenstore.Change{Family: "family"}, tokenstore.Change{Family: "family"}},
		"a user":         {tokenstore.Change{UserKey: "u"}, tokenstore.Change{UserKey: "u"}},
		"a record too":   {tokenstore.Change{Family: JWT("", "id"), CredentialID: "other"}, tokenstore.Change{Family: "jwt:|id", CredentialID: "other"}},
	} {
		if got := Widen(tt.in); got != tt.want {
			t.Errorf("%s: Widen = %+v, want %+v", name, got, tt.want)
		}
	}
}

func BenchmarkRevoked_none(b *testing.B) {
	list, _ := newList(b)
	for b.Loop() {
		if revoked, err := list.Revoked(b.Context(), "jwt:issuer|id", "family"); revoked || err != nil {
			b.Fatal(revoked, err)
		}
	}
}
