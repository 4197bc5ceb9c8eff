// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package users

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/password"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func oldUser() *store {
	return &store{users: []tokenstore.User{{Key: "store:1", Name: "alice", PasswordHash: pbkdf2Hash, PasswordVersion: 1, Active: true}}}
}

func TestDirectory_renewsOldHashes(t *testing.T) {
	defer goleak.VerifyNone(t)
	hasher := password.New(password.Config{})
	s := oldUser()
	renewed := make(chan string, 1)
	s.rehash = func(ctx context.Context, key, old, new string) error {
		if key != "store:1" || old != pbkdf2Hash {
			t.Errorf("Rehash(%q, %q)", key, old)
		}
		s.change(key, func(u *tokenstore.User) { u.PasswordHash = new })
		renewed <- new
		return nil
	}
	d, err := New(nil, s, hasher, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := d.Authenticate(ctx, "alice", "secret"); err != nil {
		t.Fatal(err)
	}
	cancel() // the request ends; the renewal does not
	hash := <-renewed
	if ok, err := hasher.Verify(t.Context(), hash, "secret"); !ok || err != nil || password.NeedsRehash(hash) {
		t.Errorf("renewed hash: %v, %v", ok, err)
	}
	if _, err := d.Authenticate(t.Context(), "alice", "secret"); err != nil {
		t.Errorf("after the renewal: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if len(renewed) > 0 {
		t.Error("a hash of today's strength is renewed")
	}
}

func TestDirectory_renewsNothingElse(t *testing.T) {
	s := oldUser()
	s.users = append(s.users, tokenstore.User{Key: "store:2", Name: "gone", PasswordHash: pbkdf2Hash})
	s.rehash = func(_ context.Context, key, _, _ string) error {
		t.Errorf("Rehash of %s", key)
		return nil
	}
	d := newDirectory(t, []User{{Name: "bob", Password: pbkdf2Hash}}, s, password.New(password.Config{}))
	if _, err := d.Authenticate(t.Context(), "bob", "secret"); err != nil {
		t.Error(err)
	}
	for _, login := range [][2]string{{"alice", "guess"}, {"gone", "secret"}} {
		if _, err := d.Authenticate(t.Context(), login[0], login[1]); err == nil {
			t.Errorf("%s logs in", login[0])
		}
	}
	_ = d.Close() // waits for renewals
	if _, err := d.Authenticate(t.Context(), "alice", "secret"); err != nil {
		t.Errorf("a closed directory refuses: %v", err)
	}
}

// TestDirectory_renewalsAreBounded starts renewals that the store does not let
// end: one per user, and few in all.
func TestDirectory_renewalsAreBounded(t *testing.T) {
	defer goleak.VerifyNone(t)
	var mu sync.Mutex
	started := map[string]int{}
	s := &store{rehash: func(ctx context.Context, key, _, _ string) error {
		mu.Lock()
		started[key]++
		mu.Unlock()
		<-ctx.Done()
		return ctx.Err()
	}}
	d, err := New(nil, s, password.New(password.Config{}), nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		for _, key := range []string{"store:1", "store:2", "store:3"} {
			d.renew(t.Context(), key, pbkdf2Hash, "secret")
		}
	}
	for begun := 0; begun < maxRenewals; time.Sleep(time.Millisecond) {
		mu.Lock()
		begun = len(started)
		mu.Unlock()
	}
	_ = d.Close()
	if len(started) != maxRenewals || started["store:1"] != 1 || started["store:2"] != 1 {
		t.Errorf("renewals by user: %v", started)
	}
}

func TestDirectory_renewalEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var took time.Duration
		start := time.Now()
		s := &store{rehash: func(ctx context.Context, _, _, _ string) error {
			<-ctx.Done()
			took = time.Since(start)
			return ctx.Err()
		}}
		d := newDirectory(t, nil, s, password.New(password.Config{}))
		d.renew(t.Context(), "store:1", pbkdf2Hash, "secret")
		time.Sleep(renewalTimeout + time.Second)
		synctest.Wait()
		if took != renewalTimeout || len(d.renewing) > 0 {
			t.Errorf("the renewal took %v, and %d are under way", took, len(d.renewing))
		}
	})
}

func TestDirectory_renewalFails(t *testing.T) {
	tests := map[string]struct {
		err    error
		logged int
	}{
		"store down":       {errors.New("disk full"), 1},
		"password changed": {tokenstore.ErrStale, 0},
		"user deleted":     {tokenstore.ErrNotFound, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := oldUser()
			called := make(chan struct{})
			s.rehash = func(context.Context, string, string, string) error {
				close(called)
				return test.err
			}
			d := newDirectory(t, nil, s, password.New(password.Config{}))
			core, logs := observer.New(zap.DebugLevel)
			d.logger = zap.New(core)
			if _, err := d.Authenticate(t.Context(), "alice", "secret"); err != nil {
				t.Errorf("the login fails: %v", err)
			}
			<-called
			_ = d.Close()
			if logs.Len() != test.logged {
				t.Errorf("%d lines logged, want %d", logs.Len(), test.logged)
			}
			for _, entry := range logs.All() {
				if fields := entry.ContextMap(); fields["user_key"] != "store:1" || strings.Contains(entry.Message, "secret") {
					t.Errorf("logged %q with %v", entry.Message, fields)
				}
			}
		})
	}
}
