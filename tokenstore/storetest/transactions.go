// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"fmt"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// errUndo is what the suite's transactions fail with.
var errUndo = errors.New("undo")

// changeAll does something with every method that writes.
func (f *fixture) changeAll(s tokenstore.Store) {
	f.Helper()
	ctx := f.Context()
	u, err := s.UserByName(ctx, "alice")
	f.ok(err)
	f.ok(s.Create(ctx, recordOf(u, "new"), 1, true))
	f.ok(s.Touch(ctx, digest("touched"), at(time.Hour), at(48*time.Hour)))
	_, err = s.Consume(ctx, digest("consumed"), t0)
	f.ok(err)
	_, err = s.Consume(ctx, digest("consumed"), t0)
	f.wants(err, tokenstore.ErrReused)
	_, _, err = s.Rotate(ctx, digest("old"), []tokenstore.Credential{record("rotated")}, []byte("x"), t0, grace)
	f.ok(err)
	n, err := s.Delete(ctx, tokenstore.Filter{ID: "id-imported"})
	f.ok(err)
	if n != 1 {
		f.Errorf("Delete = %d, want 1", n)
	}
	f.ok(s.DeleteGroup(ctx, "g"))
	f.ok(s.Rehash(ctx, u.Key, u.PasswordHash, "rehashed"))
	u, err = s.User(ctx, u.Key)
	f.ok(err)
	u.Name, u.Groups = "alicia", []string{"h"}
	_, err = s.PutUser(ctx, u)
	f.ok(err)
	bob, err := s.UserByName(ctx, "bob")
	f.ok(err)
	f.ok(s.DeleteUser(ctx, bob.Key))
	f.ok(s.PutGroup(ctx, tokenstore.Group{Name: "new", Permissions: []string{"a.a"}}))
	_, err = s.PutClient(ctx, tokenstore.Client{ID: "new"})
	f.ok(err)
	f.ok(s.DeleteClient(ctx, "c"))
	_, err = s.Remember(ctx, "new", at(time.Hour))
	f.ok(err)
	_, err = s.Hit(ctx, "new", 1, time.Minute, t0)
	f.ok(err)
	_, err = s.Hit(ctx, "known", 2, time.Minute, t0)
	f.ok(err)
	_, err = s.Attempt(ctx, "new", backoff, t0)
	f.ok(err)
	_, err = s.Attempt(ctx, "attempted", backoff, t0)
	f.ok(err)
	f.ok(s.Refund(ctx, "refunded"))
	f.ok(s.Forget(ctx, "known"))
	_, err = s.Sweep(ctx, t0, 100)
	f.ok(err)
}

// beforeAll stores what changeAll changes, and returns a check that nothing of
// it changed.
func (f *fixture) beforeAll() (unchanged func()) {
	f.Helper()
	f.group("g", "b.b")
	alice := f.put(tokenstore.User{Name: "alice", Active: true, Groups: []string{"g"}, PasswordHash: "x"})
	bob := f.user("bob")
	consumed, sibling, swept := record("consumed"), record("sibling"), record("swept")
	consumed.Family, sibling.Family, swept.Expires = "f", "f", at(-time.Hour)
	swept.Created = at(-2 * time.Hour)
	f.create(recordOf(alice, "evicted"), recordOf(bob, "bob's"), record("touched"), consumed, sibling, record("old"), imported("imported"), swept)
	f.client(tokenstore.Client{ID: "c"})
	f.remember("known", at(time.Hour), true)
	f.hit("known", 1, t0)
	f.attempt("attempted", t0, 0)
	f.attempt("known", t0, 0)
	f.attempt("refunded", t0, 0)
	before, users := f.list(tokenstore.Filter{}), f.walkUsers(10)
	alice, err := f.store.User(f.Context(), alice.Key)
	f.ok(err)
	return func() {
		f.Helper()
		after := f.list(tokenstore.Filter{})
		if len(after) != len(before) {
			f.Fatalf("%d records, want %d", len(after), len(before))
		}
		for i := range after {
			f.same("record", after[i], before[i])
		}
		f.sameStrings("users", f.walkUsers(10), users...)
		u, err := f.store.User(f.Context(), alice.Key)
		f.ok(err)
		f.same("user", u, alice)
		f.wantGroups("g[b.b]")
		_, err = f.store.Client(f.Context(), "c")
		f.ok(err)
		_, err = f.store.Client(f.Context(), "new")
		f.wants(err, tokenstore.ErrNotFound)
		f.known("known", true)
		f.known("new", false)
		f.attempts("", "attempted 1 0s", "known 1 0s", "refunded 1 0s")
		f.hits("known", 1, t0, time.Minute)
		f.hits("known", 2, t0, 0)
		f.hits("new", 1, t0, 0)
		f.lives(digest("evicted"), t0)
		_, err = f.store.Consume(f.Context(), digest("consumed"), t0)
		f.ok(err)
		f.delete(1, tokenstore.Filter{ID: "id-imported"})
		f.create(record("new"))
	}
}

// transactor skips the test if the store is none.
func (f *fixture) transactor() tokenstore.Transactor {
	f.Helper()
	tx, ok := f.store.(tokenstore.Transactor)
	if !ok {
		f.Skip("the store is no Transactor")
	}
	return tx
}

