// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"fmt"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// delete fails the test unless n records go.
func (f *fixture) delete(n int, filter tokenstore.Filter, digests ...[]byte) {
	f.Helper()
	got, err := f.store.Delete(f.Context(), filter, digests...)
	f.ok(err)
	if got != n {
		f.Fatalf("Delete(%+v, %d digests) = %d, want %d", filter, len(digests), got, n)
	}
}

var revocationTests = []test{
	{"filters select by all of their fields", func(f *fixture) {
		alice, bob := f.user("alice"), f.user("bob")
		a, b, c := recordOf(alice, "a"), recordOf(alice, "b"), recordOf(bob, "c")
		a.Kind, b.Kind, c.Kind = "k", "l", "k"
		a.ClientID, b.ClientID, c.ClientID = "c", "c", "d"
		a.Family, b.Family, c.Family = "f", "g", "f"
		all := []tokenstore.Credential{a, b, c}
		f.create(all...)
		for _, tt := range []struct {
			filter tokenstore.Filter
			want   []string
		}{
			{tokenstore.Filter{ID: "id-b"}, []string{"id-b"}},
			{tokenstore.Filter{UserKey: alice.Key}, []string{"id-a", "id-b"}},
			{tokenstore.Filter{ClientID: "c"}, []string{"id-a", "id-b"}},
			{tokenstore.Filter{Family: "f"}, []string{"id-a", "id-c"}},
			{tokenstore.Filter{Kind: "k"}, []string{"id-a", "id-c"}},
			{tokenstore.Filter{UserKey: alice.Key, Kind: "k"}, []string{"id-a"}},
			{tokenstore.Filter{UserKey: bob.Key, Kind: "l"}, nil},
			{tokenstore.Filter{ID: "id-a", Family: "g"}, nil},
			{tokenstore.Filter{Family: "f", ClientID: "c"}, []string{"id-a"}},
			{tokenstore.Filter{UserKey: alice.Key, ClientID: "d"}, nil},
			{tokenstore.Filter{ID: "id-a", UserKey: alice.Key, ClientID: "c", Family: "f", Kind: "k"}, []string{"id-a"}},
			{tokenstore.Filter{Kind: "K"}, nil},
			{tokenstore.Filter{Kind: "%"}, nil},
			{tokenstore.Filter{UserKey: "' OR 1=1 --"}, nil},
		} {
			f.wantIDs(tt.filter, tt.want...)
			f.delete(len(tt.want), tt.filter)
			gone := make(map[string]bool)
			for _, id := range tt.want {
				gone[id] = true
			}
			for _, r := range all {
				if gone[r.ID] {
					f.dead(r.Digest, t0)
					f.create(r)
				} else {
					f.lives(r.Digest, t0)
				}
			}
		}
	}},
	{"the zero filter without digests is an error", func(f *fixture) {
		f.create(record("a"))
		for _, digests := range [][][]byte{nil, {}} {
			n, err := f.store.Delete(f.Context(), tokenstore.Filter{}, digests...)
			f.fails(err, "Delete of everything")
			if n != 0 {
				f.Errorf("Delete of everything = %d, want 0", n)
			}
		}
		f.lives(digest("a"), t0)
	}},
	{"digests select alone and with a filter", func(f *fixture) {
		a, b, c := record("a"), record("b"), record("c")
		a.Kind, b.Kind, c.Kind = "k", "k", "l"
		f.create(a, b, c)
		f.delete(0, tokenstore.Filter{}, digest("never was"), nil)
		f.delete(0, tokenstore.Filter{Kind: "l"}, a.Digest, b.Digest)
		f.delete(1, tokenstore.Filter{Kind: "k"}, a.Digest, a.Digest, c.Digest)
		f.delete(2, tokenstore.Filter{}, a.Digest, b.Digest, c.Digest)
		f.wantIDs(tokenstore.Filter{})
	}},
	{"many digests at once", func(f *fixture) {
		var digests [][]byte
		for i := range 1200 {
			c := record(fmt.Sprint(i))
			if i%10 == 0 {
				f.create(c)
			}
			digests = append(digests, c.Digest)
		}
		f.delete(120, tokenstore.Filter{}, digests...)
	}},
	{"expired records go and count", func(f *fixture) {
		c := record("a")
		c.Expires = c.Created
		f.create(c)
		f.delete(1, tokenstore.Filter{Kind: c.Kind})
		f.delete(0, tokenstore.Filter{Kind: c.Kind})
	}},
	{"a revoked record leaves its names free", func(f *fixture) {
		c := record("a")
		c.Slot = "s"
		f.create(c)
		f.delete(1, tokenstore.Filter{ID: c.ID})
		f.create(c)
		f.lives(c.Digest, t0)
	}},
}
