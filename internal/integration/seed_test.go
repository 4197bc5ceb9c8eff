// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/password"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// seed puts people of the tests into the running store: alice (plain), bob
// (staff), root (superuser), gone (inactive), all with the password "pw" and a
// token "token-<name>".
func (s *server) seed() {
	s.t.Helper()
	s.awaitStore()
	hasher := password.New(password.Config{})
	hash, err := hasher.Hash(s.t.Context(), "pw")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, user := range []tokenstore.User{
		{Name: "alice", Email: "alice@example.com", FullName: "Alice Liddell", Groups: []string{"editors", "readers"}},
		{Name: "bob", Staff: true},
		{Name: "root", Superuser: true},
		{Name: "gone"},
	} {
		user.PasswordHash = hash
		user.Active = true
		stored := s.putUser(user)
		s.putToken(stored, "token-"+user.Name)
		if user.Name == "gone" {
			stored.Active = false
			s.putUser(stored)
		}
	}
}

// awaitStore waits for a store that a busy machine takes longer to open than a
// request waits.
func (s *server) awaitStore() {
	s.t.Helper()
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		_, err := s.store().Groups(s.t.Context())
		if err == nil {
			return
		}
		if !errors.Is(err, tokenstore.ErrUnavailable) || time.Since(began) > 30*time.Second {
			s.t.Fatalf("opening the store: %v", err)
		}
	}
}

func (s *server) putUser(user tokenstore.User) tokenstore.User {
	s.t.Helper()
	stored, err := s.store().PutUser(s.t.Context(), user)
	if err != nil {
		s.t.Fatalf("storing %s: %v", user.Name, err)
	}
	return stored
}

func (s *server) putToken(user tokenstore.User, secret string, scopes ...string) tokenstore.Credential {
	s.t.Helper()
	credential := tokenstore.Credential{
		ID:      "id-" + secret,
		Kind:    tokenstore.KindToken,
		Digest:  digestOf(secret),
		UserKey: user.Key,
		Scopes:  scopes,
		Created: time.Now(),
	}
	if err := s.store().Create(s.t.Context(), credential, 0, false); err != nil {
		s.t.Fatalf("storing a token: %v", err)
	}
	return credential
}

func digestOf(secret string) []byte {
	digest := sha256.Sum256([]byte(secret))
	return digest[:]
}

func basic(user, password string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func token(secret string) string { return "Authorization: Token " + secret }

// detail is a refusal's body.
func detail(text string) string { return `{"detail":"` + text + `"}` }

const (
	notAuthenticated = `{"detail":"Authentication credentials were not provided."}`
	deniedBody       = `{"detail":"You do not have permission to perform this action."}`
	invalidToken     = `{"detail":"Invalid token."}`
	invalidLogin     = `{"detail":"Invalid username/password."}`
)

// expect compares an answer with a row of a table. A challenge of "-" is none.
func (r reply) expect(t *testing.T, status int, challenge, body string) {
	t.Helper()
	if r.Status != status {
		t.Errorf("status %d, want %d; body %q", r.Status, status, r.Body)
	}
	got := r.Header.Values("WWW-Authenticate")
	if challenge == "-" && len(got) > 0 || challenge != "-" && (len(got) != 1 || got[0] != challenge) {
		t.Errorf("WWW-Authenticate %q, want %q", got, challenge)
	}
	if body != "*" && r.Body != body {
		t.Errorf("body %q, want %q", r.Body, body)
	}
	if status >= 400 {
		if got := r.Header.Get("Content-Type"); got != "application/json" {
			t.Errorf("Content-Type %q, want application/json", got)
		}
		if got := r.Header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("Cache-Control %q, want no-store", got)
		}
	}
}
