// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// settled reads a record again until it is as wanted, since touches may be
// batched, and fails the test if it never is.
func (f *fixture) settled(id string, what string, wanted func(tokenstore.Credential) bool) {
	f.Helper()
	var c tokenstore.Credential
	for range 100 {
		c = f.list(tokenstore.Filter{ID: id})[0]
		if wanted(c) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	f.Fatalf("%s: used %v, expires %v, want another", what, c.LastUsed, c.Expires)
}

var touchTests = []test{
	{"raises LastUsed, to a minute", func(f *fixture) {
		f.create(record("a"))
		used := at(time.Hour)
		f.ok(f.store.Touch(f.Context(), digest("a"), used, time.Time{}))
		f.settled("id-a", "Touch", func(c tokenstore.Credential) bool {
			return c.LastUsed.After(used.Add(-time.Minute)) && !c.LastUsed.After(used) && c.Expires.Equal(record("a").Expires)
		})
	}},
	{"raises Expires", func(f *fixture) {
		f.create(record("a"))
		later := at(48 * time.Hour)
		f.ok(f.store.Touch(f.Context(), digest("a"), at(time.Hour), later))
		f.settled("id-a", "Touch", func(c tokenstore.Credential) bool { return c.Expires.Equal(later) })
		f.lives(digest("a"), at(30*time.Hour))
		f.dead(digest("a"), later)
	}},
	{"never lowers", func(f *fixture) {
		c := record("a")
		c.LastUsed = at(2 * time.Hour)
		f.create(c)
		f.ok(f.store.Touch(f.Context(), c.Digest, at(time.Hour), at(3*time.Hour)))
		f.ok(f.store.Touch(f.Context(), c.Digest, time.Time{}, time.Time{}))
		f.same("record", f.lives(c.Digest, t0), c)
	}},
	{"ends no record that never expires", func(f *fixture) {
		c := record("a")
		c.Expires = time.Time{}
		f.create(c)
		f.ok(f.store.Touch(f.Context(), c.Digest, at(time.Hour), at(48*time.Hour)))
		f.lives(c.Digest, at(72*time.Hour))
	}},
	{"revives no expired record", func(f *fixture) {
		c := record("a")
		f.create(c)
		f.ok(f.store.Touch(f.Context(), c.Digest, c.Expires, at(72*time.Hour)))
		f.ok(f.store.Touch(f.Context(), c.Digest, time.Time{}, at(72*time.Hour)))
		f.dead(c.Digest, at(25*time.Hour))
		f.dead(c.Digest, c.Expires)
	}},
	{"revives no spent or revoked record", func(f *fixture) {
		f.create(record("spent"), record("revoked"))
		_, err := f.store.Consume(f.Context(), digest("spent"), t0)
		f.ok(err)
		_, err = f.store.Delete(f.Context(), tokenstore.Filter{ID: "id-revoked"})
		f.ok(err)
		for _, name := range []string{"spent", "revoked", "never was"} {
			f.ok(f.store.Touch(f.Context(), digest(name), at(time.Hour), at(72*time.Hour)))
			f.dead(digest(name), at(time.Hour))
		}
		f.wantIDs(tokenstore.Filter{})
	}},
	{"touches one record alone", func(f *fixture) {
		a, b := record("a"), record("b")
		a.Family, b.Family = "f", "f"
		f.create(a, b)
		f.ok(f.store.Touch(f.Context(), a.Digest, at(time.Hour), at(48*time.Hour)))
		f.settled("id-a", "Touch", func(c tokenstore.Credential) bool { return c.Expires.Equal(at(48 * time.Hour)) })
		f.same("the other record", f.lives(b.Digest, t0), b)
	}},
}
