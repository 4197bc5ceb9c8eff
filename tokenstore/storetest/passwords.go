// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// bound is a record that dies with the user's password.
func bound(user tokenstore.User, name string) tokenstore.Credential {
	c := recordOf(user, name)
	c.PasswordVersion = user.PasswordVersion
	return c
}

var passwordTests = []test{
	{"a changed password ends what is bound to it, and only that", func(f *fixture) {
		alice, bob := f.user("alice"), f.user("bob")
		f.create(bound(alice, "bound"), recordOf(alice, "free"), bound(bob, "bob's"))
		before := alice.PasswordVersion
		alice.PasswordHash = "another"
		alice = f.put(alice)
		if alice.PasswordVersion != before+1 {
			f.Errorf("password version %d, want %d", alice.PasswordVersion, before+1)
		}
		f.dead(digest("bound"), t0)
		f.lives(digest("free"), t0)
		f.lives(digest("bob's"), t0)
		f.create(bound(alice, "after"))
		f.lives(digest("after"), t0)
	}},
	{"the first password is a change too", func(f *fixture) {
		u := f.put(tokenstore.User{Name: "alice", Active: true})
		f.create(bound(u, "a"))
		u.PasswordHash = "first"
		f.put(u)
		f.dead(digest("a"), t0)
	}},
	{"other changes end nothing", func(f *fixture) {
		u := f.user("alice")
		f.create(bound(u, "a"))
		u.Name, u.Email, u.Staff, u.Groups = "alicia", "a@example.com", true, []string{"g"}
		after := f.put(u)
		if after.PasswordVersion != u.PasswordVersion {
			f.Errorf("password version %d, want %d", after.PasswordVersion, u.PasswordVersion)
		}
		f.lives(digest("a"), t0)
	}},
	{"a password version can be raised by hand", func(f *fixture) {
		u := f.user("alice")
		f.create(bound(u, "a"))
		u.PasswordVersion += 7
		after := f.put(u)
		if after.PasswordVersion != u.PasswordVersion {
			f.Errorf("password version %d, want %d", after.PasswordVersion, u.PasswordVersion)
		}
		f.dead(digest("a"), t0)
		after.PasswordVersion, after.PasswordHash = after.PasswordVersion+1, "another"
		if got := f.put(after); got.PasswordVersion != after.PasswordVersion {
			f.Errorf("password version %d, want %d: it was given", got.PasswordVersion, after.PasswordVersion)
		}
	}},
	{"a password version is never below 1", func(f *fixture) {
		u := f.put(tokenstore.User{Name: "alice", Active: true, PasswordVersion: -3})
		if u.PasswordVersion != 1 {
			f.Errorf("password version %d, want 1", u.PasswordVersion)
		}
		u.PasswordVersion = 0
		if u = f.put(u); u.PasswordVersion != 1 {
			f.Errorf("password version %d, want 1", u.PasswordVersion)
		}
	}},
	{"a record of another password version is dead at birth", func(f *fixture) {
		u := f.user("alice")
		c := recordOf(u, "a")
		c.PasswordVersion = u.PasswordVersion + 1
		f.create(c)
		f.dead(c.Digest, t0)
	}},
	{"a rehash ends nothing", func(f *fixture) {
		u := f.user("alice")
		f.create(bound(u, "a"))
		f.ok(f.store.Rehash(f.Context(), u.Key, u.PasswordHash, "rehashed"))
		got, err := f.store.User(f.Context(), u.Key)
		f.ok(err)
		if got.PasswordHash != "rehashed" || got.PasswordVersion != u.PasswordVersion {
			f.Errorf("after Rehash: hash %q, version %d, want another hash and version %d", got.PasswordHash, got.PasswordVersion, u.PasswordVersion)
		}
		f.lives(digest("a"), t0)
	}},
	{"a rehash of an old hash is stale", func(f *fixture) {
		u := f.user("alice")
		f.wants(f.store.Rehash(f.Context(), u.Key, "another", "rehashed"), tokenstore.ErrStale)
		f.wants(f.store.Rehash(f.Context(), u.Key, "", "rehashed"), tokenstore.ErrStale)
		got, err := f.store.User(f.Context(), u.Key)
		f.ok(err)
		f.same("user", got, u)
	}},
	{"who read the user before a rehash cannot put the old hash back", func(f *fixture) {
		u := f.user("alice")
		f.create(bound(u, "a"))
		f.ok(f.store.Rehash(f.Context(), u.Key, u.PasswordHash, "rehashed"))
		u.Email = "a@example.com"
		_, err := f.store.PutUser(f.Context(), u)
		f.wants(err, tokenstore.ErrStale)
		f.lives(digest("a"), t0)
	}},
}
