// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"context"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/auth/authtest"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/knox"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const (
	newKnox = "pre_0b1f3c5d7e9f0b1f3c5d7e9f0b1f3c5d7e9f0b1f3c5d7e9f0b1f3c5d7e9f0b1f"
	oldKnox = "9f0b1f3c5d7e9f0b1f3c5d7e9f0b1f3c5d7e9f0b1f3c5d7e9f0b1f3c5d7e9f0b"
)

// addDigest stores a record under a digest that an import brought.
func addDigest(t testing.TB, s tokenstore.Store, id string, hashed []byte, c tokenstore.Credential) {
	t.Helper()
	digest := sha512.Sum512(hashed)
	c.ID, c.Digest, c.Origin, c.Created = id, digest[:], "django", tokenNow.Add(-time.Hour)
	if err := s.Create(t.Context(), c, 0, false); err != nil {
		t.Fatal(err)
	}
	markKnox(t, s)
}

// markKnox says that an import brought tokens of knox.
func markKnox(t testing.TB, s tokenstore.Store) {
	t.Helper()
	if _, err := s.Remember(t.Context(), knox.Imported, tokenNow.AddDate(100, 0, 0)); err != nil {
		t.Fatal(err)
	}
}

// TestToken_knox finds what django-rest-knox has stored, of whatever version.
func TestToken_knox(t *testing.T) {
	ctx, app := newApp(t)
	alice := addUser(t, app.store, tokenstore.User{Name: "alice", Active: true})
	gone := addUser(t, app.store, tokenstore.User{Name: "gone", Active: true})
	spelled, err := hex.DecodeString(oldKnox)
	if err != nil {
		t.Fatal(err)
	}
	ofAlice := tokenstore.Credential{Kind: tokenstore.KindKnox, UserKey: alice.Key}
	addDigest(t, app.store, "new", []byte(newKnox), ofAlice)
	addDigest(t, app.store, "old", spelled, ofAlice)
	addDigest(t, app.store, "expired", []byte("expired"), tokenstore.Credential{Kind: tokenstore.KindKnox, UserKey: alice.Key, Expires: tokenNow})
	addDigest(t, app.store, "gone", []byte("gone"), tokenstore.Credential{Kind: tokenstore.KindKnox, UserKey: gone.Key})
	addDigest(t, app.store, "other", []byte("other kind"), tokenstore.Credential{Kind: tokenstore.KindAuthtoken, UserKey: alice.Key})
	gone.Active = false
	addUser(t, app.store, gone)

	const invalid = "Invalid token."
	of := func(id string) *auth.Identity { return &auth.Identity{ID: "alice", Key: alice.Key, Credential: id} }
	token := mustLoad[*Token](t, ctx, "token", `{}`)
	token.now = func() time.Time { return tokenNow }
	authtest.Run(t, token, []authtest.Case{
		{Name: "with its prefix", Request: with("Token " + newKnox), Identity: of("new")},
		{Name: "without it", Request: with("Token " + strings.TrimPrefix(newKnox, "pre_")), Err: failure(invalid)},
		{Name: "of an older version", Request: with("Token " + oldKnox), Identity: of("old")},
		{Name: "in capitals", Request: with("Token " + strings.ToUpper(oldKnox)), Err: failure(invalid)},
		{Name: "one letter less", Request: with("Token " + oldKnox[1:]), Err: failure(invalid)},
		{Name: "one letter more", Request: with("Token " + oldKnox + "0"), Err: failure(invalid)},
		{Name: "expired", Request: with("Token expired"), Err: failure(invalid)},
		{Name: "inactive", Request: with("Token gone"), Err: &auth.Failure{Detail: "User inactive or deleted.", Candidate: &auth.Identity{ID: "gone", Key: gone.Key}}},
		{Name: "another kind", Request: with("Token other"), Err: failure(invalid)},
	})
	record, _, err := app.store.Lookup(t.Context(), sum512(newKnox), tokenNow)
	if err != nil || !record.LastUsed.Equal(tokenNow) {
		t.Errorf("its last use is %v, %v", record.LastUsed, err)
	}

	others := mustLoad[*Token](t, ctx, "token", `{"kinds": ["token", "authtoken"]}`)
	others.now = token.now
	authtest.Run(t, others, []authtest.Case{{Name: "not accepted", Request: with("Token " + newKnox), Err: failure(invalid)}})
}

