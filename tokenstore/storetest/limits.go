// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

var limitTests = []test{
	{"the limit denies", func(f *fixture) {
		user := f.user("alice")
		for _, name := range []string{"a", "b"} {
			f.ok(f.store.Create(f.Context(), recordOf(user, name), 2, false))
		}
		f.wants(f.store.Create(f.Context(), recordOf(user, "c"), 2, false), tokenstore.ErrLimit)
		f.dead(digest("c"), t0)
		f.ok(f.store.Create(f.Context(), recordOf(user, "c"), 3, false))
		f.ok(f.store.Create(f.Context(), recordOf(user, "d"), 0, false))
	}},
	{"the limit counts the user's live records of the kind", func(f *fixture) {
		alice, bob := f.user("alice"), f.user("bob")
		expired, spent, changed, kind := recordOf(alice, "expired"), recordOf(alice, "spent"), recordOf(alice, "changed"), recordOf(alice, "kind")
		expired.Expires = at(time.Hour)
		changed.PasswordVersion = alice.PasswordVersion + 1
		kind.Kind = "another"
		f.create(expired, spent, changed, kind, recordOf(bob, "bob's"), record("nobody's"))
		_, err := f.store.Consume(f.Context(), spent.Digest, t0)
		f.ok(err)
		c := recordOf(alice, "c")
		c.Created = at(time.Hour)
		f.ok(f.store.Create(f.Context(), c, 1, false))
		f.lives(c.Digest, c.Created)

		before := recordOf(alice, "d")
		before.Created = at(time.Hour - time.Microsecond)
		f.wants(f.store.Create(f.Context(), before, 2, false), tokenstore.ErrLimit)
	}},
	{"without a user there is no limit", func(f *fixture) {
		f.create(record("a"))
		f.ok(f.store.Create(f.Context(), record("b"), 1, false))
		f.ok(f.store.Create(f.Context(), record("c"), 1, true))
		f.wantIDs(tokenstore.Filter{}, "id-a", "id-b", "id-c")
	}},
	{"eviction takes the oldest by Created, then ID", func(f *fixture) {
		user := f.user("alice")
		for i, name := range []string{"late", "b", "a", "early"} {
			c := recordOf(user, name)
			c.Created = at([]time.Duration{3, 2, 2, 1}[i] * time.Minute)
			f.create(c)
		}
		for i, want := range [][]string{
			{"id-a", "id-b", "id-late", "id-new0"},
			{"id-b", "id-late", "id-new0", "id-new1"},
			{"id-late", "id-new0", "id-new1", "id-new2"},
		} {
			c := recordOf(user, "new"+string(rune('0'+i)))
			c.Created = at(time.Duration(10+i) * time.Minute)
			f.ok(f.store.Create(f.Context(), c, 4, true))
			f.wantIDs(tokenstore.Filter{UserKey: user.Key}, want...)
		}
		f.dead(digest("early"), t0)
	}},
	{"eviction takes as many as needed, and nothing else", func(f *fixture) {
		user := f.user("alice")
		for i, name := range []string{"a", "b", "c"} {
			c := recordOf(user, name)
			c.Created = at(time.Duration(i) * time.Minute)
			f.create(c)
		}
		kind := recordOf(user, "kind")
		kind.Kind = "another"
		f.create(kind, record("nobody's"))
		c := recordOf(user, "new")
		c.Created = at(time.Hour)
		f.ok(f.store.Create(f.Context(), c, 1, true))
		f.wantIDs(tokenstore.Filter{}, "id-kind", "id-nobody's", "id-new")
	}},
	{"a refused record evicts nothing", func(f *fixture) {
		user := f.user("alice")
		slot := recordOf(user, "slot")
		slot.Slot, slot.Kind = "s", "another"
		f.create(recordOf(user, "a"), slot)
		for name, c := range map[string]tokenstore.Credential{
			"ID":     {ID: "id-slot", Kind: tokenstore.KindToken, Digest: digest("x")},
			"digest": {ID: "x", Kind: tokenstore.KindToken, Digest: slot.Digest},
			"slot":   {ID: "x", Kind: tokenstore.KindToken, Digest: digest("x"), Slot: "s"},
		} {
			c.UserKey, c.Created = user.Key, t0
			if err := f.store.Create(f.Context(), c, 1, true); err == nil {
				f.Fatalf("Create with a taken %s succeeded", name)
			}
			f.lives(digest("a"), t0)
		}
	}},
}

var slotTests = []test{
	{"a live record holds its slot", func(f *fixture) {
		c := record("a")
		c.Slot = "s"
		f.create(c)
		c = record("b")
		c.Slot = "s"
		f.wants(f.store.Create(f.Context(), c, 0, false), tokenstore.ErrExists)
		f.dead(c.Digest, t0)
		c.Slot = "S"
		f.create(c)
	}},
	{"empty slots are no slots", func(f *fixture) {
		f.create(record("a"), record("b"))
		f.lives(digest("a"), t0)
		f.lives(digest("b"), t0)
	}},
	{"the slot of a dead record can be taken", func(f *fixture) {
		user := f.user("alice")
		for name, end := range map[string]func(c tokenstore.Credential){
			"expired": func(tokenstore.Credential) {},
			"revoked": func(c tokenstore.Credential) {
				_, err := f.store.Delete(f.Context(), tokenstore.Filter{ID: c.ID})
				f.ok(err)
			},
			"spent": func(c tokenstore.Credential) {
				_, err := f.store.Consume(f.Context(), c.Digest, t0)
				f.ok(err)
			},
			"password": func(tokenstore.Credential) {
				user.PasswordHash += "x"
				user = f.put(user)
			},
		} {
			old := recordOf(user, name)
			old.Slot, old.Expires, old.PasswordVersion = name, at(time.Hour), user.PasswordVersion
			f.create(old)
			end(old)
			next := recordOf(user, "next "+name)
			next.Slot, next.Created = name, at(time.Minute)
			if name == "expired" {
				next.Created = at(time.Hour)
			}
			f.create(next)
			f.lives(next.Digest, next.Created)
			f.dead(old.Digest, next.Created)
			f.ok(f.store.Touch(f.Context(), old.Digest, at(30*time.Minute), at(48*time.Hour)))
			f.dead(old.Digest, next.Created)
			f.lives(next.Digest, next.Created)
		}
	}},
	{"a spent record that lost its slot is still noticed", func(f *fixture) {
		old, next := record("old"), record("next")
		old.Slot, next.Slot = "s", "s"
		old.Family, next.Family = "f", "f"
		f.create(old)
		_, err := f.store.Consume(f.Context(), old.Digest, t0)
		f.ok(err)
		f.create(next)
		_, err = f.store.Consume(f.Context(), old.Digest, t0)
		f.wants(err, tokenstore.ErrReused)
		f.dead(next.Digest, t0)
	}},
	{"rotation hands the slot on", func(f *fixture) {
		old, next := record("old"), record("next")
		old.Slot, next.Slot = "s", "s"
		f.create(old)
		_, won, err := f.store.Rotate(f.Context(), old.Digest, []tokenstore.Credential{next}, nil, t0, 0)
		if err != nil || !won {
			f.Fatalf("Rotate = %t, %v, want true", won, err)
		}
		f.lives(next.Digest, t0)
		third := record("third")
		third.Slot = "s"
		f.wants(f.store.Create(f.Context(), third, 0, false), tokenstore.ErrExists)
	}},
}
