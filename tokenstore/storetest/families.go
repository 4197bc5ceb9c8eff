// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// revoke fails the test unless a family is revoked.
func (f *fixture) revoke(family string, until time.Time) {
	f.Helper()
	f.ok(f.store.Revoke(f.Context(), family, until))
}

// revoked fails the test unless Revoked reports want.
func (f *fixture) revoked(family string, want bool) {
	f.Helper()
	got, err := f.store.Revoked(f.Context(), family)
	f.ok(err)
	if got != want {
		f.Fatalf("Revoked(%q) = %t, want %t", family, got, want)
	}
}

var familyTests = []test{
	{"are remembered without a record", func(f *fixture) {
		f.revoked("family", false)
		f.revoke("family", at(time.Hour))
		f.revoked("family", true)
		f.revoked("Family", false)
		f.revoked("famil", false)
		f.revoke("family", at(time.Hour))
		f.revoked("family", true)
	}},
	{"an empty name asks for any", func(f *fixture) {
		f.revoked("", false)
		f.remember("a", at(time.Hour), true)
		f.create(member("a"))
		f.revoked("", false)
		f.revoke("family", at(time.Hour))
		f.revoked("", true)
		f.sweep(at(2*time.Hour), 100, 2)
		f.revoked("", false)
		f.fails(f.store.Revoke(f.Context(), "", at(time.Hour)), "Revoke of no family")
		f.revoked("", false)
	}},
	{"are known until they are swept", func(f *fixture) {
		f.revoke("past", time.Unix(0, 0))
		f.revoke("later", at(2*time.Hour))
		f.revoked("past", true)
		f.sweep(at(time.Hour), 100, 1)
		f.revoked("past", false)
		f.revoked("later", true)
		f.sweep(at(2*time.Hour), 100, 0)
		f.sweep(at(2*time.Hour+time.Second), 100, 1)
		f.revoked("later", false)
	}},
	{"are kept until the later time", func(f *fixture) {
		f.revoke("raised", at(time.Hour))
		f.revoke("raised", at(3*time.Hour))
		f.revoke("kept", at(3*time.Hour))
		f.revoke("kept", at(time.Hour))
		f.sweep(at(2*time.Hour), 100, 0)
		f.revoked("raised", true)
		f.revoked("kept", true)
		f.sweep(at(4*time.Hour), 100, 2)
	}},
	{"are kept for good without a time", func(f *fixture) {
		f.revoke("first", time.Time{})
		f.revoke("first", at(time.Hour))
		f.revoke("then", at(time.Hour))
		f.revoke("then", time.Time{})
		f.sweep(at(200*365*24*time.Hour), 100, 0)
		f.revoked("first", true)
		f.revoked("then", true)
	}},
	{"end their records", func(f *fixture) {
		user := f.user("alice")
		bound, other := recordOf(user, "bound"), member("other")
		bound.Family, other.Family = "family", "other"
		f.create(member("a"), bound, other)
		f.rotates("a", "b", t0)
		f.revoke("family", at(time.Hour))
		for _, name := range []string{"a", "b", "bound"} {
			f.dead(digest(name), t0)
		}
		f.lives(digest("other"), t0)
		f.wantIDs(tokenstore.Filter{Family: "family"})
		_, _, err := f.store.Rotate(f.Context(), digest("a"), nil, nil, t0, time.Minute)
		f.wants(err, tokenstore.ErrNotFound)
	}},
	{"entomb imported records", func(f *fixture) {
		c := imported("a")
		c.Family = "family"
		f.create(c)
		f.revoke("family", at(time.Hour))
		f.entombed("a", t0)
	}},
	{"end many records", func(f *fixture) {
		for i := range 200 {
			f.create(member(fmt.Sprint(i)))
		}
		f.revoke("family", at(time.Hour))
		f.wantIDs(tokenstore.Filter{Family: "family"})
	}},
	{"are no nonces, and no records", func(f *fixture) {
		f.revoke("a", at(time.Hour))
		f.known("a", false)
		f.remember("a", at(time.Hour), true)
		f.ok(f.store.Forget(f.Context(), "a"))
		f.revoked("a", true)
		f.remember("b", at(time.Hour), true)
		f.revoked("b", false)
		c := record("c")
		c.Family = "a"
		f.create(c)
		f.delete(1, tokenstore.Filter{Family: "a"})
		f.revoked("a", true)
	}},
	{"reuse and Delete revoke records alone", func(f *fixture) {
		f.create(member("a"))
		f.delete(1, tokenstore.Filter{Family: "family"})
		f.revoked("family", false)
	}},
	{"may have any name within the bounds", func(f *fixture) {
		for _, family := range []string{"\x00", "\xff\xfe", "' OR 1=1 --", "jwt:https://i.example|ä", strings.Repeat("x", tokenstore.MaxName)} {
			f.revoked(family, false)
			f.revoke(family, at(time.Hour))
			f.revoked(family, true)
		}
		long := strings.Repeat("x", tokenstore.MaxName+1)
		f.wants(f.store.Revoke(f.Context(), long, at(time.Hour)), tokenstore.ErrTooLarge)
		f.revoked(long, false)
	}},
	{"are reported", func(f *fixture) {
		c := record("c")
		c.Family = "with"
		f.create(c)
		w := f.watch()
		f.revoke("without", at(time.Hour))
		w.reports("the end of a family without records", func(c tokenstore.Change) bool { return c.All || c.Family == "without" })
		f.revoke("with", at(time.Hour))
		w.names("Revoke", c)
		w.reports("the end of a family", func(c tokenstore.Change) bool { return c.All || c.Family == "with" })
	}},
	{"many at once", func(f *fixture) {
		var failed atomic.Int32
		together(40, func(i int) {
			if f.store.Revoke(f.Context(), fmt.Sprint("family ", i%10), at(time.Duration(1+i)*time.Hour)) != nil {
				failed.Add(1)
			}
		})
		if n := failed.Load(); n != 0 {
			f.Fatalf("%d of 40 calls at once failed", n)
		}
		f.sweep(at(30*time.Hour+time.Minute), 100, 0)
		for i := range 10 {
			f.revoked(fmt.Sprint("family ", i), true)
		}
		f.sweep(at(1000*time.Hour), 100, 10)
	}},
	{"beside rotations nothing is left", func(f *fixture) {
		f.create(member("0"))
		var failure atomic.Value
		together(2, func(i int) {
			if i == 0 {
				if err := f.store.Revoke(f.Context(), "family", at(time.Hour)); err != nil {
					failure.Store(err)
				}
				return
			}
			for n := range 20 {
				_, _, err := f.store.Rotate(f.Context(), digest(fmt.Sprint(n)), []tokenstore.Credential{member(fmt.Sprint(n + 1))}, nil, t0, time.Minute)
				if errors.Is(err, tokenstore.ErrNotFound) {
					return
				}
				if err != nil {
					failure.Store(err)
				}
			}
		})
		if err := failure.Load(); err != nil {
			f.Fatal(err)
		}
		f.wantIDs(tokenstore.Filter{Family: "family"})
	}},
	{"in a transaction that fails, nothing was revoked", func(f *fixture) {
		tx, ok := f.store.(tokenstore.Transactor)
		if !ok {
			f.Skip("no transactions")
		}
		f.create(member("a"))
		undone := errors.New("undone")
		f.wants(tx.InTx(f.Context(), func(s tokenstore.Store) error {
			if err := s.Revoke(f.Context(), "family", at(time.Hour)); err != nil {
				return err
			}
			if revoked, err := s.Revoked(f.Context(), "family"); err != nil || !revoked {
				return fmt.Errorf("within the transaction: %t, %w", revoked, err)
			}
			return undone
		}), undone)
		f.revoked("family", false)
		f.lives(digest("a"), t0)
		f.ok(tx.InTx(f.Context(), func(s tokenstore.Store) error { return s.Revoke(f.Context(), "family", at(time.Hour)) }))
		f.revoked("family", true)
		f.dead(digest("a"), t0)
	}},
}
