// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package users

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/loginthrottle"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/password"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/memory"
)

// throttled returns a directory with alice, whose password is "secret" in an
// old format, and a store that counts.
func throttled(t testing.TB, settings loginthrottle.Settings) (*Directory, *memory.Store) {
	t.Helper()
	s := memory.New()
	if _, err := s.PutUser(t.Context(), tokenstore.User{Name: "alice", PasswordHash: "pbkdf2_sha256$1000$saltsalt$jyLSnB0mBEqhRlUYLFzmgRYNyXuqpx7dLv4/Nmn3g1E=", Active: true}); err != nil {
		t.Fatal(err)
	}
	throttle, err := loginthrottle.New(loginthrottle.Options{Settings: settings, Store: s, Memory: loginthrottle.NewMemory(memory.New())})
	if err != nil {
		t.Fatal(err)
	}
	hasher := password.New(password.Config{Queue: 1000})
	d, err := New([]User{{Name: "bob", Password: hashOf(t, hasher, "secret")}}, s, hasher, throttle)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d, s
}

// from is the context of a request by a client of that address.
func from(ctx context.Context, address string) context.Context {
	return context.WithValue(ctx, caddyhttp.VarsCtxKey, map[string]any{caddyhttp.ClientIPVarKey: address})
}

// TestDirectory_burst has a page's requests come at once, on a cold cache.
func TestDirectory_burst(t *testing.T) {
	d, s := throttled(t, loginthrottle.Settings{User: 1, Address: 1})
	var all sync.WaitGroup
	var mu sync.Mutex
	identities := make(map[*auth.Identity]bool)
	for i := range 50 {
		all.Go(func() {
			id, err := d.Authenticate(from(t.Context(), fmt.Sprint("2001:db8::", i)), "bob", "secret")
			if err != nil {
				t.Errorf("one of 50 equal logins: %v", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			identities[id] = true
		})
	}
	all.Wait()
	if len(identities) != 50 {
		t.Errorf("50 callers share %d identities, which each may change", len(identities))
	}
	if page, _, err := s.Attempts(t.Context(), loginthrottle.UserPrefix("bob"), "", 10); err != nil || len(page) > 0 {
		t.Errorf("counted %v, %v", page, err)
	}
}

// TestDirectory_guesses makes 100 guesses at once, and counts the hashes.
func TestDirectory_guesses(t *testing.T) {
	for _, name := range []string{"alice", "bob", "nobody"} {
		t.Run(name, func(t *testing.T) {
			d, _ := throttled(t, loginthrottle.Settings{})
			var bad, refused atomic.Int64
			var all sync.WaitGroup
			for i := range 100 {
				all.Go(func() {
					_, err := d.Authenticate(from(t.Context(), "192.0.2.1"), name, fmt.Sprint("guess", i))
					switch err.(type) {
					case *auth.Failure:
						bad.Add(1)
					case *auth.Throttled:
						refused.Add(1)
					default:
						t.Errorf("a guess: %v", err)
					}
				})
			}
			all.Wait()
			if bad.Load() != 5 || refused.Load() != 95 {
				t.Errorf("%d guesses were hashed, and %d refused; want 5 and 95", bad.Load(), refused.Load())
			}
			if _, err := d.Authenticate(t.Context(), name, ""); errors.As(err, new(*auth.Throttled)) {
				t.Errorf("what is no guess: %v", err)
			}
		})
	}
}

func TestDirectory_Guess(t *testing.T) {
	d, _ := throttled(t, loginthrottle.Settings{User: 2})
	ctx := from(t.Context(), "192.0.2.1")
	wrong := func(context.Context) (*auth.Identity, error) { return nil, &auth.Failure{} }
	for range 2 {
		if _, err := d.Guess(ctx, "code", "alice", wrong); !errors.As(err, new(*auth.Failure)) {
			t.Errorf("Guess: %v", err)
		}
	}
	if _, err := d.Guess(ctx, "code", "ａLICE", nil); !errors.As(err, new(*auth.Throttled)) {
		t.Errorf("Guess: %v, want a Throttled", err)
	}
}

func TestTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var shared together
		var runs atomic.Int64
		key := sameLogin(nil, "", "alice", "secret")
		slow := func(ctx context.Context) (*auth.Identity, error) {
			runs.Add(1)
			select {
			case <-time.After(time.Minute):
				return &auth.Identity{ID: "alice"}, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		impatient, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			_, _, err := shared.do(impatient, key, slow)
			if !errors.Is(err, context.Canceled) || !isUnavailable(err) {
				t.Errorf("who has gone: %v", err)
			}
		})
		synctest.Wait()
		for range 3 {
			all.Go(func() {
				if id, joined, err := shared.do(t.Context(), key, slow); err != nil || id.ID != "alice" || !joined {
					t.Errorf("who waits: %v, %v, %v", id, joined, err)
				}
			})
		}
		synctest.Wait()
		cancel()
		all.Wait()
		if runs.Load() != 1 || len(shared.runs) != 0 {
			t.Errorf("%d runs, and %d are left", runs.Load(), len(shared.runs))
		}

		// Nobody waits: it ends, and is not joined.
		alone, cancel := context.WithCancel(t.Context())
		all.Go(func() { _, _, _ = shared.do(alone, key, slow) })
		synctest.Wait()
		cancel()
		synctest.Wait()
		if len(shared.runs) != 0 {
			t.Error("a run goes on for nobody")
		}
		all.Wait()
	})
}

