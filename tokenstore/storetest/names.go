// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"fmt"
	"strings"

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
