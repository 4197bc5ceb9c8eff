// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"slices"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// client stores a client.
func (f *fixture) client(c tokenstore.Client) tokenstore.Client {
	f.Helper()
	stored, err := f.store.PutClient(f.Context(), c)
	f.ok(err)
	return stored
}

var clientTests = []test{
	{"are created once", func(f *fixture) {
		c := f.client(tokenstore.Client{ID: "c", Name: "first"})
		if c.Version < 1 {
			f.Errorf("version %d, want at least 1", c.Version)
		}
		got, err := f.store.PutClient(f.Context(), tokenstore.Client{ID: "c", Name: "second"})
		f.wants(err, tokenstore.ErrExists)
		f.same("client beside an error", got, tokenstore.Client{})
		got, err = f.store.Client(f.Context(), "c")
		f.ok(err)
		f.same("client", got, c)
		f.client(tokenstore.Client{ID: "C"})
		_, err = f.store.PutClient(f.Context(), tokenstore.Client{})
		f.fails(err, "PutClient without an ID")
	}},
	{"have two secrets while one is rotated", func(f *fixture) {
		c := f.client(tokenstore.Client{ID: "c", Secrets: [][]byte{digest("old")}})
		c.Secrets = [][]byte{digest("new"), digest("old")}
		c = f.client(c)
		got, err := f.store.Client(f.Context(), "c")
		f.ok(err)
		f.same("client", got, c)
		c.Secrets = c.Secrets[:1]
		c = f.client(c)
		got, err = f.store.Client(f.Context(), "c")
		f.ok(err)
		f.same("client", got, c)
	}},
	{"are listed by ID", func(f *fixture) {
		ids := []string{"a", "d:1", "d:2", "d:3", "d:\xff", "e"}
		for i := range ids {
			f.client(tokenstore.Client{ID: ids[len(ids)-1-i], Name: "n", Secrets: [][]byte{digest("s")}, Data: []byte("{}")})
		}
		list := func(prefix string, n int) (found []string) {
			for cursor := ""; ; {
				page, next, err := f.store.Clients(f.Context(), prefix, cursor, n)
				f.ok(err)
				if len(page) > max(n, 1) {
					f.Errorf("a page of %d clients, want %d at most", len(page), n)
				}
				for _, c := range page {
					whole, err := f.store.Client(f.Context(), c.ID)
					f.ok(err)
					f.same("listed client", c, whole)
					found = append(found, c.ID)
				}
				if next == "" {
					return found
				}
				cursor = next
			}
		}
		for n := range 8 {
			for prefix, want := range map[string][]string{"": ids, "d:": ids[1:5], "b": nil} {
				if got := list(prefix, n); !slices.Equal(got, want) {
					f.Errorf("clients under %q by %d: %q, want %q", prefix, n, got, want)
				}
			}
		}
		_, _, err := f.store.Clients(f.Context(), "", "forged", 1)
		f.wants(err, tokenstore.ErrCursor)
	}},
	{"replacement needs the current version", func(f *fixture) {
		first := f.client(tokenstore.Client{ID: "c"})
		changed := first
		changed.Name = "second"
		second := f.client(changed)
		if second.Version <= first.Version {
			f.Errorf("version %d, want more than %d", second.Version, first.Version)
		}
		_, err := f.store.PutClient(f.Context(), changed)
		f.wants(err, tokenstore.ErrStale)
		got, err := f.store.Client(f.Context(), "c")
		f.ok(err)
		f.same("client", got, second)
	}},
	{"absent ones are not found", func(f *fixture) {
		_, err := f.store.Client(f.Context(), "c")
		f.wants(err, tokenstore.ErrNotFound)
		_, err = f.store.Client(f.Context(), "")
		f.wants(err, tokenstore.ErrNotFound)
		_, err = f.store.PutClient(f.Context(), tokenstore.Client{ID: "c", Version: 1})
		f.wants(err, tokenstore.ErrNotFound)
		f.wants(f.store.DeleteClient(f.Context(), "c"), tokenstore.ErrNotFound)
	}},
	{"too much data", func(f *fixture) {
		_, err := f.store.PutClient(f.Context(), tokenstore.Client{ID: "c", Data: make([]byte, tokenstore.MaxData+1)})
		f.wants(err, tokenstore.ErrTooLarge)
		f.client(tokenstore.Client{ID: "c", Data: make([]byte, tokenstore.MaxData)})
	}},
	{"deletion takes the credentials", func(f *fixture) {
		user := f.user("alice")
		f.client(tokenstore.Client{ID: "c"})
		f.client(tokenstore.Client{ID: "d"})
		a, b, spent := recordOf(user, "a"), recordOf(user, "b"), recordOf(user, "spent")
		a.ClientID, b.ClientID, spent.ClientID = "c", "d", "c"
		f.create(a, b, spent)
		_, err := f.store.Consume(f.Context(), spent.Digest, t0)
		f.ok(err)
		f.ok(f.store.DeleteClient(f.Context(), "c"))
		f.dead(a.Digest, t0)
		f.lives(b.Digest, t0)
		_, err = f.store.Consume(f.Context(), spent.Digest, t0)
		f.wants(err, tokenstore.ErrNotFound)
		_, err = f.store.Client(f.Context(), "c")
		f.wants(err, tokenstore.ErrNotFound)
	}},
}
