// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"strings"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

var userTests = []test{
	{"creation chooses a key and starts the versions", func(f *fixture) {
		alice, bob := f.user("alice"), f.user("bob")
		for _, u := range []tokenstore.User{alice, bob} {
			if len(u.Key) != len(tokenstore.UserKeyPrefix)+26 || !strings.HasPrefix(u.Key, tokenstore.UserKeyPrefix) {
				f.Errorf("key %q, want %s and a ULID", u.Key, tokenstore.UserKeyPrefix)
			}
			if u.Version < 1 || u.PasswordVersion != 1 {
				f.Errorf("versions %d and %d, want at least 1 and 1", u.Version, u.PasswordVersion)
			}
		}
		if alice.Key == bob.Key {
			f.Errorf("both users have the key %q", alice.Key)
		}
	}},
	{"creation keeps a key and a password version", func(f *fixture) {
		u := f.put(tokenstore.User{Key: "store:mine", Name: "alice", PasswordVersion: 5})
		if u.Key != "store:mine" || u.PasswordVersion != 5 {
			f.Errorf("PutUser = %+v, want the given key and password version", u)
		}
	}},
	{"absent users are not found", func(f *fixture) {
		f.user("alice")
		for name, get := range userReads(f, tokenstore.User{Key: "store:x", Name: "Alice", Origin: "o", OriginID: "1"}) {
			u, err := get()
			f.wants(err, tokenstore.ErrNotFound)
			f.same(name+" beside an error", u, tokenstore.User{})
		}
		for _, get := range userReads(f, tokenstore.User{}) {
			_, err := get()
			f.wants(err, tokenstore.ErrNotFound)
		}
		f.wants(f.store.DeleteUser(f.Context(), "store:x"), tokenstore.ErrNotFound)
		f.wants(f.store.Rehash(f.Context(), "store:x", "a", "b"), tokenstore.ErrNotFound)
		_, err := f.store.PutUser(f.Context(), tokenstore.User{Key: "store:x", Name: "x", Version: 1})
		f.wants(err, tokenstore.ErrNotFound)
	}},
	{"inactive users are found", func(f *fixture) {
		want := f.put(tokenstore.User{Name: "alice", Origin: "o", OriginID: "1"})
		for name, get := range userReads(f, want) {
			u, err := get()
			f.ok(err)
			f.same(name, u, want)
		}
	}},
	{"key, name and origin are unique", func(f *fixture) {
		f.put(tokenstore.User{Key: "store:1", Name: "alice", Origin: "django", OriginID: "1"})
		bob := f.put(tokenstore.User{Key: "store:2", Name: "bob", Origin: "django", OriginID: "2"})
		for _, u := range []tokenstore.User{
			{Name: "alice"},
			{Key: "store:1", Name: "carol"},
			{Name: "carol", Origin: "django", OriginID: "1"},
			{Key: bob.Key, Version: bob.Version, Name: "alice"},
			{Key: bob.Key, Version: bob.Version, Name: "bob", Origin: "django", OriginID: "1"},
		} {
			got, err := f.store.PutUser(f.Context(), u)
			f.wants(err, tokenstore.ErrExists)
			f.same("user beside an error", got, tokenstore.User{})
		}
		f.sameStrings("users", f.walkUsers(10), "alice", "bob")
		got, err := f.store.User(f.Context(), bob.Key)
		f.ok(err)
		f.same("bob", got, bob)
	}},
	{"other origins, other users", func(f *fixture) {
		for i, origin := range [][2]string{{"a", "bc"}, {"ab", "c"}, {"a", ""}, {"", ""}, {"", ""}, {"A", "bc"}} {
			f.put(tokenstore.User{Name: string(rune('0' + i)), Origin: origin[0], OriginID: origin[1]})
		}
		u, err := f.store.UserByOrigin(f.Context(), "ab", "c")
		f.ok(err)
		if u.Name != "1" {
			f.Errorf("UserByOrigin = %q, want 1", u.Name)
		}
	}},
	{"replacement raises the version, and needs the current one", func(f *fixture) {
		first := f.user("alice")
		changed := first
		changed.Email = "a@example.com"
		second := f.put(changed)
		if second.Version <= first.Version || second.Key != first.Key {
			f.Errorf("PutUser = %+v, want a higher version than %d and the same key", second, first.Version)
		}
		for _, version := range []int64{first.Version, second.Version + 1, -1} {
			stale := changed
			stale.Version, stale.Email = version, "stale"
			_, err := f.store.PutUser(f.Context(), stale)
			f.wants(err, tokenstore.ErrStale)
		}
		got, err := f.store.User(f.Context(), first.Key)
		f.ok(err)
		f.same("user", got, second)
	}},
	{"a renamed user leaves its old name and origin", func(f *fixture) {
		u := f.put(tokenstore.User{Name: "alice", Origin: "o", OriginID: "1"})
		u.Name, u.OriginID = "alicia", "2"
		u = f.put(u)
		_, err := f.store.UserByName(f.Context(), "alice")
		f.wants(err, tokenstore.ErrNotFound)
		_, err = f.store.UserByOrigin(f.Context(), "o", "1")
		f.wants(err, tokenstore.ErrNotFound)
		f.put(tokenstore.User{Name: "alice", Origin: "o", OriginID: "1"})
		got, err := f.store.UserByName(f.Context(), "alicia")
		f.ok(err)
		f.same("user", got, u)
	}},
	{"an empty name is an error", func(f *fixture) {
		_, err := f.store.PutUser(f.Context(), tokenstore.User{})
		f.fails(err, "PutUser without a name")
		f.sameStrings("users", f.walkUsers(10))
	}},
	{"deletion takes the credentials, and a namesake inherits nothing", func(f *fixture) {
		alice := f.put(tokenstore.User{Name: "alice", Active: true, Superuser: true, Groups: []string{"g"}, Permissions: []string{"a.b"}, Origin: "o", OriginID: "1"})
		bob := f.user("bob")
		spent := recordOf(alice, "spent")
		f.create(recordOf(alice, "a"), spent, recordOf(bob, "b"), record("c"))
		_, err := f.store.Consume(f.Context(), spent.Digest, t0)
		f.ok(err)
		f.ok(f.store.DeleteUser(f.Context(), alice.Key))
		f.dead(digest("a"), t0)
		_, err = f.store.Consume(f.Context(), spent.Digest, t0)
		f.wants(err, tokenstore.ErrNotFound)
		f.wantIDs(tokenstore.Filter{}, "id-b", "id-c")
		for _, get := range userReads(f, alice) {
			_, err := get()
			f.wants(err, tokenstore.ErrNotFound)
		}
		f.wants(f.store.DeleteUser(f.Context(), alice.Key), tokenstore.ErrNotFound)

		again := f.user("alice")
		if again.Key == alice.Key {
			f.Fatalf("the namesake has the same key %q", again.Key)
		}
		if again.Superuser || len(again.Groups)+len(again.Permissions) > 0 || again.Origin != "" {
			f.Errorf("the namesake inherited: %+v", again)
		}
		f.dead(digest("a"), t0)
		f.wants(f.store.Create(f.Context(), recordOf(alice, "d"), 0, false), tokenstore.ErrNotFound)
		f.wantIDs(tokenstore.Filter{UserKey: again.Key})

		alice.Version = 0
		alice.Name, alice.Groups = "alice by key", nil
		f.put(alice)
		f.dead(digest("a"), t0)
		f.wantIDs(tokenstore.Filter{UserKey: alice.Key})
	}},
}
