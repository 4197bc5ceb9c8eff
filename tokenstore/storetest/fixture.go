// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// t0 is when most records of the suite are created.
var t0 = time.Date(2019, 3, 1, 12, 0, 0, 0, time.UTC)

// at is a time of the suite's clock.
func at(d time.Duration) time.Time { return t0.Add(d) }

// digest is the digest of a secret of that name.
func digest(name string) []byte {
	sum := sha256.Sum256([]byte(name))
	return sum[:]
}

// record is a token without a user that lives for a day.
func record(name string) tokenstore.Credential {
	return tokenstore.Credential{
		ID:      "id-" + name,
		Kind:    tokenstore.KindToken,
		Digest:  digest(name),
		Created: t0,
		Expires: at(24 * time.Hour),
	}
}

// recordOf is a record of a user.
func recordOf(user tokenstore.User, name string) tokenstore.Credential {
	c := record(name)
	c.UserKey = user.Key
	return c
}

// A fixture is a store and what tests want to know of it. Its methods fail the
// test at once, so they belong to the test's own goroutine.
type fixture struct {
	*testing.T
	store tokenstore.Store
}

func newFixture(t *testing.T, open func(t *testing.T) tokenstore.Store) *fixture {
	t.Helper()
	store := open(t)
	if store == nil {
		t.Fatal("open returned no store")
	}
	return &fixture{T: t, store: store}
}

// ok fails the test if err is one.
func (f *fixture) ok(err error) {
	f.Helper()
	if err != nil {
		f.Fatalf("error %v, want none", err)
	}
}

// wants fails the test unless err wraps target.
func (f *fixture) wants(err, target error) {
	f.Helper()
	if !errors.Is(err, target) {
		f.Fatalf("error %v, want %v", err, target)
	}
}

// fails fails the test unless err is an error.
func (f *fixture) fails(err error, what string) {
	f.Helper()
	if err == nil {
		f.Fatalf("%s: no error, want one", what)
	}
}

// create stores records without a limit.
func (f *fixture) create(records ...tokenstore.Credential) {
	f.Helper()
	for _, c := range records {
		if err := f.store.Create(f.Context(), c, 0, false); err != nil {
			f.Fatalf("Create(%s) = %v, want no error", c.ID, err)
		}
	}
}

// user stores an active user of that name.
func (f *fixture) user(name string) tokenstore.User {
	f.Helper()
	return f.put(tokenstore.User{Name: name, Active: true, PasswordHash: "hash of " + name})
}

// put stores a user.
func (f *fixture) put(u tokenstore.User) tokenstore.User {
	f.Helper()
	stored, err := f.store.PutUser(f.Context(), u)
	if err != nil {
		f.Fatalf("PutUser(%q) = %v, want no error", u.Name, err)
	}
	return stored
}

// lives fails the test unless a record is found at now, and returns it.
func (f *fixture) lives(digest []byte, now time.Time) tokenstore.Credential {
	f.Helper()
	c, _, err := f.store.Lookup(f.Context(), digest, now)
	if err != nil {
		f.Fatalf("Lookup at %v = %v, want the record", now.Sub(t0), err)
	}
	if !bytes.Equal(c.Digest, digest) {
		f.Fatalf("Lookup found the record with digest %x, want %x", c.Digest, digest)
	}
	return c
}

// dead fails the test unless a record is not found at now, and nothing of it
// leaks.
func (f *fixture) dead(digest []byte, now time.Time) {
	f.Helper()
	c, u, err := f.store.Lookup(f.Context(), digest, now)
	if !errors.Is(err, tokenstore.ErrNotFound) {
		f.Fatalf("Lookup at %v of a dead record = %v, want ErrNotFound", now.Sub(t0), err)
	}
	if errors.Is(err, tokenstore.ErrInactive) {
		f.Fatalf("Lookup at %v of a dead record = ErrInactive, want a plain ErrNotFound", now.Sub(t0))
	}
	f.same("record beside an error", c, tokenstore.Credential{})
	f.same("user beside an error", u, tokenstore.User{})
}

// list reads all records that a filter selects.
func (f *fixture) list(filter tokenstore.Filter) []tokenstore.Credential {
	f.Helper()
	var all []tokenstore.Credential
	cursor := ""
	for range 1000 {
		page, next, err := f.store.List(f.Context(), filter, cursor, 50)
		f.ok(err)
		all = append(all, page...)
		if next == "" {
			return all
		}
		cursor = next
	}
	f.Fatal("List did not end after 1000 pages")
	return nil
}

// ids are the IDs of all records that a filter selects, in order.
func (f *fixture) ids(filter tokenstore.Filter) []string {
	f.Helper()
	var ids []string
	for _, c := range f.list(filter) {
		ids = append(ids, c.ID)
	}
	return ids
}

// wantIDs fails the test unless a filter selects these records, in this order.
func (f *fixture) wantIDs(filter tokenstore.Filter, want ...string) {
	f.Helper()
	if got := f.ids(filter); !slices.Equal(got, want) {
		f.Fatalf("List(%+v) = %q, want %q", filter, got, want)
	}
}

// same fails the test unless got and want, structs of one type, are equal; an
// empty slice equals nil.
func (f *fixture) same(what string, got, want any) {
	f.Helper()
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	for i := range g.NumField() {
		a, b := g.Field(i), w.Field(i)
		if a.Kind() == reflect.Slice && a.Len() == 0 && b.Len() == 0 {
			continue
		}
		if !reflect.DeepEqual(a.Interface(), b.Interface()) {
			f.Errorf("%s: %s = %#v, want %#v", what, g.Type().Field(i).Name, a.Interface(), b.Interface())
		}
	}
}

// sameStrings fails the test unless got holds want, in order.
func (f *fixture) sameStrings(what string, got []string, want ...string) {
	f.Helper()
	if !slices.Equal(got, want) {
		f.Errorf("%s = %q, want %q", what, got, want)
	}
}
