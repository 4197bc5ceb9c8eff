// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authtoken

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/memory"
)

// announcing is a store whose changes a test tells.
type announcing struct {
	faulty
	changed   func(tokenstore.Change)
	cancelled bool
}

func (a *announcing) Subscribe(changed func(tokenstore.Change)) (cancel func()) {
	a.changed = changed
	changed(tokenstore.Change{All: true})
	return func() { a.cancelled = true }
}

// tokens returns how many a user has.
func tokens(t *testing.T, store tokenstore.Store, key string) int {
	t.Helper()
	page, _, err := store.List(t.Context(), tokenstore.Filter{UserKey: key}, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	return len(page)
}

func await(t *testing.T, store tokenstore.Store, key string) {
	t.Helper()
	for began := time.Now(); tokens(t, store, key) != 1; time.Sleep(time.Millisecond) {
		if time.Since(began) > 20*time.Second {
			t.Fatal("the user has no token")
		}
	}
}

func TestFollowUsers(t *testing.T) {
	inner := memory.New()
	store := &announcing{faulty: faulty{Store: inner}}
	e, _ := newEndpoint(t, store)
	old := tokenstore.NewUserKey(time.Now().Add(-time.Hour))
	add := func(user tokenstore.User) string {
		t.Helper()
		stored, err := inner.PutUser(t.Context(), user)
		if err != nil {
			t.Fatal(err)
		}
		return stored.Key
	}
	add(tokenstore.User{Name: "old", Key: old, Active: true})
	ctx, cancel := caddy.NewContext(caddy.Context{Context: t.Context()})
	defer cancel()
	if err := e.followUsers(ctx); err != nil {
		t.Fatal(err)
	}
	new1, idle := add(tokenstore.User{Name: "new1", Active: true}), add(tokenstore.User{Name: "idle"})
	for _, key := range []string{old, "config:bob", "", idle, new1} {
		store.changed(tokenstore.Change{UserKey: key})
	}
	await(t, inner, new1)
	if tokens(t, inner, old) != 0 || tokens(t, inner, idle) != 0 {
		t.Error("a user who is not new, or not active, has a token")
	}
	// One that is revoked stays so, though everything is looked through.
	if _, err := inner.Delete(t.Context(), tokenstore.Filter{UserKey: new1}); err != nil {
		t.Fatal(err)
	}
	new2 := add(tokenstore.User{Name: "new2", Active: true})
	store.changed(tokenstore.Change{UserKey: new1})
	store.changed(tokenstore.Change{All: true})
	await(t, inner, new2)
	if tokens(t, inner, new1) != 0 {
		t.Error("a revoked token is made again")
	}
	if err := e.Cleanup(); err != nil || !store.cancelled {
		t.Errorf("Cleanup = %v, and the subscription ends: %t", err, store.cancelled)
	}
	if err := e.Cleanup(); err != nil {
		t.Error(err)
	}
}

// A store that does not answer is asked again.
func TestFollowUsers_faults(t *testing.T) {
	inner := memory.New()
	store := &announcing{faulty: faulty{Store: inner}}
	e, directory := newEndpoint(t, store)
	f := &follower{issuer: e.issuer, logger: e.logger, since: firstKey(time.Now().Add(-skew)), known: map[string]bool{}, wake: make(chan struct{}, 1)}
	store.list = errors.New("down")
	if err := f.look(t.Context(), map[string]bool{directory.user.Key: true}, false); err == nil || f.known[directory.user.Key] {
		t.Errorf("look = %v", err)
	}
	store.list = nil
	if err := f.look(t.Context(), nil, true); err != nil || tokens(t, inner, directory.user.Key) != 1 {
		t.Errorf("look = %v", err)
	}
	for range 2 * maxPending {
		f.changed(tokenstore.Change{UserKey: tokenstore.NewUserKey(time.Now())})
	}
	if pending, all := f.take(); len(pending) > maxPending || !all {
		t.Errorf("%d users are kept in mind, all %t", len(pending), all)
	}
}

// busy is a store that cannot list so many times.
type busy struct {
	tokenstore.Store
	times int
}

func (b *busy) List(ctx context.Context, filter tokenstore.Filter, cursor string, n int) ([]tokenstore.Credential, string, error) {
	if b.times > 0 {
		b.times--
		return nil, "", errors.New("down")
	}
	return b.Store.List(ctx, filter, cursor, n)
}

// While the store does not answer it is asked ever more rarely, and about those
// users alone.
func TestFollowUsers_retry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := memory.New()
		e, directory := newEndpoint(t, &busy{inner, 10})
		f := &follower{issuer: e.issuer, logger: e.logger, since: firstKey(time.Now().Add(-skew)), known: map[string]bool{}, wake: make(chan struct{}, 1)}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go f.run(ctx)
		f.changed(tokenstore.Change{UserKey: directory.user.Key})
		const waits = (1+2+4+8+16+32)*time.Second + 4*maxRetryAfter
		time.Sleep(waits - time.Second)
		if n := tokens(t, inner, directory.user.Key); n != 0 {
			t.Errorf("after %s the user has %d tokens", waits-time.Second, n)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if n := tokens(t, inner, directory.user.Key); n != 1 || f.all {
			t.Errorf("the user has %d tokens, and all are looked through: %t", n, f.all)
		}
	})
}
