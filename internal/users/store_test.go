// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package users

import (
	"context"
	"sync"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/password"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// pbkdf2Hash is Django's hash of "secret" with one iteration: valid, cheap,
// and older than what the hasher makes.
const pbkdf2Hash = "pbkdf2_sha256$1$saltsalt$7q77FNs/69qVkPyRNSqXo6plaOX9a1Kyv7l1dRFK7ZE="

// store is a tokenstore.Store with users alone. A method that a Directory has
// no business with panics.
type store struct {
	tokenstore.Store

	mu     sync.Mutex
	users  []tokenstore.User
	err    error
	reads  int
	rehash func(ctx context.Context, key, old, new string) error
}

func (s *store) find(match func(*tokenstore.User) bool) (tokenstore.User, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	if s.err != nil {
		return tokenstore.User{}, s.err
	}
	for i := range s.users {
		if match(&s.users[i]) {
			return s.users[i], nil
		}
	}
	return tokenstore.User{}, tokenstore.ErrNotFound
}

func (s *store) User(_ context.Context, key string) (tokenstore.User, error) {
	return s.find(func(u *tokenstore.User) bool { return u.Key == key })
}

func (s *store) UserByName(_ context.Context, name string) (tokenstore.User, error) {
	return s.find(func(u *tokenstore.User) bool { return u.Name == name })
}

func (s *store) Rehash(ctx context.Context, key, old, new string) error {
	return s.rehash(ctx, key, old, new)
}

// change changes the user of that key.
func (s *store) change(key string, f func(*tokenstore.User)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.users {
		if s.users[i].Key == key {
			f(&s.users[i])
		}
	}
}

// hashOf returns a hash that needs no renewal.
func hashOf(t testing.TB, h *password.Hasher, pw string) string {
	t.Helper()
	encoded, err := h.Hash(t.Context(), pw)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

func newDirectory(t testing.TB, config []User, s tokenstore.Store, h *password.Hasher) *Directory {
	t.Helper()
	d, err := New(config, s, h, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}
