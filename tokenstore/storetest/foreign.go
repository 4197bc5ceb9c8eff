// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// foreign is the key of a user of another source.
const foreign = "config:alice"

func recordOfForeign(name string) tokenstore.Credential {
	c := record(name)
	c.UserKey = foreign
	return c
}

var foreignTests = []test{
	{"the store does not look for the user", func(f *fixture) {
		f.user("alice")
		c := recordOfForeign("a")
		c.PasswordVersion = 7
		f.create(c)
		got, u, err := f.store.Lookup(f.Context(), c.Digest, t0)
		f.ok(err)
		c.PasswordVersion = 0
		f.same("record", got, c)
		f.same("user", u, tokenstore.User{})
		f.dead(c.Digest, c.Expires)

		used := at(time.Hour)
		f.ok(f.store.Touch(f.Context(), c.Digest, used, at(48*time.Hour)))
		if got := f.lives(c.Digest, at(47*time.Hour)); !got.LastUsed.Equal(used) {
			f.Errorf("LastUsed = %v, want %v", got.LastUsed, used)
		}
		for _, key := range []string{"config:", "issuer|subject", "Store:x", "store", "x"} {
			c := record(key)
			c.UserKey = key
			f.create(c)
			f.lives(c.Digest, t0)
		}
		missing := record("b")
		missing.UserKey = tokenstore.UserKeyPrefix
		f.wants(f.store.Create(f.Context(), missing, 0, false), tokenstore.ErrNotFound)
	}},
	{"records are consumed", func(f *fixture) {
		c := recordOfForeign("a")
		f.create(c)
		got, err := f.store.Consume(f.Context(), c.Digest, t0)
		f.ok(err)
		f.same("record", got, c)
		_, err = f.store.Consume(f.Context(), c.Digest, t0)
		f.wants(err, tokenstore.ErrReused)
	}},
	{"records are rotated, and rotations retried", func(f *fixture) {
		f.create(recordOfForeign("old"))
		for _, first := range []bool{true, false} {
			reply, won, err := f.store.Rotate(f.Context(), digest("old"), []tokenstore.Credential{recordOfForeign("new")}, []byte("sealed"), t0, grace)
			if string(reply) != "sealed" || won != first || err != nil {
				f.Fatalf("Rotate = %q, %t, %v, want the reply and %t", reply, won, err, first)
			}
		}
		f.lives(digest("new"), t0)
		f.dead(digest("old"), t0)
	}},
	{"limits, slots, lists and revocation go by the key", func(f *fixture) {
		for i, name := range []string{"a", "b"} {
			c := recordOfForeign(name)
			c.Created = at(time.Duration(i) * time.Minute)
			f.ok(f.store.Create(f.Context(), c, 2, false))
		}
		third := recordOfForeign("c")
		third.Created, third.Slot = at(time.Hour), "slot"
		f.wants(f.store.Create(f.Context(), third, 2, false), tokenstore.ErrLimit)
		f.ok(f.store.Create(f.Context(), third, 2, true))
		f.dead(digest("a"), at(time.Hour))
		fourth := recordOfForeign("d")
		fourth.Created, fourth.Slot = at(time.Hour), "slot"
		f.wants(f.store.Create(f.Context(), fourth, 0, false), tokenstore.ErrExists)
		f.create(recordOf(f.user("alice"), "alice's"))

		f.wantIDs(tokenstore.Filter{UserKey: foreign}, "id-b", "id-c")
		f.delete(2, tokenstore.Filter{UserKey: foreign})
		f.wantIDs(tokenstore.Filter{}, "id-alice's")
	}},
	{"revocation is reported", func(f *fixture) {
		f.create(recordOfForeign("a"))
		w := f.watch()
		f.delete(1, tokenstore.Filter{UserKey: foreign})
		w.reports("Delete", func(c tokenstore.Change) bool {
			return c.All || c.UserKey == foreign || c.CredentialID == "id-a"
		})
	}},
	{"no user of the store has such a key", func(f *fixture) {
		f.create(recordOfForeign("a"))
		_, err := f.store.PutUser(f.Context(), tokenstore.User{Key: foreign, Name: "alice", Active: true})
		f.fails(err, "PutUser with a foreign key")
		_, err = f.store.User(f.Context(), foreign)
		f.wants(err, tokenstore.ErrNotFound)
		f.wants(f.store.DeleteUser(f.Context(), foreign), tokenstore.ErrNotFound)
		f.lives(digest("a"), t0)
		if v, ok := f.store.(tokenstore.Verifier); ok {
			problems, err := v.Verify(f.Context())
			if len(problems) > 0 || err != nil {
				f.Errorf("Verify = %q, %v, want no problems", problems, err)
			}
		}
	}},
}
