// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// walkUsers reads all users by pages of n.
func (f *fixture) walkUsers(n int) []string {
	f.Helper()
	var names []string
	cursor := ""
	for range 1000 {
		page, next, err := f.store.Users(f.Context(), cursor, n)
		f.ok(err)
		for _, u := range page {
			names = append(names, u.Name)
		}
		if next == "" {
			return names
		}
		cursor = next
	}
	f.Fatal("Users did not end after 1000 pages")
	return nil
}

// forgeries are cursors that no list handed out.
var forgeries = []string{
	"x", "0", "-1", "9223372036854775808", "null", "{}", "[]", " ", "\x00", "%00", "é", "' OR 1=1 --", "a.b", "a|b", "a,b", "1:2", "==",
	"'; DROP TABLE credentials; --", strings.Repeat("A", 1<<16), strings.Repeat("\xff", 100),
	base64.RawURLEncoding.EncodeToString([]byte("' OR 1=1 --")),
	base64.StdEncoding.EncodeToString(make([]byte, 300)),
	base64.RawURLEncoding.EncodeToString([]byte(`{"Created":"x","ID":1}`)),
}

// forged fails the test unless an answer to a forged cursor tells nothing.
func (f *fixture) forged(cursor string, err error) {
	f.Helper()
	if err == nil {
		return
	}
	if !errors.Is(err, tokenstore.ErrCursor) {
		f.Errorf("cursor %.40q: error %v, want ErrCursor or none", cursor, err)
	}
	for _, word := range []string{"select", "syntax", "sql", "constraint", "base64", "json"} {
		if strings.Contains(strings.ToLower(err.Error()), word) {
			f.Errorf("cursor %.40q: error %v speaks of %s", cursor, err, word)
		}
	}
}

var pagingTests = []test{
	{"records come by Created, then ID, without gaps or doubles", func(f *fixture) {
		var want []string
		for i := range 23 {
			want = append(want, fmt.Sprintf("id-%02d", i))
		}
		for i := 22; i >= 0; i-- {
			c := record(fmt.Sprintf("%02d", i))
			c.Created = at(time.Duration(i/4) * time.Microsecond)
			f.create(c)
		}
		for _, n := range []int{1, 2, 3, 4, 5, 22, 23, 24, tokenstore.MaxPage} {
			var got []string
			cursor := ""
			for {
				page, next, err := f.store.List(f.Context(), tokenstore.Filter{Kind: tokenstore.KindToken}, cursor, n)
				f.ok(err)
				if len(page) > n {
					f.Fatalf("a page of %d records, want at most %d", len(page), n)
				}
				for _, c := range page {
					got = append(got, c.ID)
				}
				if cursor = next; cursor == "" || len(got) > len(want) {
					break
				}
			}
			f.sameStrings(fmt.Sprintf("pages of %d", n), got, want...)
		}
	}},
	{"expired records are listed, spent and revoked ones are not", func(f *fixture) {
		expired := record("expired")
		expired.Expires = expired.Created
		f.create(expired, record("spent"), record("revoked"))
		_, err := f.store.Consume(f.Context(), digest("spent"), t0)
		f.ok(err)
		f.delete(1, tokenstore.Filter{ID: "id-revoked"})
		f.wantIDs(tokenstore.Filter{}, "id-expired")
	}},
	{"a list that changes is neither skipped nor repeated", func(f *fixture) {
		for i := range 6 {
			c := record(fmt.Sprint(i))
			c.Created = at(time.Duration(i) * time.Second)
			f.create(c)
		}
		page, next, err := f.store.List(f.Context(), tokenstore.Filter{}, "", 3)
		f.ok(err)
		f.delete(1, tokenstore.Filter{ID: page[0].ID})
		f.delete(1, tokenstore.Filter{ID: page[2].ID})
		early := record("early")
		early.Created = at(-time.Second)
		f.create(early)
		page, _, err = f.store.List(f.Context(), tokenstore.Filter{}, next, 10)
		f.ok(err)
		var got []string
		for _, c := range page {
			got = append(got, c.ID)
		}
		f.sameStrings("the second page", got, "id-3", "id-4", "id-5")
	}},
	{"n is clamped", func(f *fixture) {
		for i := range tokenstore.MaxPage + 1 {
			f.create(record(fmt.Sprint(i)))
		}
		f.user("alice")
		f.user("bob")
		for n, want := range map[int]int{-1 << 31: 1, 0: 1, tokenstore.MaxPage: tokenstore.MaxPage, 1 << 31: tokenstore.MaxPage} {
			page, next, err := f.store.List(f.Context(), tokenstore.Filter{}, "", n)
			f.ok(err)
			if len(page) != want || next == "" {
				f.Errorf("List of %d = %d records, next %q, want %d and a next", n, len(page), next, want)
			}
			users, _, err := f.store.Users(f.Context(), "", n)
			f.ok(err)
			if len(users) != min(want, 2) {
				f.Errorf("Users of %d = %d, want %d", n, len(users), min(want, 2))
			}
		}
	}},
	{"users come by the bytes of Name", func(f *fixture) {
		want := []string{"B", "a", "a\x00", "aa", "b", "é", "𝔘"}
		for _, i := range []int{3, 0, 6, 2, 5, 1, 4} {
			f.user(want[i])
		}
		for n := 1; n <= len(want)+1; n++ {
			f.sameStrings(fmt.Sprintf("pages of %d", n), f.walkUsers(n), want...)
		}
	}},
	{"empty lists end at once", func(f *fixture) {
		page, next, err := f.store.List(f.Context(), tokenstore.Filter{}, "", 10)
		if len(page) != 0 || next != "" || err != nil {
			f.Errorf("List = %v, %q, %v, want nothing", page, next, err)
		}
		users, next, err := f.store.Users(f.Context(), "", 10)
		if len(users) != 0 || next != "" || err != nil {
			f.Errorf("Users = %v, %q, %v, want nothing", users, next, err)
		}
	}},
	{"forged cursors", func(f *fixture) {
		for i := range 3 {
			f.create(record(fmt.Sprint(i)))
			f.user(fmt.Sprint(i))
		}
		cursors := forgeries
		_, next, err := f.store.List(f.Context(), tokenstore.Filter{}, "", 1)
		f.ok(err)
		_, nextUser, err := f.store.Users(f.Context(), "", 1)
		f.ok(err)
		for _, real := range []string{next, nextUser} {
			cursors = append(cursors, real, real+real, real[1:], real[:len(real)-1])
			for i := range real {
				cursors = append(cursors, real[:i+1], real[:i]+"~"+real[i+1:], real[:i]+"A"+real[i+1:])
			}
		}
		for _, cursor := range cursors {
			_, _, err := f.store.List(f.Context(), tokenstore.Filter{}, cursor, 1)
			f.forged(cursor, err)
			_, _, err = f.store.Users(f.Context(), cursor, 1)
			f.forged(cursor, err)
		}
	}},
	{"a cursor widens no filter", func(f *fixture) {
		a, b := record("a"), record("b")
		a.Family, b.Family = "f", "g"
		a2 := a
		a2.ID, a2.Digest = "id-a2", digest("a2")
		f.create(a, a2, b)
		_, next, err := f.store.List(f.Context(), tokenstore.Filter{Family: "f"}, "", 1)
		f.ok(err)
		page, _, err := f.store.List(f.Context(), tokenstore.Filter{Family: "g"}, next, 10)
		f.forged(next, err)
		for _, c := range page {
			if c.Family != "g" {
				f.Errorf("a cursor of another list brought %s", c.ID)
			}
		}
	}},
}
