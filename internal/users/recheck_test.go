// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package users

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/password"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func TestDirectory_Recheck(t *testing.T) {
	hasher := password.New(password.Config{})
	hash := hashOf(t, hasher, "secret")
	alice := func(change func(*tokenstore.User)) *store {
		u := tokenstore.User{Key: "store:1", Name: "alice", PasswordHash: hash, PasswordVersion: 1, Active: true, Groups: []string{"a"}}
		if change == nil {
			return &store{}
		}
		change(&u)
		return &store{users: []tokenstore.User{u}}
	}
	bob := func(change func(*User)) []User {
		u := User{Name: "bob", Password: hash, Groups: []string{"ops"}}
		change(&u)
		return []User{u}
	}
	same := func(*tokenstore.User) {}
	down := errors.New("down")

	before := newDirectory(t, bob(func(*User) {}), alice(same), hasher)
	remembered := make(map[string]*auth.Identity)
	for _, name := range []string{"alice", "bob"} {
		id, err := before.Authenticate(t.Context(), name, "secret")
		if err != nil {
			t.Fatal(err)
		}
		id.Method = "basic"
		remembered[name] = id
	}
	tests := map[string]struct {
		user   string
		config []User
		store  *store
		change func(id *auth.Identity) // what is expected beside what was remembered
		failed error
		err    error
	}{
		"nothing happened":       {user: "alice", store: alice(same)},
		"groups changed":         {user: "alice", store: alice(func(u *tokenstore.User) { u.Groups = []string{"b"} }), change: func(id *auth.Identity) { id.Groups = []string{"b"} }},
		"became staff":           {user: "alice", store: alice(func(u *tokenstore.User) { u.Staff = true }), change: func(id *auth.Identity) { id.Staff = true }},
		"hash was renewed":       {user: "alice", store: alice(func(u *tokenstore.User) { u.PasswordHash = "other"; u.Version++ })},
		"password changed":       {user: "alice", store: alice(func(u *tokenstore.User) { u.PasswordVersion++ }), err: auth.ErrChanged},
		"renamed":                {user: "alice", store: alice(func(u *tokenstore.User) { u.Name = "alicia" }), err: auth.ErrChanged},
		"inactive":               {user: "alice", store: alice(func(u *tokenstore.User) { u.Active = false }), failed: errInactive},
		"deleted":                {user: "alice", store: alice(nil), failed: errNoUser},
		"name reused":            {user: "alice", store: alice(func(u *tokenstore.User) { u.Key = "store:9" }), failed: errNoUser},
		"name configured":        {user: "alice", config: []User{{Name: "alice", Password: hash}}, store: alice(same), err: auth.ErrChanged},
		"store down":             {user: "alice", store: &store{err: down}, err: down},
		"configured, same":       {user: "bob", config: bob(func(*User) {})},
		"configured, groups":     {user: "bob", config: bob(func(u *User) { u.Groups = nil }), change: func(id *auth.Identity) { id.Groups = nil }},
		"configured, inactive":   {user: "bob", config: bob(func(u *User) { u.Inactive = true }), failed: errInactive},
		"configured, password":   {user: "bob", config: bob(func(u *User) { u.Password = pbkdf2Hash }), err: auth.ErrChanged},
		"configured, removed":    {user: "bob", err: auth.ErrChanged},
		"configured, store down": {user: "bob", config: bob(func(*User) {}), store: &store{err: down}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.store == nil {
				test.store = alice(nil)
			}
			d := newDirectory(t, test.config, test.store, hasher)
			id, err := d.Recheck(t.Context(), remembered[test.user])
			switch failure, failed := errors.AsType[*auth.Failure](err); {
			case test.failed != nil:
				if !failed || failure.Detail != "Invalid username/password." || !errors.Is(err, test.failed) {
					t.Errorf("Recheck = %v, %v, want a Failure of %q", id, err, test.failed)
				}
			case test.err != nil:
				if failed || !errors.Is(err, test.err) {
					t.Errorf("Recheck = %v, %v, want %v", id, err, test.err)
				}
			case err != nil:
				t.Errorf("Recheck: %v", err)
			default:
				want := *remembered[test.user]
				if test.change != nil {
					test.change(&want)
				}
				if diff := cmp.Diff(&want, id); diff != "" {
					t.Errorf("Recheck (-want +got):\n%s", diff)
				}
			}
			if test.store.reads > 1 {
				t.Errorf("Recheck read %d times", test.store.reads)
			}
			if stats := hasher.Stats(); stats.Running > 0 {
				t.Error("Recheck hashes")
			}
		})
	}
}
