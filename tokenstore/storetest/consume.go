// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

var consumeTests = []test{
	{"hands a record out once", func(f *fixture) {
		f.create(record("a"))
		c, err := f.store.Consume(f.Context(), digest("a"), t0)
		f.ok(err)
		f.same("record", c, record("a"))
		f.dead(digest("a"), t0)
		f.wantIDs(tokenstore.Filter{})
		for range 3 {
			c, err = f.store.Consume(f.Context(), digest("a"), t0)
			f.wants(err, tokenstore.ErrReused)
			f.same("record beside an error", c, tokenstore.Credential{})
		}
	}},
	{"reuse revokes the family, and only that", func(f *fixture) {
		code, access, other := record("code"), record("access"), record("other")
		code.Family, access.Family, other.Family = "f", "f", "F"
		f.create(code, access, other, record("no family"))
		_, err := f.store.Consume(f.Context(), code.Digest, t0)
		f.ok(err)
		f.lives(access.Digest, t0)
		_, err = f.store.Consume(f.Context(), code.Digest, t0)
		f.wants(err, tokenstore.ErrReused)
		f.dead(access.Digest, t0)
		f.lives(other.Digest, t0)
		f.lives(digest("no family"), t0)
	}},
	{"reuse without a family revokes nothing", func(f *fixture) {
		f.create(record("a"), record("b"))
		_, err := f.store.Consume(f.Context(), digest("a"), t0)
		f.ok(err)
		_, err = f.store.Consume(f.Context(), digest("a"), t0)
		f.wants(err, tokenstore.ErrReused)
		f.lives(digest("b"), t0)
	}},
	{"reuse is noticed after the record would have expired", func(f *fixture) {
		code, access := record("code"), record("access")
		code.Family, access.Family, code.Expires = "f", "f", at(time.Minute)
		f.create(code, access)
		_, err := f.store.Consume(f.Context(), code.Digest, t0)
		f.ok(err)
		_, err = f.store.Consume(f.Context(), code.Digest, at(time.Hour))
		f.wants(err, tokenstore.ErrReused)
		f.dead(access.Digest, at(time.Hour))
	}},
	{"dead records are not found, and not spent", func(f *fixture) {
		user := f.user("alice")
		expired, inactive := record("expired"), recordOf(user, "inactive")
		expired.Family, inactive.Family = "f", "f"
		f.create(expired, inactive)
		user.Active = false
		user = f.put(user)
		_, err := f.store.Consume(f.Context(), expired.Digest, expired.Expires)
		f.wants(err, tokenstore.ErrNotFound)
		_, err = f.store.Consume(f.Context(), inactive.Digest, t0)
		f.wants(err, tokenstore.ErrNotFound)
		_, err = f.store.Consume(f.Context(), digest("never was"), t0)
		f.wants(err, tokenstore.ErrNotFound)
		_, err = f.store.Consume(f.Context(), nil, t0)
		f.wants(err, tokenstore.ErrNotFound)

		user.Active = true
		f.put(user)
		for _, c := range []tokenstore.Credential{expired, inactive} {
			_, err = f.store.Consume(f.Context(), c.Digest, t0)
			f.ok(err)
		}
	}},
	{"a changed password ends a code that is bound to it", func(f *fixture) {
		user := f.user("alice")
		c := recordOf(user, "a")
		c.PasswordVersion = user.PasswordVersion
		f.create(c)
		user.PasswordHash = "another"
		f.put(user)
		_, err := f.store.Consume(f.Context(), c.Digest, t0)
		f.wants(err, tokenstore.ErrNotFound)
	}},
	{"a deleted spent record is not found", func(f *fixture) {
		c := record("a")
		c.Family = "f"
		f.create(c)
		_, err := f.store.Consume(f.Context(), c.Digest, t0)
		f.ok(err)
		n, err := f.store.Delete(f.Context(), tokenstore.Filter{Family: "f"})
		f.ok(err)
		if n != 0 {
			f.Errorf("Delete counted %d spent records, want none", n)
		}
		_, err = f.store.Consume(f.Context(), c.Digest, t0)
		f.wants(err, tokenstore.ErrNotFound)
	}},
	{"a spent record keeps its digest and ID", func(f *fixture) {
		f.create(record("a"))
		_, err := f.store.Consume(f.Context(), digest("a"), t0)
		f.ok(err)
		f.wants(f.store.Create(f.Context(), record("a"), 0, false), tokenstore.ErrExists)
		c := record("b")
		c.ID = "id-a"
		f.wants(f.store.Create(f.Context(), c, 0, false), tokenstore.ErrExists)
	}},
}
