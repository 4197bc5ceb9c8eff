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
	knox := tokenstore.Credential{Kind: tokenstore.KindKnox, UserKey: alice.Key}
	addDigest(t, app.store, "new", []byte(newKnox), knox)
	addDigest(t, app.store, "old", spelled, knox)
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

// A countedStore counts look-ups, and fails from one on.
type countedStore struct {
	tokenstore.Store
	lookups, fails int
}

func (c *countedStore) Lookup(ctx context.Context, digest []byte, now time.Time) (tokenstore.Credential, tokenstore.User, error) {
	if c.lookups++; c.lookups == c.fails {
		return tokenstore.Credential{}, tokenstore.User{}, tokenstore.ErrUnavailable
	}
	return c.Store.Lookup(ctx, digest, now)
}

// TestToken_lookups counts what bad tokens cost, and what a store that fails at
// any of them means.
func TestToken_lookups(t *testing.T) {
	ctx, app := newApp(t)
	for _, test := range []struct {
		config, token string
		want          int
	}{
		{`{}`, "a bad token", 2},
		{`{}`, oldKnox, 3},
		{`{}`, strings.ToUpper(oldKnox), 2},
		{`{"kinds": ["authtoken"]}`, oldKnox, 1},
	} {
		token := mustLoad[*Token](t, ctx, "token", test.config)
		for fails := range test.want + 1 {
			counted := &countedStore{Store: app.store, fails: fails}
			token.store = counted
			_, err := token.Authenticate(with("Token " + strings.ReplaceAll(test.token, " ", "-")))
			want := test.want
			if fails > 0 {
				want = fails
			}
			if down := errors.As(err, new(*auth.Unavailable)); counted.lookups != want || down != (fails > 0) {
				t.Errorf("%s, %s, failing at %d: %d look-ups, %v; want %d", test.config, test.token, fails, counted.lookups, err, want)
			}
		}
	}
}

// BenchmarkToken_bad is a token that nobody has, with a store that costs next to
// nothing.
func BenchmarkToken_bad(b *testing.B) {
	ctx, _ := newApp(b)
	for name, test := range map[string]struct{ config, token string }{
		"hexadecimal":  {`{}`, oldKnox},
		"other":        {`{}`, newKnox},
		"without knox": {`{"kinds": ["token", "authtoken", "durin"]}`, oldKnox},
	} {
		b.Run(name, func(b *testing.B) {
			token := mustLoad[*Token](b, ctx, "token", test.config)
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
