// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"context"
	"sync"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// prompt is how late a change may be reported.
const prompt = time.Second

// A watcher collects what Watch reports.
type watcher struct {
	*fixture
	mu      sync.Mutex
	changes []tokenstore.Change
	cancel  context.CancelFunc
	done    chan error
}

// watch starts a watcher, and waits for the first report.
func (f *fixture) watch() *watcher {
	f.Helper()
	ctx, cancel := context.WithCancel(f.Context())
	w := &watcher{fixture: f, cancel: cancel, done: make(chan error, 1)}
	go func() {
		w.done <- f.store.Watch(ctx, func(change tokenstore.Change) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.changes = append(w.changes, change)
		})
	}()
	f.Cleanup(func() {
		cancel()
		<-w.done
	})
	w.reports("the first report", func(c tokenstore.Change) bool { return c.All })
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.changes[0].All {
		f.Fatalf("the first report is %+v, want all", w.changes[0])
	}
	w.changes = nil
	return w
}

// reports fails the test unless a change is reported in time.
func (w *watcher) reports(what string, wanted func(tokenstore.Change) bool) {
	w.Helper()
	seen := func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, c := range w.changes {
			if wanted(c) {
				return true
			}
		}
		return false
	}
	for start := time.Now(); !seen(); time.Sleep(time.Millisecond) {
		if time.Since(start) > prompt {
			w.Fatalf("%s is not reported within %v", what, prompt)
		}
	}
}

// names fails the test unless a record is named by a change, alone or together
// with all others of its user or client.
func (w *watcher) names(what string, records ...tokenstore.Credential) {
	w.Helper()
	for _, r := range records {
		w.reports(what, func(c tokenstore.Change) bool {
			return c.All || c.CredentialID == r.ID ||
				c.UserKey != "" && c.UserKey == r.UserKey || c.ClientID != "" && c.ClientID == r.ClientID
		})
	}
}

// again forgets what was reported.
func (w *watcher) again() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.changes = nil
}

var watchTests = []test{
	{"reports users", func(f *fixture) {
		u := f.put(tokenstore.User{Name: "alice", Active: true})
		w := f.watch()
		of := func(c tokenstore.Change) bool { return c.All || c.UserKey == u.Key }
		u.Active = false
		u = f.put(u)
		w.reports("PutUser", of)
		w.again()
		f.ok(f.store.Rehash(f.Context(), u.Key, "", "rehashed"))
		w.reports("Rehash", of)
		w.again()
		f.ok(f.store.DeleteUser(f.Context(), u.Key))
		w.reports("DeleteUser", of)
	}},
	{"reports groups by their members", func(f *fixture) {
		f.group("g", "a.a")
		alice := f.put(tokenstore.User{Name: "alice", Groups: []string{"g"}})
		bob := f.put(tokenstore.User{Name: "bob", Groups: []string{"g", "h"}})
		w := f.watch()
		of := func(u tokenstore.User) func(tokenstore.Change) bool {
			return func(c tokenstore.Change) bool { return c.All || c.UserKey == u.Key }
		}
		f.group("g", "b.b")
		w.reports("PutGroup", of(alice))
		w.reports("PutGroup", of(bob))
		w.again()
		f.ok(f.store.DeleteGroup(f.Context(), "g"))
		w.reports("DeleteGroup", of(alice))
		w.reports("DeleteGroup", of(bob))
	}},
	{"reports clients", func(f *fixture) {
		c := f.client(tokenstore.Client{ID: "c"})
		w := f.watch()
		of := func(c tokenstore.Change) bool { return c.All || c.ClientID == "c" }
		f.client(c)
		w.reports("PutClient", of)
		w.again()
		f.ok(f.store.DeleteClient(f.Context(), "c"))
		w.reports("DeleteClient", of)
	}},
	{"reports revoked and spent records", func(f *fixture) {
		user := f.user("alice")
		a, b, c, d, e := recordOf(user, "a"), record("b"), record("c"), record("d"), recordOf(user, "e")
		c.ClientID = "client"
		e.Created = at(time.Second)
		f.create(a, b, c, d)
		w := f.watch()
		f.ok(f.store.Create(f.Context(), e, 1, true))
		w.names("eviction", a)
		f.delete(1, tokenstore.Filter{}, b.Digest)
		w.names("Delete by digest", b)
		f.delete(1, tokenstore.Filter{ClientID: "client"})
		w.names("Delete by client", c)
		_, err := f.store.Consume(f.Context(), d.Digest, t0)
		f.ok(err)
		w.names("Consume", d)
		f.delete(1, tokenstore.Filter{UserKey: user.Key})
		w.names("Delete by user", e)
	}},
	{"reports families", func(f *fixture) {
		family := func(c tokenstore.Change) bool { return c.All || c.Family == "family" }
		f.create(member("old"), member("sibling"))
		w := f.watch()
		f.rotates("old", "new", t0)
		w.names("Rotate", member("old"))
		f.reused("old", at(grace))
		w.names("reuse", member("new"), member("sibling"))
		w.reports("the family's end by reuse", family)
		f.create(member("another"))
		w.again()
		f.delete(1, tokenstore.Filter{Family: "family"})
		w.names("Delete by family", member("another"))
		w.reports("the family's end by Delete", family)
	}},
	{"reports to every watcher, in either's time", func(f *fixture) {
		u := f.user("alice")
		first, second := f.watch(), f.watch()
		of := func(c tokenstore.Change) bool { return c.All || c.UserKey == u.Key }
		u = f.put(u)
		first.reports("PutUser", of)
		second.reports("PutUser", of)
		first.cancel()
		second.again()
		f.put(u)
		second.reports("PutUser", of)
	}},
	{"lets the callback use the store", func(f *fixture) {
		ctx, cancel := context.WithTimeout(f.Context(), 10*prompt)
		defer cancel()
		done, found := make(chan error, 1), make(chan error, 1)
		f.create(record("a"))
		go func() {
			done <- f.store.Watch(ctx, func(tokenstore.Change) {
				_, _, err := f.store.Lookup(ctx, digest("a"), t0)
				if err == nil {
					err = f.store.Touch(ctx, digest("a"), at(time.Hour), time.Time{})
				}
				select {
				case found <- err:
				default:
				}
			})
		}()
		f.ok(<-found)
		cancel()
		<-done
	}},
	{"does not keep writers waiting for a slow callback", func(f *fixture) {
		u := f.user("alice")
		ctx, cancel := context.WithCancel(f.Context())
		entered, release, done := make(chan struct{}, 1), make(chan struct{}), make(chan error, 1)
		go func() {
			done <- f.store.Watch(ctx, func(tokenstore.Change) {
				select {
				case entered <- struct{}{}:
				default:
				}
				<-release
			})
		}()
		<-entered
		for range 20 {
			u = f.put(u)
		}
		cancel()
		close(release)
		<-done
	}},
	{"ends with its context, with an error", func(f *fixture) {
		w := f.watch()
		w.cancel()
		select {
		case err := <-w.done:
			w.done <- err
			f.fails(err, "Watch")
		case <-time.After(5 * prompt):
			f.Fatal("Watch goes on after its context")
		}
	}},
}