// TestDirectory_joins has logins come while one with the same password is
// verified.
func TestDirectory_joins(t *testing.T) {
	const joining, there = "192.0.2.2", "192.0.2.3"
	setUp := func(t *testing.T) (d *Directory, s *memory.Store, begin func(address string) (end func() error)) {
		d, s = throttled(t, loginthrottle.Settings{User: 2, Delay: caddy.Duration(time.Hour)})
		user, err := s.UserByName(t.Context(), "alice")
		if err != nil {
			t.Fatal(err)
		}
		user.PasswordHash = hashOf(t, d.hasher, "secret")
		if _, err := s.PutUser(t.Context(), user); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Authenticate(from(t.Context(), joining), "alice", "secret"); err != nil {
			t.Fatal(err)
		}
		return d, s, func(address string) func() error {
			release, verified, done := make(chan struct{}), make(chan struct{}), make(chan error)
			go func() {
				_, _, err := d.together.do(from(t.Context(), address), sameLogin(nil, address, "alice", "secret"), func(ctx context.Context) (*auth.Identity, error) {
					id, err := d.verify(ctx, nil, "alice", "secret")
					close(verified)
					<-release
					return id, err
				})
				done <- err
			}()
			<-verified
			return func() error { close(release); return <-done }
		}
	}
	guess := func(d *Directory, address, secret string) error {
		_, err := d.Authenticate(from(t.Context(), address), "alice", secret)
		return err
	}
	t.Run("from another network", func(t *testing.T) {
		d, _, begin := setUp(t)
		end := begin(joining)
		for i := range 2 {
			_ = guess(d, there, fmt.Sprint("x", i))
		}
		if err := guess(d, there, "secret"); !errors.As(err, new(*auth.Throttled)) {
			t.Errorf("a guesser learns that the password is right: %v", err)
		}
		if err := end(); err != nil {
			t.Error(err)
		}
	})
	t.Run("who has to wait", func(t *testing.T) {
		d, _, begin := setUp(t)
		end := begin(joining)
		for i := range 2 {
			_ = guess(d, joining, fmt.Sprint("x", i))
		}
		if err := guess(d, joining, "secret"); !errors.As(err, new(*auth.Throttled)) {
			t.Errorf("a guesser learns that the password is right: %v", err)
		}
		if err := end(); err != nil {
			t.Error(err)
		}
	})
	t.Run("after a change", func(t *testing.T) {
		d, s, begin := setUp(t)
		end := begin(joining)
		user, err := s.UserByName(t.Context(), "alice")
		if err != nil {
			t.Fatal(err)
		}
		user.PasswordHash = hashOf(t, d.hasher, "other")
		if _, err := s.PutUser(t.Context(), user); err != nil {
			t.Fatal(err)
		}
		late := make(chan error)
		go func() { late <- guess(d, joining, "secret") }()
		for d.together.waitingFor(sameLogin(nil, joining, "alice", "secret")) < 2 {
			runtime.Gosched()
		}
		_ = end()
		if err := <-late; !errors.As(err, new(*auth.Failure)) {
			t.Errorf("a login with the password of before: %v", err)
		}
	})
}

