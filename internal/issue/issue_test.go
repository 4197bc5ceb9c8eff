// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package issue

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/serverkey"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/memory"
)

func newIssuer(t *testing.T) (*Issuer, tokenstore.User) {
	t.Helper()
	store := memory.New()
	t.Cleanup(func() { store.Close() })
	user, err := store.PutUser(t.Context(), tokenstore.User{Name: "alice", Active: true})
	if err != nil {
		t.Fatal(err)
	}
	return New(store, serverkey.New(&certmagic.FileStorage{Path: t.TempDir()})), user
}

func TestHex(t *testing.T) {
	seen := make(map[string]bool)
	for _, digits := range []int{1, 40, 63, 64} {
		secret := Hex("pre_", digits)
		if len(secret) != 4+digits || !strings.HasPrefix(secret, "pre_") || seen[secret] {
			t.Errorf("Hex(%d) = %q", digits, secret)
		}
		if strings.Trim(secret[4:], "0123456789abcdef") != "" {
			t.Errorf("Hex(%d) = %q has other characters than digits", digits, secret)
		}
		seen[secret] = true
	}
}

func TestIssue(t *testing.T) {
	issuer, alice := newIssuer(t)
	core, logs := observer.New(zapcore.InfoLevel)
	issuer.logger = zap.New(core)
	record, err := issuer.Issue(t.Context(), "secret", tokenstore.Credential{Kind: tokenstore.KindKnox, UserKey: alice.Key}, 1, false)
	if err != nil {
		t.Fatal(err)
	}
	found, user, err := issuer.Store().Lookup(t.Context(), Digest("secret"), time.Now())
	if err != nil || found.ID != record.ID || user.Key != alice.Key || found.Created.IsZero() {
		t.Errorf("Lookup = %+v, %v", found, err)
	}
	if logged := logs.All(); len(logged) != 1 || logged[0].ContextMap()["credential"] != record.ID || logged[0].ContextMap()["user_key"] != alice.Key {
		t.Errorf("the log says %v", logged)
	}
	if strings.Contains(string(found.Data)+found.ID+found.Label, "secret") {
		t.Error("the record holds the secret")
	}
	_, err = issuer.Issue(t.Context(), "second", tokenstore.Credential{Kind: tokenstore.KindKnox, UserKey: alice.Key}, 1, false)
	if !errors.Is(err, tokenstore.ErrLimit) {
		t.Errorf("over the limit: %v, want %v", err, tokenstore.ErrLimit)
	}
	_, err = issuer.Issue(t.Context(), "third", tokenstore.Credential{Kind: tokenstore.KindKnox, UserKey: "store:nobody"}, 0, false)
	if _, refused := errors.AsType[*auth.Failure](StoreError(err)); !refused {
		t.Errorf("for a user who is gone: %v", StoreError(err))
	}
}

// A derived token is shown again until it ends, and never comes back then.
func TestDerived(t *testing.T) {
	issuer, alice := newIssuer(t)
	c := tokenstore.Credential{Kind: tokenstore.KindAuthtoken, UserKey: alice.Key}
	derive := func(c tokenstore.Credential) (string, tokenstore.Credential) {
		t.Helper()
		token, record, _, err := issuer.Derived(t.Context(), c, "", 40)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := issuer.Store().Lookup(t.Context(), Digest(token), time.Now()); err != nil {
			t.Fatalf("looking the token up: %v", err)
		}
		return token, record
	}
	first, record := derive(c)
	if len(first) != 40 {
		t.Errorf("token of %d digits, want 40", len(first))
	}
	if again, same := derive(c); again != first || same.ID != record.ID {
		t.Error("the second call returned another token")
	}
	if shown, ok, err := issuer.Rederive(t.Context(), &record); shown != first || !ok || err != nil {
		t.Errorf("Rederive = %t, %v; another token = %t", ok, err, shown != first)
	}
	other := c
	other.ClientID = "durin:web"
	if token, _ := derive(other); token == first {
		t.Error("two clients share a token")
	}
	if token, _ := derive(c); token != first {
		t.Error("another client's token took the place of the first")
	}
	if _, err := issuer.Store().Delete(t.Context(), tokenstore.Filter{ID: record.ID}); err != nil {
		t.Fatal(err)
	}
	if token, _ := derive(c); token == first {
		t.Error("a revoked token came back")
	}
	elsewhere := New(issuer.store, serverkey.New(&certmagic.FileStorage{Path: t.TempDir()}))
	if token, _, _, err := elsewhere.Derived(t.Context(), c, "", 40); !errors.Is(err, errForeignKey) || token != "" {
		t.Errorf("with another server key: %q, %v", token, err)
	}
}

func TestDerivedExpired(t *testing.T) {
	issuer, alice := newIssuer(t)
	c := tokenstore.Credential{Kind: tokenstore.KindDurin, UserKey: alice.Key, Expires: time.Now().Add(time.Hour)}
	first, _, _, err := issuer.Derived(t.Context(), c, "", 64)
	if err != nil {
		t.Fatal(err)
	}
	issuer.now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	c.Expires = issuer.now().Add(time.Hour)
	second, _, made, err := issuer.Derived(t.Context(), c, "", 64)
	if err != nil || !made || second == first {
		t.Errorf("after the end: made = %t, the same = %t, %v", made, second == first, err)
	}
}

// Callers who make the token at once all get the same one.
func TestDerivedRace(t *testing.T) {
	issuer, alice := newIssuer(t)
	c := tokenstore.Credential{Kind: tokenstore.KindAuthtoken, UserKey: alice.Key}
	tokens := make([]string, 32)
	var group sync.WaitGroup
	for n := range tokens {
		group.Go(func() {
			var err error
			if tokens[n], _, _, err = issuer.Derived(t.Context(), c, "", 40); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for _, token := range tokens {
		if token != tokens[0] {
			t.Fatal("two callers got different tokens")
		}
	}
}

// An imported token has no generation: it cannot be shown and stays as it is.
func TestDerivedBesideImported(t *testing.T) {
	issuer, alice := newIssuer(t)
	c := tokenstore.Credential{Kind: tokenstore.KindAuthtoken, UserKey: alice.Key}
	imported := c
	imported.Origin = "django"
	imported.Slot = "authtoken:" + alice.Key
	brought, err := issuer.Issue(t.Context(), "imported", imported, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok, err := issuer.Rederive(t.Context(), &brought); ok || err != nil {
		t.Errorf("Rederive = %t, %v", ok, err)
	}
	if _, _, made, err := issuer.Derived(t.Context(), c, "", 40); err != nil || !made {
		t.Errorf("Derived = made %t, %v", made, err)
	}
	if _, _, err := issuer.Store().Lookup(t.Context(), Digest("imported"), time.Now()); err != nil {
		t.Errorf("the imported token: %v", err)
	}
}
