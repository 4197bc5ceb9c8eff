// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package livestore

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// TestDryRun does everything that writes for a request that is only asked
// about: nothing reaches the store, then or later.
func TestDryRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDriver()
		s, _ := acquire(t, d)
		if err := lookup(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		ctx, now := auth.WithDryRun(t.Context()), time.Now()
		for name, write := range map[string]func() error{
			"create":        func() error { return s.Create(ctx, tokenstore.Credential{}, 0, false) },
			"consume":       func() error { _, err := s.Consume(ctx, digest, now); return err },
			"rotate":        func() error { _, _, err := s.Rotate(ctx, digest, nil, nil, now, 0); return err },
			"delete":        func() error { _, err := s.Delete(ctx, tokenstore.Filter{ID: "x"}); return err },
			"put_user":      func() error { _, err := s.PutUser(ctx, tokenstore.User{}); return err },
			"rehash":        func() error { return s.Rehash(ctx, "", "", "") },
			"delete_user":   func() error { return s.DeleteUser(ctx, "x") },
			"put_group":     func() error { return s.PutGroup(ctx, tokenstore.Group{}) },
			"delete_group":  func() error { return s.DeleteGroup(ctx, "x") },
			"put_client":    func() error { _, err := s.PutClient(ctx, tokenstore.Client{}); return err },
			"delete_client": func() error { return s.DeleteClient(ctx, "x") },
			"in_tx":         func() error { return s.InTx(ctx, func(tokenstore.Store) error { return nil }) },
		} {
			if err := write(); !errors.Is(err, errDryRun) || d.store.count(name) != 0 {
				t.Errorf("%s: %v, after %d calls", name, err, d.store.count(name))
			}
		}
		if err := s.Touch(ctx, digest, now, time.Time{}); err != nil {
			t.Errorf("touch: %v", err)
		}
		if wait, err := s.Hit(ctx, "x", 1, time.Hour, now); wait != 0 || err != nil {
			t.Errorf("hit: %v, %v", wait, err)
		}
		d.store.attempts = []tokenstore.Attempts{{Key: "x", Count: 1, Last: now}}
		for key, want := range map[string]time.Duration{"x": time.Hour, "": 0} {
			if wait, err := s.Attempt(ctx, key, tokenstore.Backoff{Base: time.Hour}, now); wait != want || err != nil {
				t.Errorf("attempt: %v, %v, want %v", wait, err, want)
			}
		}
		if err := s.Refund(ctx, "x"); err != nil {
			t.Errorf("refund: %v", err)
		}
		if err := s.Forget(ctx, "x"); err != nil {
			t.Errorf("forget: %v", err)
		}
		if _, err := s.Remember(ctx, "x", now.Add(time.Hour)); err != nil {
			t.Errorf("remember: %v", err)
		}
		time.Sleep(2 * touchInterval)
		synctest.Wait()
		for _, name := range []string{"touch", "hit", "attempt", "refund", "forget", "remember"} {
			if n := d.store.count(name); n != 0 {
				t.Errorf("%s reached the store %d times", name, n)
			}
		}
		if d.store.count("known") != 1 {
			t.Error("remember did not look")
		}
	})
}
