// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"fmt"
	"slices"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// group stores a group.
func (f *fixture) group(name string, permissions ...string) {
	f.Helper()
	f.ok(f.store.PutGroup(f.Context(), tokenstore.Group{Name: name, Permissions: permissions}))
}

// wantGroups fails the test unless these are the groups, each written as its
// name and permissions.
func (f *fixture) wantGroups(want ...string) {
	f.Helper()
	groups, err := f.store.Groups(f.Context())
	f.ok(err)
	var got []string
	for _, g := range groups {
		got = append(got, fmt.Sprint(g.Name, g.Permissions))
	}
	f.sameStrings("groups", got, want...)
}

var groupTests = []test{
	{"are stored and replaced, by name", func(f *fixture) {
		f.wantGroups()
		f.group("b", "y.y", "x.x", "y.y")
		f.group("a")
		f.group("B")
		f.wantGroups("B[]", "a[]", "b[x.x y.y]")
		f.group("b", "z.z")
		f.wantGroups("B[]", "a[]", "b[z.z]")
		f.fails(f.store.PutGroup(f.Context(), tokenstore.Group{}), "PutGroup without a name")
	}},
	{"give permissions: merged, sorted, once each", func(f *fixture) {
		f.group("g", "b.b", "d.d")
		f.group("h", "a.a", "b.b")
		f.group("other", "x.x")
		u := f.put(tokenstore.User{
			Name: "alice", Active: true, Origin: "o", OriginID: "1",
			Groups: []string{"h", "g", "h"}, Permissions: []string{"d.d", "c.c", "c.c"},
		})
		f.sameStrings("PutUser's groups", u.Groups, "g", "h")
		f.sameStrings("PutUser's own permissions", u.Permissions, "c.c", "d.d")
		f.sameStrings("PutUser's inherited permissions", u.Inherited)
		reads := userReads(f, u)
		f.create(recordOf(u, "a"))
		reads["Lookup"] = func() (tokenstore.User, error) {
			_, u, err := f.store.Lookup(f.Context(), digest("a"), t0)
			return u, err
		}
		for name, get := range reads {
			got, err := get()
			f.ok(err)
			f.sameStrings(name+"'s permissions", got.Permissions, "a.a", "b.b", "c.c", "d.d")
			f.sameStrings(name+"'s inherited permissions", got.Inherited, "a.a", "b.b")
			f.sameStrings(name+"'s groups", got.Groups, "g", "h")
		}
		page, _, err := f.store.Users(f.Context(), "", 10)
		f.ok(err)
		f.sameStrings("Users' permissions", page[0].Permissions, "c.c", "d.d")
		f.sameStrings("Users' inherited permissions", page[0].Inherited)
	}},
	{"what a group gives does not become the user's own", func(f *fixture) {
		f.group("g", "a.a", "b.b")
		u := f.put(tokenstore.User{Name: "alice", Groups: []string{"g"}, Permissions: []string{"b.b"}})
		u, err := f.store.User(f.Context(), u.Key)
		f.ok(err)
		u.Groups = nil
		u = f.put(u)
		f.sameStrings("own permissions", u.Permissions, "b.b")
		u, err = f.store.User(f.Context(), u.Key)
		f.ok(err)
		f.sameStrings("permissions", u.Permissions, "b.b")
	}},
	{"changes reach the members at once", func(f *fixture) {
		f.group("g", "a.a")
		u := f.put(tokenstore.User{Name: "alice", Active: true, Groups: []string{"g"}})
		f.create(recordOf(u, "a"))
		f.group("g", "b.b")
		_, got, err := f.store.Lookup(f.Context(), digest("a"), t0)
		f.ok(err)
		f.sameStrings("permissions", got.Permissions, "b.b")
	}},
	{"changes reach members of every sort", func(f *fixture) {
		f.group("g", "a.a")
		f.group("other", "x.x", "p0.p")
		var keys []string
		for i := range 40 {
			u := tokenstore.User{Name: fmt.Sprint("user", i), Groups: []string{"g"}, Permissions: []string{fmt.Sprintf("p%d.p", i)}}
			if i%2 == 0 {
				u.Groups = append(u.Groups, "other")
			}
			keys = append(keys, f.put(u).Key)
		}
		wants := func(given ...string) {
			f.Helper()
			for i, key := range keys {
				u, err := f.store.User(f.Context(), key)
				f.ok(err)
				want := append([]string{fmt.Sprintf("p%d.p", i)}, given...)
				if i%2 == 0 {
					want = append(want, "p0.p", "x.x")
				}
				slices.Sort(want)
				f.sameStrings(u.Name, u.Permissions, slices.Compact(want)...)
			}
		}
		wants("a.a")
		f.group("g", "b.b", "p7.p")
		wants("b.b", "p7.p")
		f.group("g", "b.b", "p7.p")
		wants("b.b", "p7.p")
		f.ok(f.store.DeleteGroup(f.Context(), "g"))
		wants()
	}},
	{"membership creates a group, and changes none", func(f *fixture) {
		f.group("old", "a.a")
		f.put(tokenstore.User{Name: "alice", Groups: []string{"new", "old"}})
		f.wantGroups("new[]", "old[a.a]")
	}},
	{"a refused user creates none", func(f *fixture) {
		f.user("alice")
		_, err := f.store.PutUser(f.Context(), tokenstore.User{Name: "alice", Groups: []string{"g"}})
		f.wants(err, tokenstore.ErrExists)
		f.wantGroups()
	}},
	{"replacing a user replaces its memberships", func(f *fixture) {
		f.group("g", "a.a")
		u := f.put(tokenstore.User{Name: "alice", Groups: []string{"g"}})
		u.Groups = []string{"h"}
		u = f.put(u)
		got, err := f.store.User(f.Context(), u.Key)
		f.ok(err)
		f.sameStrings("groups", got.Groups, "h")
		f.sameStrings("permissions", got.Permissions)
		f.wantGroups("g[a.a]", "h[]")
	}},
	{"deletion ends memberships, and a namesake has no members", func(f *fixture) {
		f.group("g", "a.a")
		u := f.put(tokenstore.User{Name: "alice", Groups: []string{"g", "h"}})
		f.ok(f.store.DeleteGroup(f.Context(), "g"))
		f.group("g", "b.b")
		got, err := f.store.User(f.Context(), u.Key)
		f.ok(err)
		f.sameStrings("groups", got.Groups, "h")
		f.sameStrings("permissions", got.Permissions)
		f.wants(f.store.DeleteGroup(f.Context(), "absent"), tokenstore.ErrNotFound)
	}},
	{"deletion of a user leaves its groups", func(f *fixture) {
		u := f.put(tokenstore.User{Name: "alice", Groups: []string{"g"}})
		f.ok(f.store.DeleteUser(f.Context(), u.Key))
		f.wantGroups("g[]")
	}},
}