var transactionTests = []test{
	{"commit all, and see their own changes", func(f *fixture) {
		tx := f.transactor()
		f.beforeAll()
		f.ok(tx.InTx(f.Context(), func(s tokenstore.Store) error {
			f.changeAll(s)
			if _, _, err := s.Lookup(f.Context(), digest("rotated"), t0); err != nil {
				f.Errorf("Lookup within the transaction = %v, want the record", err)
			}
			return nil
		}))
		f.wantIDs(tokenstore.Filter{}, "id-new", "id-rotated", "id-touched")
		f.sameStrings("users", f.walkUsers(10), "alicia")
		f.attempts("", "attempted 2 0s", "new 1 0s")
		f.wantGroups("h[]", "new[a.a]")
	}},
	{"an error undoes everything", func(f *fixture) {
		tx := f.transactor()
		unchanged := f.beforeAll()
		f.wants(tx.InTx(f.Context(), func(s tokenstore.Store) error {
			f.changeAll(s)
			return errUndo
		}), errUndo)
		unchanged()
	}},
	{"a panic undoes everything, and goes on", func(f *fixture) {
		tx := f.transactor()
		unchanged := f.beforeAll()
		func() {
			defer func() {
				if got := recover(); got != "oops" {
					f.Errorf("recovered %v, want the panic", got)
				}
			}()
			_ = tx.InTx(f.Context(), func(s tokenstore.Store) error {
				f.changeAll(s)
				panic("oops")
			})
		}()
		unchanged()
	}},
	{"a refused call within one does nothing and ends nothing", func(f *fixture) {
		tx := f.transactor()
		f.create(record("old"), record("taken"))
		f.ok(tx.InTx(f.Context(), func(s tokenstore.Store) error {
			_, _, err := s.Rotate(f.Context(), digest("old"), []tokenstore.Credential{record("good"), record("taken")}, nil, t0, 0)
			f.wants(err, tokenstore.ErrExists)
			return s.Create(f.Context(), record("after"), 0, false)
		}))
		f.lives(digest("old"), t0)
		f.lives(digest("after"), t0)
		f.dead(digest("good"), t0)
	}},
	{"revocation for reuse is committed with them", func(f *fixture) {
		tx := f.transactor()
		f.create(member("code"), member("access"))
		f.ok(tx.InTx(f.Context(), func(s tokenstore.Store) error {
			_, err := s.Consume(f.Context(), digest("code"), t0)
			f.ok(err)
			_, err = s.Consume(f.Context(), digest("code"), t0)
			f.wants(err, tokenstore.ErrReused)
			return nil
		}))
		f.dead(digest("access"), t0)
	}},
	{"the store of one that ended is of no use", func(f *fixture) {
		tx := f.transactor()
		var kept tokenstore.Store
		f.ok(tx.InTx(f.Context(), func(s tokenstore.Store) error {
			kept = s
			f.fails(s.Watch(f.Context(), func(tokenstore.Change) {}), "Watch within a transaction")
			return nil
		}))
		f.fails(kept.Create(f.Context(), record("a"), 0, false), "Create after the transaction")
		f.dead(digest("a"), t0)
	}},
	{"changes are reported when they are committed, and only then", func(f *fixture) {
		tx := f.transactor()
		undone, done := f.user("undone"), f.user("done")
		w := f.watch()
		change := func(u tokenstore.User, err error) error {
			return tx.InTx(f.Context(), func(s tokenstore.Store) error {
				if _, err := s.PutUser(f.Context(), u); err != nil {
					return err
				}
				return err
			})
		}
		f.wants(change(undone, errUndo), errUndo)
		f.ok(change(done, nil))
		w.reports("the commit", func(c tokenstore.Change) bool { return c.All || c.UserKey == done.Key })
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, c := range w.changes {
			if c.UserKey == undone.Key {
				f.Error("an undone change was reported")
			}
		}
	}},
	{"many changes of one are reported, one by one or at once", func(f *fixture) {
		tx := f.transactor()
		var users []tokenstore.User
		for i := range 100 {
			users = append(users, f.put(tokenstore.User{Name: fmt.Sprint("user", i)}))
		}
		w := f.watch()
		f.ok(tx.InTx(f.Context(), func(s tokenstore.Store) error {
			for _, u := range users {
				if _, err := s.PutUser(f.Context(), u); err != nil {
					return err
				}
			}
			return nil
		}))
		for _, u := range users {
			w.reports("PutUser", func(c tokenstore.Change) bool { return c.All || c.UserKey == u.Key })
		}
	}},
	{"what a refused call knew is forgotten", func(f *fixture) {
		tx := f.transactor()
		f.user("alice")
		f.ok(tx.InTx(f.Context(), func(s tokenstore.Store) error {
			u, err := s.PutUser(f.Context(), tokenstore.User{Name: "bob", Groups: []string{"g"}})
			f.ok(err)
			f.ok(s.DeleteGroup(f.Context(), "g"))
			_, err = s.PutUser(f.Context(), tokenstore.User{Name: "alice", Groups: []string{"g", "h"}})
			f.wants(err, tokenstore.ErrExists)
			f.ok(s.PutGroup(f.Context(), tokenstore.Group{Name: "g", Permissions: []string{"a.a"}}))
			u.Groups = []string{"g", "h"}
			_, err = s.PutUser(f.Context(), u)
			return err
		}))
		f.wantGroups("g[a.a]", "h[]")
		u, err := f.store.UserByName(f.Context(), "bob")
		f.ok(err)
		f.sameStrings("permissions", u.Permissions, "a.a")
	}},
	{"one at a time changes what it read", func(f *fixture) {
		tx := f.transactor()
		f.user("alice")
		together(20, func(int) {
			if err := tx.InTx(f.Context(), func(s tokenstore.Store) error {
				u, err := s.UserByName(f.Context(), "alice")
				if err != nil {
					return err
				}
				u.FullName += "x"
				_, err = s.PutUser(f.Context(), u)
				return err
			}); err != nil {
				f.Errorf("InTx = %v, want no error", err)
			}
		})
		u, err := f.store.UserByName(f.Context(), "alice")
		f.ok(err)
		if len(u.FullName) != 20 {
			f.Errorf("%d changes, want 20", len(u.FullName))
		}
	}},
}
