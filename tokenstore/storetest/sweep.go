// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"fmt"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

var sweepTests = []test{
	{"takes all that ended, and counts it", func(f *fixture) {
		expired, tomb, spent, living := record("expired"), imported("tomb"), record("spent"), record("living")
		expired.Expires, tomb.Expires, spent.Expires = at(time.Hour), at(time.Hour), at(time.Hour)
		f.create(expired, tomb, spent, living)
		f.delete(1, tokenstore.Filter{ID: tomb.ID})
		_, err := f.store.Consume(f.Context(), spent.Digest, t0)
		f.ok(err)
		f.remember("key", at(time.Hour), true)
		f.remember("later", at(4*time.Hour), true)
		f.hit("counter", 1, at(time.Hour))
		f.hit("running", 1, at(2*time.Hour))

		f.sweep(at(59*time.Minute), 100, 0)
		f.entombed("tomb", t0)
		f.sweep(at(2*time.Hour+30*time.Second), 100, 4)
		f.sweep(at(2*time.Hour+30*time.Second), 100, 0)

		f.wantIDs(tokenstore.Filter{}, "id-living")
		f.lives(living.Digest, at(2*time.Hour))
		f.known("key", false)
		f.known("later", true)
		_, err = f.store.Consume(f.Context(), spent.Digest, t0)
		f.wants(err, tokenstore.ErrNotFound)
		f.entombed("tomb", at(2*time.Hour))
		f.hits("running", 1, at(2*time.Hour+30*time.Second), 30*time.Second)
		f.hits("counter", 1, at(time.Hour), 0)
	}},
	{"takes at most max", func(f *fixture) {
		for i := range 5 {
			c := imported(fmt.Sprint(i))
			c.Expires = at(time.Minute)
			f.create(c)
			f.remember(fmt.Sprint(i), at(time.Minute), true)
			f.hit(fmt.Sprint(i), 1, t0)
		}
		f.sweep(at(time.Hour), 0, 0)
		f.sweep(at(time.Hour), -1, 0)
		f.sweep(at(time.Hour), 1, 1)
		for range 3 {
			f.sweep(at(time.Hour), 4, 4)
		}
		f.sweep(at(time.Hour), 4, 2)
		f.sweep(at(time.Hour), 4, 0)
	}},
	{"lets live what never expires", func(f *fixture) {
		c := record("a")
		c.Expires = time.Time{}
		f.create(c)
		f.user("alice")
		f.group("g")
		f.client(tokenstore.Client{ID: "c"})
		f.sweep(at(200*365*24*time.Hour), 100, 0)
		f.lives(c.Digest, at(200*365*24*time.Hour))
		f.sameStrings("users", f.walkUsers(10), "alice")
		f.wantGroups("g[]")
	}},
	{"remembers spent records that would never have expired for their time", func(f *fixture) {
		c := record("a")
		c.Expires = time.Time{}
		f.create(c)
		_, err := f.store.Consume(f.Context(), c.Digest, t0)
		f.ok(err)
		f.sweep(at(tokenstore.SpentLife-time.Second), 100, 0)
		_, err = f.store.Consume(f.Context(), c.Digest, t0)
		f.wants(err, tokenstore.ErrReused)
		f.sweep(at(tokenstore.SpentLife+time.Second), 100, 1)
		_, err = f.store.Consume(f.Context(), c.Digest, t0)
		f.wants(err, tokenstore.ErrNotFound)
	}},
	{"entombs imported ones among them for ever", func(f *fixture) {
		for _, name := range []string{"consumed", "rotated", "mortal", "our own", "expired"} {
			c := imported(name)
			if name == "our own" {
				c.Origin = ""
			}
			if name != "mortal" && name != "expired" {
				c.Expires = time.Time{}
			}
			f.create(c)
		}
		for _, name := range []string{"consumed", "mortal", "our own"} {
			_, err := f.store.Consume(f.Context(), digest(name), t0)
			f.ok(err)
		}
		_, _, err := f.store.Rotate(f.Context(), digest("rotated"), nil, nil, t0, grace)
		f.ok(err)
		after := at(tokenstore.SpentLife + time.Second)
		f.sweep(after, 2, 2)
		f.sweep(after, 100, 3)
		f.sweep(at(200*365*24*time.Hour), 100, 0)
		f.entombed("consumed", after)
		f.entombed("mortal", after)
		f.entombed("rotated", at(200*365*24*time.Hour))
		f.create(record("our own"), imported("expired"))
	}},
	{"keeps an eye on spent records until they would have expired", func(f *fixture) {
		f.create(member("old"))
		f.rotates("old", "new", t0)
		f.sweep(at(23*time.Hour), 100, 0)
		f.reused("old", at(23*time.Hour))
		f.dead(digest("new"), t0)
	}},
}
