// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// calls are one call of every method but Watch and Close, each harmless and
// without an error on an open store that beforeAll filled.
func calls(s tokenstore.Store, user tokenstore.User) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"Lookup": func(ctx context.Context) error { _, _, err := s.Lookup(ctx, digest("touched"), t0); return err },
		"Create": func(ctx context.Context) error { return s.Create(ctx, record("called"), 0, false) },
		"Touch":  func(ctx context.Context) error { return s.Touch(ctx, digest("touched"), at(time.Hour), time.Time{}) },
		"Consume": func(ctx context.Context) error {
			_, err := s.Consume(ctx, digest("consumed"), t0)
			return err
		},
		"Rotate": func(ctx context.Context) error {
			_, _, err := s.Rotate(ctx, digest("old"), nil, nil, t0, 0)
			return err
		},
		"Delete": func(ctx context.Context) error {
			_, err := s.Delete(ctx, tokenstore.Filter{ID: "id-sibling"})
			return err
		},
		"Revoke":       func(ctx context.Context) error { return s.Revoke(ctx, "called", at(time.Hour)) },
		"Revoked":      func(ctx context.Context) error { _, err := s.Revoked(ctx, "called"); return err },
		"List":         func(ctx context.Context) error { _, _, err := s.List(ctx, tokenstore.Filter{}, "", 1); return err },
		"User":         func(ctx context.Context) error { _, err := s.User(ctx, user.Key); return err },
		"UserByName":   func(ctx context.Context) error { _, err := s.UserByName(ctx, user.Name); return err },
		"UserByOrigin": func(ctx context.Context) error { _, err := s.UserByOrigin(ctx, user.Origin, user.OriginID); return err },
		"Users":        func(ctx context.Context) error { _, _, err := s.Users(ctx, "", 1); return err },
		"PutUser":      func(ctx context.Context) error { _, err := s.PutUser(ctx, tokenstore.User{Name: "called"}); return err },
		"Rehash":       func(ctx context.Context) error { return s.Rehash(ctx, user.Key, user.PasswordHash, "rehashed") },
		"DeleteUser":   func(ctx context.Context) error { return s.DeleteUser(ctx, user.Key) },
		"PutGroup":     func(ctx context.Context) error { return s.PutGroup(ctx, tokenstore.Group{Name: "called"}) },
		"Groups":       func(ctx context.Context) error { _, err := s.Groups(ctx); return err },
		"DeleteGroup":  func(ctx context.Context) error { return s.DeleteGroup(ctx, "g") },
		"Client":       func(ctx context.Context) error { _, err := s.Client(ctx, "c"); return err },
		"PutClient": func(ctx context.Context) error {
			_, err := s.PutClient(ctx, tokenstore.Client{ID: "called"})
			return err
		},
		"DeleteClient": func(ctx context.Context) error { return s.DeleteClient(ctx, "c") },
		"Remember":     func(ctx context.Context) error { _, err := s.Remember(ctx, "called", at(time.Hour)); return err },
		"Known":        func(ctx context.Context) error { _, err := s.Known(ctx, "known"); return err },
		"Hit":          func(ctx context.Context) error { _, err := s.Hit(ctx, "called", 1, time.Minute, t0); return err },
		"Attempt":      func(ctx context.Context) error { _, err := s.Attempt(ctx, "called", backoff, t0); return err },
		"Refund":       func(ctx context.Context) error { return s.Refund(ctx, "attempted") },
		"Attempted":    func(ctx context.Context) error { _, err := s.Attempted(ctx, "attempted"); return err },
		"Clients":      func(ctx context.Context) error { _, _, err := s.Clients(ctx, "", "", 1); return err },
		"Attempts":     func(ctx context.Context) error { _, _, err := s.Attempts(ctx, "", "", 1); return err },
		"Forget":       func(ctx context.Context) error { return s.Forget(ctx, "known") },
		"Sweep":        func(ctx context.Context) error { _, err := s.Sweep(ctx, t0, 100); return err },
	}
}

var lifecycleTests = []test{
	{"a call under a canceled context does nothing", func(f *fixture) {
		unchanged := f.beforeAll()
		user := f.put(tokenstore.User{Name: "victim", Origin: "o", OriginID: "1"})
		ctx, cancel := context.WithCancel(f.Context())
		cancel()
		for name, call := range calls(f.store, user) {
			if err := call(ctx); !errors.Is(err, context.Canceled) && !errors.Is(err, tokenstore.ErrUnavailable) {
				f.Errorf("%s under a canceled context = %v, want context.Canceled or ErrUnavailable", name, err)
			}
		}
		got, err := f.store.User(f.Context(), user.Key)
		f.ok(err)
		f.same("user", got, user)
		f.ok(f.store.DeleteUser(f.Context(), user.Key))
		f.known("called", false)
		f.revoked("called", false)
		f.hits("called", 1, t0, 0)
		_, err = f.store.Client(f.Context(), "called")
		f.wants(err, tokenstore.ErrNotFound)
		_, err = f.store.UserByName(f.Context(), "called")
		f.wants(err, tokenstore.ErrNotFound)
		f.dead(digest("called"), t0)
		unchanged()
	}},
	{"a closed store is unavailable", func(f *fixture) {
		f.beforeAll()
		user := f.put(tokenstore.User{Name: "victim", Origin: "o", OriginID: "1"})
		w := f.watch()
		f.ok(f.store.Close())
		for name, call := range calls(f.store, user) {
			if err := call(f.Context()); !errors.Is(err, tokenstore.ErrUnavailable) {
				f.Errorf("%s after Close = %v, want ErrUnavailable", name, err)
			}
		}
		f.wants(f.store.Watch(f.Context(), func(tokenstore.Change) {}), tokenstore.ErrUnavailable)
		if tx, ok := f.store.(tokenstore.Transactor); ok {
			f.wants(tx.InTx(f.Context(), func(tokenstore.Store) error { return nil }), tokenstore.ErrUnavailable)
		}
		select {
		case err := <-w.done:
			w.done <- err
			f.fails(err, "Watch of a closed store")
		case <-time.After(5 * prompt):
			f.Error("Watch goes on after Close")
		}
		_ = f.store.Close()
	}},
	{"every call works on an open store", func(f *fixture) {
		f.beforeAll()
		user := f.put(tokenstore.User{Name: "victim", Origin: "o", OriginID: "1"})
		all := calls(f.store, user)
		last := all["DeleteUser"]
		delete(all, "DeleteUser")
		for _, name := range []string{"User", "UserByName", "UserByOrigin", "Client", "Known", "Lookup"} {
			f.ok(all[name](f.Context()))
			delete(all, name)
		}
		for name, call := range all {
			if err := call(f.Context()); err != nil {
				f.Errorf("%s = %v, want no error", name, err)
			}
		}
		f.ok(last(f.Context()))
	}},
	{"a store in order has no problems", func(f *fixture) {
		verifier, ok := f.store.(tokenstore.Verifier)
		if !ok {
			f.Skip("the store is no Verifier")
		}
		f.beforeAll()
		problems, err := verifier.Verify(f.Context())
		f.ok(err)
		f.sameStrings("problems", problems)
	}},
}