// TestDirectory_successor has a user deleted, and another one get the name.
func TestDirectory_successor(t *testing.T) {
	d, s := throttled(t, loginthrottle.Settings{User: 1, Delay: caddy.Duration(time.Hour)})
	hash := hashOf(t, d.hasher, "secret")
	login := func(address, secret string) error {
		_, err := d.Authenticate(from(t.Context(), address), "carol", secret)
		return err
	}
	for _, want := range []bool{true, false} {
		user, err := s.PutUser(t.Context(), tokenstore.User{Name: "carol", PasswordHash: hash, Active: true})
		if err != nil {
			t.Fatal(err)
		}
		if want {
			if err := login("192.0.2.1", "secret"); err != nil {
				t.Fatal(err)
			}
		}
		_ = login("192.0.2.2", "x")
		if err := login("192.0.2.1", "secret"); (err == nil) != want {
			t.Errorf("carol logs in from where the name is known: %v, want %v", err, want)
		}
		if err := s.DeleteUser(t.Context(), user.Key); err != nil {
			t.Fatal(err)
		}
		if want {
			if err := s.Forget(t.Context(), loginthrottle.UserKey(loginthrottle.Subject{Digest: loginthrottle.Digest("carol"), Kind: loginthrottle.KindPassword})); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func (t *together) waitingFor(key [32]byte) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.runs[key]; r != nil {
		return r.waiting
	}
	return 0
}

func TestTogether_panic(t *testing.T) {
	var shared together
	_, _, err := shared.do(t.Context(), sameLogin(nil, "", "a", "b"), func(context.Context) (*auth.Identity, error) { panic("x") })
	if !isUnavailable(err) || !errors.Is(err, errPanic) {
		t.Errorf("a panic: %v", err)
	}
}

func TestSameLogin(t *testing.T) {
	keys := make(map[[32]byte]string)
	for _, login := range [][2]string{{"a", "b"}, {"ab", ""}, {"", "ab"}, {"a", "bc"}, {"ab", "c"}} {
		key := sameLogin(nil, "", login[0], login[1])
		if other, taken := keys[key]; taken {
			t.Errorf("%q is taken for %q", login, other)
		}
		keys[key] = fmt.Sprintf("%q", login)
	}
	if sameLogin(nil, "192.0.2.1", "a", "b") == sameLogin(nil, "192.0.2.2", "a", "b") {
		t.Error("the network does not matter")
	}
	if sameLogin(roster{}, "", "a", "b") == sameLogin(nil, "", "a", "b") {
		t.Error("the roster does not matter")
	}
}

type roster struct{}

func (roster) Name() string                      { return "file" }
func (roster) Find(string) (string, bool, error) { return "", false, nil }

// BenchmarkLogin is a first-sight login without its hash: what is counted, and
// what is forgotten.
func BenchmarkLogin(b *testing.B) {
	d, _ := throttled(b, loginthrottle.Settings{})
	accept := func(context.Context) (*auth.Identity, error) { return &auth.Identity{ID: "alice"}, nil }
	for _, address := range []string{"192.0.2.1", "new"} {
		b.Run(map[bool]string{true: "new_address", false: "known_address"}[address == "new"], func(b *testing.B) {
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				at := address
				if at == "new" {
					n++
					at = fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255)
				}
				key := sameLogin(nil, "", "alice", "secret")
				_, _, err := d.together.do(from(b.Context(), at), key, func(ctx context.Context) (*auth.Identity, error) {
					return d.throttle.Guess(ctx, loginthrottle.Guess{Kind: loginthrottle.KindPassword, Name: "alice", Address: at}, accept)
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
