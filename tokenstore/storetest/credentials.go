// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

var credentialTests = []test{
	{"lookup finds the record and its user", func(f *fixture) {
		user := f.user("alice")
		f.create(recordOf(user, "a"), record("b"))
		c, u, err := f.store.Lookup(f.Context(), digest("a"), t0)
		f.ok(err)
		f.same("record", c, recordOf(user, "a"))
		f.same("user", u, user)
	}},
	{"lookup of a record without a user returns the zero user", func(f *fixture) {
		f.create(record("a"))
		_, u, err := f.store.Lookup(f.Context(), digest("a"), t0)
		f.ok(err)
		f.same("user", u, tokenstore.User{})
	}},
	{"unknown digests are not found", func(f *fixture) {
		f.create(record("a"))
		f.dead(digest("b"), t0)
		for _, n := range []int{0, 1, tokenstore.MinDigest - 1, tokenstore.MaxDigest + 1, 1 << 20} {
			f.dead(make([]byte, n), t0)
		}
		f.dead(digest("a")[:tokenstore.MinDigest], t0)
		f.dead(append(digest("a"), 0), t0)
		f.dead(nil, t0)
	}},
	{"a record dies at the microsecond of Expires by the caller's clock", func(f *fixture) {
		c := record("a")
		f.create(c)
		f.lives(c.Digest, c.Expires.Add(-time.Microsecond))
		f.dead(c.Digest, c.Expires)
		f.dead(c.Digest, c.Expires.Add(time.Nanosecond))
		f.lives(c.Digest, t0)
	}},
	{"a zero Expires never comes", func(f *fixture) {
		c := record("a")
		c.Expires = time.Time{}
		f.create(c)
		f.lives(c.Digest, at(200*365*24*time.Hour))
	}},
	{"the Unix epoch is a time like any other", func(f *fixture) {
		c := record("a")
		c.Created, c.Expires = time.Unix(0, 0).UTC(), time.Unix(0, 0).UTC()
		f.create(c)
		f.dead(c.Digest, t0)
	}},
	{"an inactive user is ErrInactive, with both records", func(f *fixture) {
		user := f.user("alice")
		f.create(recordOf(user, "a"))
		user.Active = false
		user = f.put(user)
		c, u, err := f.store.Lookup(f.Context(), digest("a"), t0)
		f.wants(err, tokenstore.ErrInactive)
		f.wants(err, tokenstore.ErrNotFound)
		f.same("record", c, recordOf(user, "a"))
		f.same("user", u, user)

		user.Active = true
		f.put(user)
		f.lives(digest("a"), t0)
	}},
	{"an inactive user's dead records are ErrNotFound alone", func(f *fixture) {
		user := f.user("alice")
		expired, changed := recordOf(user, "expired"), recordOf(user, "changed")
		expired.Expires = at(time.Hour)
		changed.PasswordVersion = user.PasswordVersion
		spent := recordOf(user, "spent")
		f.create(expired, changed, spent)
		_, err := f.store.Consume(f.Context(), spent.Digest, t0)
		f.ok(err)
		user.Active, user.PasswordHash = false, "another"
		f.put(user)
		f.dead(expired.Digest, at(time.Hour))
		f.dead(changed.Digest, t0)
		f.dead(spent.Digest, t0)
	}},
	{"create refuses users that are absent or inactive", func(f *fixture) {
		f.wants(f.store.Create(f.Context(), recordOf(tokenstore.User{Key: "store:nobody"}, "a"), 0, false), tokenstore.ErrNotFound)
		user := f.put(tokenstore.User{Name: "alice"})
		f.wants(f.store.Create(f.Context(), recordOf(user, "b"), 0, false), tokenstore.ErrNotFound)
		f.wantIDs(tokenstore.Filter{})
	}},
	{"create refuses a taken digest", func(f *fixture) {
		f.create(record("a"))
		c := record("a")
		c.ID = "another"
		f.wants(f.store.Create(f.Context(), c, 0, false), tokenstore.ErrExists)
		c.Created, c.Expires = at(48*time.Hour), at(72*time.Hour)
		f.wants(f.store.Create(f.Context(), c, 0, false), tokenstore.ErrExists)
		f.wantIDs(tokenstore.Filter{}, "id-a")
	}},
	{"create refuses a taken ID", func(f *fixture) {
		f.create(record("a"))
		c := record("b")
		c.ID = "id-a"
		f.wants(f.store.Create(f.Context(), c, 0, false), tokenstore.ErrExists)
		f.dead(digest("b"), t0)
	}},
	{"create refuses an empty ID or kind", func(f *fixture) {
		c := record("a")
		c.ID = ""
		f.fails(f.store.Create(f.Context(), c, 0, false), "Create without an ID")
		c = record("a")
		c.Kind = ""
		f.fails(f.store.Create(f.Context(), c, 0, false), "Create without a kind")
		f.dead(digest("a"), t0)
	}},
	{"bounds of digest and data", func(f *fixture) {
		for _, tt := range []struct {
			name         string
			digest, data int
			want         error
		}{
			{"no digest", 0, 0, tokenstore.ErrTooLarge},
			{"short digest", tokenstore.MinDigest - 1, 0, tokenstore.ErrTooLarge},
			{"shortest digest", tokenstore.MinDigest, 0, nil},
			{"longest digest", tokenstore.MaxDigest, 0, nil},
			{"long digest", tokenstore.MaxDigest + 1, 0, tokenstore.ErrTooLarge},
			{"most data", 32, tokenstore.MaxData, nil},
			{"too much data", 33, tokenstore.MaxData + 1, tokenstore.ErrTooLarge},
		} {
			c := record(tt.name)
			c.Digest, c.Data = make([]byte, tt.digest), make([]byte, tt.data)
			if err := f.store.Create(f.Context(), c, 0, false); !errors.Is(err, tt.want) {
				f.Errorf("%s: Create = %v, want %v", tt.name, err, tt.want)
			}
			if tt.want == nil {
				f.lives(c.Digest, t0)
			} else {
				f.dead(c.Digest, t0)
			}
		}
	}},
}
