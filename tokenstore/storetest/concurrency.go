// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// together runs n calls at once, and returns when all have ended.
func together(n int, call func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			call(i)
		})
	}
	close(start)
	wg.Wait()
}

// once fails the test unless exactly one of 50 calls at once returns no error,
// and all others this one.
func (f *fixture) once(other error, call func(i int) error) {
	f.Helper()
	var won atomic.Int32
	together(50, func(i int) {
		switch err := call(i); {
		case err == nil:
			won.Add(1)
		case !errors.Is(err, other):
			f.Errorf("call %d = %v, want no error or %v", i, err, other)
		}
	})
	if won.Load() != 1 {
		f.Errorf("%d calls succeeded, want 1", won.Load())
	}
}

var concurrencyTests = []test{
	{"one rotation wins, and the others get its reply", func(f *fixture) {
		f.create(member("old"))
		var mu sync.Mutex
		replies, winners := make(map[string]int), 0
		together(50, func(i int) {
			reply, won, err := f.rotate("old", fmt.Sprint("new", i), t0)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				f.Errorf("Rotate = %v, want no error", err)
			}
			replies[reply]++
			if won {
				winners++
			}
		})
		if winners != 1 || len(replies) != 1 {
			f.Fatalf("%d rotations won, with replies %v, want one", winners, replies)
		}
		living := f.ids(tokenstore.Filter{Family: "family"})
		if len(living) != 1 || replies["sealed "+living[0][len("id-"):]] != 50 {
			f.Fatalf("records %q live, replies %v, want one record and its reply", living, replies)
		}
	}},
	{"one consumption wins", func(f *fixture) {
		f.create(record("a"))
		f.once(tokenstore.ErrReused, func(int) error {
			_, err := f.store.Consume(f.Context(), digest("a"), t0)
			return err
		})
	}},
	{"one key is fresh", func(f *fixture) {
		stale := errors.New("not fresh")
		f.once(stale, func(int) error {
			fresh, err := f.store.Remember(f.Context(), "a", at(time.Hour))
			if err == nil && !fresh {
				return stale
			}
			return err
		})
	}},
	{"one record takes a slot", func(f *fixture) {
		f.once(tokenstore.ErrExists, func(i int) error {
			c := record(fmt.Sprint(i))
			c.Slot = "s"
			return f.store.Create(f.Context(), c, 0, false)
		})
	}},
	{"one user takes a name", func(f *fixture) {
		f.once(tokenstore.ErrExists, func(int) error {
			_, err := f.store.PutUser(f.Context(), tokenstore.User{Name: "alice"})
			return err
		})
	}},
	{"one update of a version wins", func(f *fixture) {
		u := f.user("alice")
		f.once(tokenstore.ErrStale, func(i int) error {
			u := u
			u.Email = fmt.Sprint(i)
			_, err := f.store.PutUser(f.Context(), u)
			return err
		})
	}},
	{"limits hold", func(f *fixture) {
		u := f.user("alice")
		together(30, func(i int) {
			if err := f.store.Create(f.Context(), recordOf(u, fmt.Sprint(i)), 7, false); err != nil && !errors.Is(err, tokenstore.ErrLimit) {
				f.Errorf("Create = %v, want no error or ErrLimit", err)
			}
		})
		if n := len(f.ids(tokenstore.Filter{})); n != 7 {
			f.Errorf("%d records, want 7", n)
		}
		together(30, func(i int) {
			if err := f.store.Create(f.Context(), recordOf(u, fmt.Sprint("evicting", i)), 7, true); err != nil {
				f.Errorf("Create = %v, want no error", err)
			}
		})
		if n := len(f.ids(tokenstore.Filter{})); n != 7 {
			f.Errorf("%d records after eviction, want 7", n)
		}
	}},
	{"events are counted exactly", func(f *fixture) {
		var admitted atomic.Int32
		together(100, func(int) {
			wait, err := f.store.Hit(f.Context(), "a", 60, time.Minute, t0)
			if err != nil {
				f.Errorf("Hit = %v, want no error", err)
			}
			if wait == 0 {
				admitted.Add(1)
			}
		})
		if admitted.Load() != 60 {
			f.Errorf("%d events admitted, want 60", admitted.Load())
		}
	}},
	{"no lookup succeeds that begins after a revocation", func(f *fixture) {
		for round := range 20 {
			c := record(fmt.Sprint(round))
			f.create(c)
			var revoked atomic.Bool
			together(4, func(i int) {
				if i == 0 {
					if _, err := f.store.Delete(f.Context(), tokenstore.Filter{ID: c.ID}); err != nil {
						f.Errorf("Delete = %v, want no error", err)
					}
					revoked.Store(true)
					return
				}
				for range 100 {
					was := revoked.Load()
					if _, _, err := f.store.Lookup(f.Context(), c.Digest, t0); was && !errors.Is(err, tokenstore.ErrNotFound) {
						f.Errorf("Lookup after Delete = %v, want ErrNotFound", err)
						return
					}
				}
			})
		}
	}},
	{"no rotation or touch outlives the deletion of its family", func(f *fixture) {
		for round := range 20 {
			old, next := fmt.Sprint("old", round), fmt.Sprint("new", round)
			f.create(member(old))
			together(3, func(i int) {
				var err error
				switch i {
				case 0:
					_, err = f.store.Delete(f.Context(), tokenstore.Filter{Family: "family"})
				case 1:
					if _, _, err = f.rotate(old, next, t0); errors.Is(err, tokenstore.ErrNotFound) {
						err = nil
					}
				case 2:
					err = f.store.Touch(f.Context(), digest(old), at(time.Hour), at(48*time.Hour))
				}
				if err != nil {
					f.Errorf("call %d = %v, want no error", i, err)
				}
			})
			f.dead(digest(old), t0)
			f.dead(digest(next), t0)
		}
	}},
	{"no record outlives the deletion of its user", func(f *fixture) {
		for round := range 20 {
			u := f.user(fmt.Sprint(round))
			together(4, func(i int) {
				if i == 0 {
					if err := f.store.DeleteUser(f.Context(), u.Key); err != nil {
						f.Errorf("DeleteUser = %v, want no error", err)
					}
					return
				}
				err := f.store.Create(f.Context(), recordOf(u, fmt.Sprint(round, i)), 0, false)
				if err != nil && !errors.Is(err, tokenstore.ErrNotFound) {
					f.Errorf("Create = %v, want no error or ErrNotFound", err)
				}
			})
			f.wantIDs(tokenstore.Filter{UserKey: u.Key})
		}
	}},
}
