// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// imported is a record with an Origin.
func imported(name string) tokenstore.Credential {
	c := record(name)
	c.Origin = "django"
	return c
}

// entombed fails the test unless a digest cannot come back at now.
func (f *fixture) entombed(name string, now time.Time) {
	f.Helper()
	for _, origin := range []string{"django", ""} {
		c := record(name)
		c.ID, c.Origin, c.Created = "revived", origin, now
		f.wants(f.store.Create(f.Context(), c, 0, false), tokenstore.ErrExists)
	}
	f.dead(digest(name), now)
	carrier := record("carrier of " + name)
	carrier.Expires = time.Time{}
	f.create(carrier)
	next := imported(name)
	next.ID = "revived"
	_, _, err := f.store.Rotate(f.Context(), carrier.Digest, []tokenstore.Credential{next}, nil, now, 0)
	f.wants(err, tokenstore.ErrExists)
	f.delete(1, tokenstore.Filter{}, carrier.Digest)
}

var tombstoneTests = []test{
	{"deleted", func(f *fixture) {
		f.create(imported("a"), imported("b"))
		f.delete(1, tokenstore.Filter{ID: "id-a"})
		f.delete(1, tokenstore.Filter{}, digest("b"))
		f.entombed("a", t0)
		f.entombed("b", at(time.Hour))
	}},
	{"evicted", func(f *fixture) {
		user := f.user("alice")
		c := imported("a")
		c.UserKey = user.Key
		f.create(c)
		next := recordOf(user, "b")
		next.Created = at(time.Second)
		f.ok(f.store.Create(f.Context(), next, 1, true))
		f.entombed("a", t0)
	}},
	{"revoked with its family by reuse", func(f *fixture) {
		c := imported("a")
		c.Family = "family"
		f.create(member("code"), c)
		_, err := f.store.Consume(f.Context(), digest("code"), t0)
		f.ok(err)
		_, err = f.store.Consume(f.Context(), digest("code"), t0)
		f.wants(err, tokenstore.ErrReused)
		f.entombed("a", t0)
	}},
	{"deleted with its user", func(f *fixture) {
		user := f.user("alice")
		c := imported("a")
		c.UserKey = user.Key
		f.create(c)
		f.ok(f.store.DeleteUser(f.Context(), user.Key))
		f.entombed("a", t0)
	}},
	{"deleted with its client", func(f *fixture) {
		_, err := f.store.PutClient(f.Context(), tokenstore.Client{ID: "c"})
		f.ok(err)
		c := imported("a")
		c.ClientID = "c"
		f.create(c)
		f.ok(f.store.DeleteClient(f.Context(), "c"))
		f.entombed("a", t0)
	}},
	{"spent, then deleted", func(f *fixture) {
		f.create(imported("a"))
		_, err := f.store.Consume(f.Context(), digest("a"), t0)
		f.ok(err)
		f.delete(0, tokenstore.Filter{ID: "id-a"})
		f.entombed("a", t0)
	}},
	{"its slot taken after a change of password", func(f *fixture) {
		user := f.user("alice")
		c := imported("a")
		c.UserKey, c.Slot, c.PasswordVersion = user.Key, "s", user.PasswordVersion
		f.create(c)
		user.PasswordHash = "another"
		f.put(user)
		next := recordOf(user, "b")
		next.Slot = "s"
		f.create(next)
		f.entombed("a", t0)
	}},
	{"for ever, though the record would have expired", func(f *fixture) {
		mortal, eternal := imported("a"), imported("b")
		eternal.Expires = time.Time{}
		f.create(mortal, eternal)
		f.delete(1, tokenstore.Filter{ID: mortal.ID})
		f.delete(1, tokenstore.Filter{ID: eternal.ID})
		_, err := f.store.Sweep(f.Context(), at(200*365*24*time.Hour), 1000)
		f.ok(err)
		f.entombed("a", at(200*365*24*time.Hour))
		f.entombed("b", at(200*365*24*time.Hour))
	}},
	{"records of our own leave none", func(f *fixture) {
		f.create(record("a"))
		f.delete(1, tokenstore.Filter{ID: "id-a"})
		f.create(record("a"))
	}},
}