func sum512(text string) []byte {
	digest := sha512.Sum512([]byte(text))
	return digest[:]
}

// A countedStore counts what is asked of it, and fails from one question on.
type countedStore struct {
	tokenstore.Store
	lookups, known, fails int
}

func (c *countedStore) Lookup(ctx context.Context, digest []byte, now time.Time) (tokenstore.Credential, tokenstore.User, error) {
	if c.lookups++; c.lookups+c.known == c.fails {
		return tokenstore.Credential{}, tokenstore.User{}, tokenstore.ErrUnavailable
	}
	return c.Store.Lookup(ctx, digest, now)
}

func (c *countedStore) Known(ctx context.Context, key string) (bool, error) {
	if c.known++; c.lookups+c.known == c.fails {
		return false, tokenstore.ErrUnavailable
	}
	return c.Store.Known(ctx, key)
}

// TestToken_lookups counts what bad tokens cost, and what a store that fails at
// any of it means.
func TestToken_lookups(t *testing.T) {
	ctx, app := newApp(t)
	_, other := newApp(t)
	markKnox(t, app.store)
	for _, test := range []struct {
		config, token  string
		store          tokenstore.Store
		lookups, known int
	}{
		{`{}`, "a-bad-token", app.store, 2, 1},
		{`{}`, oldKnox, app.store, 3, 1},
		{`{}`, strings.ToUpper(oldKnox), app.store, 2, 1},
		{`{}`, oldKnox, other.store, 1, 1},
		{`{"kinds": ["authtoken"]}`, oldKnox, app.store, 1, 0},
	} {
		for fails := range test.lookups + test.known + 1 {
			token := mustLoad[*Token](t, ctx, "token", test.config)
			counted := &countedStore{Store: test.store, fails: fails}
			token.store = counted
			_, err := token.Authenticate(with("Token " + test.token))
			if down := errors.As(err, new(*auth.Unavailable)); down != (fails > 0) || !down && (counted.lookups != test.lookups || counted.known != test.known) {
				t.Errorf("%s, %s, failing at %d: %+v, %v", test.config, test.token, fails, counted, err)
			}
		}
	}
}

// TestToken_importedLater asks at most once a second whether there are tokens of
// knox, and never again once there are.
func TestToken_importedLater(t *testing.T) {
	ctx, app := newApp(t)
	token := mustLoad[*Token](t, ctx, "token", `{}`)
	counted := &countedStore{Store: app.store}
	now := tokenNow
	token.store, token.now = counted, func() time.Time { return now }
	ask := func(known int, accepted bool) {
		t.Helper()
		for range 3 {
			if _, err := token.Authenticate(with("Token " + newKnox)); (err == nil) != accepted {
				t.Errorf("Authenticate: %v", err)
			}
		}
		if counted.known != known {
			t.Errorf("asked %d times, want %d", counted.known, known)
		}
	}
	ask(1, false)
	alice := addUser(t, app.store, tokenstore.User{Name: "alice", Active: true})
	addDigest(t, app.store, "new", []byte(newKnox), tokenstore.Credential{Kind: tokenstore.KindKnox, UserKey: alice.Key})
	ask(1, false)
	now = now.Add(askAgain)
	ask(2, true)
	now = now.Add(time.Hour)
	ask(2, true)
}

// BenchmarkToken_bad is a token that nobody has, with a store that costs next to
// nothing.
func BenchmarkToken_bad(b *testing.B) {
	ctx, app := newApp(b)
	_, other := newApp(b)
	markKnox(b, app.store)
	for name, test := range map[string]struct {
		store tokenstore.Store
		token string
	}{
		"hexadecimal":       {app.store, oldKnox},
		"other":             {app.store, newKnox},
		"without an import": {other.store, oldKnox},
	} {
		b.Run(name, func(b *testing.B) {
			token := mustLoad[*Token](b, ctx, "token", `{}`)
			token.store = test.store
			r := with("Token " + test.token)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := token.Authenticate(r); err == nil {
					b.Fatal("it is accepted")
				}
			}
		})
	}
}
