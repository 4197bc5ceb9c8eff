// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"fmt"
	"strings"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// hostile are names that are all different, although something between Go and a
// disk may take some for others.
var hostile = []string{
	"alice", "Alice", "ALICE", "alice ", " alice", "alice\x00", "alice\x00x", "alice\n", "\x00",
	"%", "_", "a%", "alic_", "*", "?", "'", "''", `"`, "`", `\`, `\\`, "--", ";", "$1", "?1", ":name", "{env.HOME}",
	"' OR '1'='1", "'; DROP TABLE users; --", "NULL", "0", "00", "0.0", "1e0",
	"\u00e9", "e\u0301", "ß", "ss", "ı", "i", "İ", "𝔘", "👩‍👩‍👧", "\u202ealice",
	strings.Repeat("x", 1<<10), strings.Repeat("x", 1<<10-1) + "y",
}

var nameTests = []test{
	{"users", func(f *fixture) {
		keys := make(map[string]string)
		for _, name := range hostile {
			keys[name] = f.put(tokenstore.User{Name: name, Origin: name, OriginID: name}).Key
		}
		for _, name := range hostile {
			for how, get := range userReads(f, tokenstore.User{Key: keys[name], Name: name, Origin: name, OriginID: name}) {
				u, err := get()
				if err != nil || u.Name != name || u.Key != keys[name] {
					f.Errorf("%s of %.30q = %.30q, %v", how, name, u.Name, err)
				}
			}
		}
	}},
	{"groups", func(f *fixture) {
		for _, name := range hostile {
			f.group(name, "p."+name)
			u := f.put(tokenstore.User{Name: name, Groups: []string{name}})
			u, err := f.store.User(f.Context(), u.Key)
			f.ok(err)
			f.sameStrings("groups", u.Groups, name)
			f.sameStrings("permissions", u.Permissions, "p."+name)
		}
		for i, name := range hostile {
			f.ok(f.store.DeleteGroup(f.Context(), name))
			groups, err := f.store.Groups(f.Context())
			f.ok(err)
			if want := len(hostile) - i - 1; len(groups) != want {
				f.Fatalf("after DeleteGroup(%.30q) there are %d groups, want %d", name, len(groups), want)
			}
		}
	}},
	{"filters and slots", func(f *fixture) {
		for i, name := range hostile {
			c := record(fmt.Sprint(i))
			c.ID, c.Kind, c.Family, c.ClientID, c.Slot = name, name, name, name, name
			f.create(c)
		}
		for _, name := range hostile {
			for _, filter := range []tokenstore.Filter{{ID: name}, {Kind: name}, {Family: name}, {ClientID: name}} {
				f.wantIDs(filter, name)
			}
			f.delete(1, tokenstore.Filter{Family: name, Kind: name})
		}
	}},
	{"clients", func(f *fixture) {
		for _, name := range hostile {
			f.client(tokenstore.Client{ID: name, Name: name})
		}
		for _, name := range hostile {
			f.ok(f.store.DeleteClient(f.Context(), name))
			_, err := f.store.Client(f.Context(), name)
			f.wants(err, tokenstore.ErrNotFound)
		}
	}},
	{"too long ones are refused", func(f *fixture) {
		longest := strings.Repeat("x", tokenstore.MaxName)
		long := longest + "x"
		f.group(longest)
		u := f.put(tokenstore.User{Key: tokenstore.UserKeyPrefix + longest[len(tokenstore.UserKeyPrefix):], Name: longest, Origin: longest, OriginID: longest, Groups: []string{longest}, Active: true})
		c := record("a")
		c.ID, c.Kind, c.UserKey, c.ClientID, c.Family, c.Slot = longest, longest, u.Key, longest, longest, longest
		f.create(c)
		f.client(tokenstore.Client{ID: longest})

		f.wants(f.store.PutGroup(f.Context(), tokenstore.Group{Name: long}), tokenstore.ErrTooLarge)
		for _, u := range []tokenstore.User{
			{Name: long},
			{Name: "a", Key: long},
			{Name: "a", Origin: long},
			{Name: "a", OriginID: long},
			{Name: "a", Groups: []string{"g", long}},
		} {
			_, err := f.store.PutUser(f.Context(), u)
			f.wants(err, tokenstore.ErrTooLarge)
		}
		for _, change := range []func(*tokenstore.Credential){
			func(c *tokenstore.Credential) { c.ID = long },
			func(c *tokenstore.Credential) { c.Kind = long },
			func(c *tokenstore.Credential) { c.UserKey = long },
			func(c *tokenstore.Credential) { c.ClientID = long },
			func(c *tokenstore.Credential) { c.Family = long },
			func(c *tokenstore.Credential) { c.Slot = long },
		} {
			c := record("b")
			change(&c)
			f.wants(f.store.Create(f.Context(), c, 0, false), tokenstore.ErrTooLarge)
		}
		_, err := f.store.PutClient(f.Context(), tokenstore.Client{ID: long})
		f.wants(err, tokenstore.ErrTooLarge)
		_, err = f.store.UserByName(f.Context(), long)
		f.wants(err, tokenstore.ErrNotFound)
		f.wantIDs(tokenstore.Filter{Family: long})
	}},
	{"keys may be of any length", func(f *fixture) {
		long := strings.Repeat("x", 1<<16)
		for _, key := range []string{long, long + "x"} {
			f.known(key, false)
			f.remember(key, t0, true)
			f.known(key, true)
			if wait := f.hit(key, 1, t0); wait != 0 {
				f.Errorf("Hit = %v, want 0", wait)
			}
			f.hits(key, 1, t0, time.Minute)
		}
		f.ok(f.store.Forget(f.Context(), long))
		f.known(long, false)
		f.known(long+"x", true)
	}},
	{"remembered keys and counters", func(f *fixture) {
		for _, name := range hostile {
			fresh, err := f.store.Remember(f.Context(), name, t0)
			if !fresh || err != nil {
				f.Errorf("Remember(%.30q) = %t, %v, want true", name, fresh, err)
			}
			if wait := f.hit(name, 1, t0); wait != 0 {
				f.Errorf("Hit(%.30q) = %v, want 0", name, wait)
			}
		}
	}},
}
