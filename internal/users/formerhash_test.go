// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package users

import (
	"errors"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/password"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/memory"
)

// TestDirectory_HadHash remembers the hash of a user who was imported, for the one
// password, and of nobody else.
func TestDirectory_HadHash(t *testing.T) {
	s := memory.New()
	defer s.Close()
	d := newDirectory(t, nil, s, password.New(password.Config{}))
	for name, origin := range map[string]string{"imported": "django", "own": ""} {
		u, err := s.PutUser(t.Context(), tokenstore.User{Name: name, Origin: origin, PasswordHash: pbkdf2Hash, Active: true})
		if err != nil {
			t.Fatal(err)
		}
		had := func(u tokenstore.User, digest string) bool {
			t.Helper()
			had, err := d.HadHash(t.Context(), u, digest)
			if err != nil {
				t.Fatal(err)
			}
			return had
		}
		if had(u, HashDigest(pbkdf2Hash)) {
			t.Errorf("%s had the hash before it was renewed", name)
		}
		if err := d.rehash(t.Context(), u.Key, pbkdf2Hash, "secret"); err != nil {
			t.Fatal(err)
		}
		if u, err = s.User(t.Context(), u.Key); err != nil || u.PasswordHash == pbkdf2Hash {
			t.Fatalf("the hash is not renewed: %v", err)
		}
		for _, digest := range []string{HashDigest(pbkdf2Hash), strings.ToLower(HashDigest(pbkdf2Hash))} {
			if had(u, digest) != (origin != "") {
				t.Errorf("%s had the hash: %t", name, origin == "")
			}
		}
		for _, digest := range []string{"", "00", HashDigest(""), HashDigest(pbkdf2Hash) + "0"} {
			if had(u, digest) {
				t.Errorf("%s had the hash of %q", name, digest)
			}
		}
		u.PasswordHash = "another"
		if u, err = s.PutUser(t.Context(), u); err != nil {
			t.Fatal(err)
		}
		if had(u, HashDigest(pbkdf2Hash)) {
			t.Errorf("%s had the hash of the former password", name)
		}
		if err := d.rememberHash(t.Context(), "store:nobody", pbkdf2Hash); err != nil {
			t.Errorf("of nobody: %v", err)
		}
	}
	_ = s.Close()
	if _, err := d.HadHash(t.Context(), tokenstore.User{Key: "store:1", Origin: "django"}, HashDigest("x")); !errors.Is(err, tokenstore.ErrUnavailable) {
		t.Errorf("the store is closed: %v", err)
	}
}
