// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// odd holds what has special meaning somewhere between Go and a disk.
var odd = "o'dd \"`\\ %_?$1:x;--\x00\n\t é 𝔘 " + strings.Repeat("x", 1<<10)

// fullRecord is a record with something in each field.
func fullRecord(user tokenstore.User) tokenstore.Credential {
	data := make([]byte, 256)
	for i := range data {
		data[i] = byte(i)
	}
	return tokenstore.Credential{
		ID: "id" + odd, Kind: "kind" + odd, Label: "label" + odd, Digest: data[:64],
		UserKey: user.Key, ClientID: "client" + odd, Family: "family" + odd, Slot: "slot" + odd,
		Scopes:   []string{"z", "a", odd, "with space", "with,comma", ""},
		Created:  at(123456 * time.Microsecond),
		Expires:  time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC),
		LastUsed: at(time.Second + time.Microsecond),
		Data:     data, Origin: "origin" + odd, PasswordVersion: user.PasswordVersion,
	}
}

var fidelityTests = []test{
	{"every field of a record", func(f *fixture) {
		user := f.user("alice")
		want := fullRecord(user)
		f.create(want)
		f.same("Lookup", f.lives(want.Digest, t0), want)
		f.same("List", f.list(tokenstore.Filter{UserKey: user.Key})[0], want)
		got, err := f.store.Consume(f.Context(), want.Digest, t0)
		f.ok(err)
		f.same("Consume", got, want)
	}},
	{"every field of a record that rotation stored", func(f *fixture) {
		user := f.user("alice")
		f.create(record("old"))
		want := fullRecord(user)
		_, _, err := f.store.Rotate(f.Context(), digest("old"), []tokenstore.Credential{want}, nil, t0, 0)
		f.ok(err)
		f.same("Lookup", f.lives(want.Digest, t0), want)
	}},
	{"times are cut to the microsecond and returned in UTC", func(f *fixture) {
		zone := time.FixedZone("odd", 5*3600+45*60)
		c := record("a")
		c.Created = at(1999 * time.Nanosecond).In(zone)
		c.Expires = at(time.Hour + 1999*time.Nanosecond).In(zone)
		c.LastUsed = at(time.Second + 1999*time.Nanosecond).In(zone)
		f.create(c)
		c.Created, c.Expires, c.LastUsed = at(1000), at(time.Hour+1000), at(time.Second+1000)
		f.same("Lookup", f.lives(c.Digest, t0), c)
	}},
	{"empty lists", func(f *fixture) {
		c := record("a")
		c.Scopes, c.Data = []string{}, []byte{}
		f.create(c)
		f.same("Lookup", f.lives(c.Digest, t0), c)
	}},
	{"every field of a user", func(f *fixture) {
		want := tokenstore.User{
			Key: "store:" + odd, Name: "name" + odd, Email: "email" + odd, FullName: "full" + odd,
			Origin: "origin" + odd, OriginID: "id" + odd, PasswordHash: "hash" + odd, PasswordVersion: 7,
			Active: true, Staff: true, Superuser: true,
			Groups: []string{"a", "group" + odd}, Permissions: []string{"a.b", "p" + odd},
		}
		stored := f.put(want)
		want.Version = stored.Version
		f.same("PutUser", stored, want)
		for name, get := range userReads(f, want) {
			got, err := get()
			f.ok(err)
			f.same(name, got, want)
		}
		page, _, err := f.store.Users(f.Context(), "", 10)
		f.ok(err)
		f.same("Users", page[0], want)
		f.create(recordOf(stored, "a"))
		_, got, err := f.store.Lookup(f.Context(), digest("a"), t0)
		f.ok(err)
		f.same("Lookup", got, want)
	}},
	{"flags are kept apart", func(f *fixture) {
		for _, want := range []tokenstore.User{{Name: "1", Active: true}, {Name: "2", Staff: true}, {Name: "3", Superuser: true}} {
			stored := f.put(want)
			want.Key, want.Version, want.PasswordVersion = stored.Key, stored.Version, stored.PasswordVersion
			got, err := f.store.User(f.Context(), stored.Key)
			f.ok(err)
			f.same("User", got, want)
		}
	}},
	{"every field of a client", func(f *fixture) {
		want := tokenstore.Client{
			ID: "id" + odd, OwnerKey: "owner" + odd, Name: "name" + odd,
			Secrets: [][]byte{digest("new"), digest("old")}, Data: []byte("data" + odd),
		}
		stored, err := f.store.PutClient(f.Context(), want)
		f.ok(err)
		want.Version = stored.Version
		f.same("PutClient", stored, want)
		got, err := f.store.Client(f.Context(), want.ID)
		f.ok(err)
		f.same("Client", got, want)
	}},
	{"slices are not shared", func(f *fixture) {
		user := f.put(tokenstore.User{Name: "alice", Active: true, Groups: []string{"g"}, Permissions: []string{"a.b"}})
		f.ok(f.store.PutGroup(f.Context(), tokenstore.Group{Name: "g", Permissions: []string{"c.d"}}))
		c := fullRecord(user)
		in := c
		in.Digest, in.Data, in.Scopes = bytes.Clone(c.Digest), bytes.Clone(c.Data), slices.Clone(c.Scopes)
		f.create(in)
		clear(in.Digest)
		clear(in.Data)
		clear(in.Scopes)
		for range 2 {
			got, u, err := f.store.Lookup(f.Context(), c.Digest, t0)
			f.ok(err)
			f.same("Lookup", got, c)
			f.sameStrings("Permissions", u.Permissions, "a.b", "c.d")
			f.sameStrings("Groups", u.Groups, "g")
			clear(got.Digest)
			clear(got.Data)
			clear(got.Scopes)
			clear(u.Permissions)
			clear(u.Groups)
			clear(u.Inherited)
			listed := f.list(tokenstore.Filter{})[0]
			clear(listed.Digest)
			clear(listed.Data)
			groups, err := f.store.Groups(f.Context())
			f.ok(err)
			clear(groups[0].Permissions)
		}
		secrets := [][]byte{digest("s")}
		_, err := f.store.PutClient(f.Context(), tokenstore.Client{ID: "c", Secrets: secrets})
		f.ok(err)
		clear(secrets[0])
		for range 2 {
			client, err := f.store.Client(f.Context(), "c")
			f.ok(err)
			if !bytes.Equal(client.Secrets[0], digest("s")) {
				f.Fatal("a client's secret changed with a slice of the caller")
			}
			clear(client.Secrets[0])
		}
	}},
	{"a sealed reply is not shared", func(f *fixture) {
		f.create(record("old"))
		sealed := []byte("sealed")
		_, _, err := f.store.Rotate(f.Context(), digest("old"), nil, sealed, t0, time.Minute)
		f.ok(err)
		clear(sealed)
		for range 2 {
			reply, _, err := f.store.Rotate(f.Context(), digest("old"), nil, nil, t0, time.Minute)
			f.ok(err)
			if string(reply) != "sealed" {
				f.Fatalf("reply %q, want the first caller's", reply)
			}
			clear(reply)
		}
	}},
}

// userReads are the ways to read one user.
func userReads(f *fixture, u tokenstore.User) map[string]func() (tokenstore.User, error) {
	return map[string]func() (tokenstore.User, error){
		"User":         func() (tokenstore.User, error) { return f.store.User(f.Context(), u.Key) },
		"UserByName":   func() (tokenstore.User, error) { return f.store.UserByName(f.Context(), u.Name) },
		"UserByOrigin": func() (tokenstore.User, error) { return f.store.UserByOrigin(f.Context(), u.Origin, u.OriginID) },
	}
}
