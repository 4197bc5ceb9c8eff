// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package postgres

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/sqlstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/memory"
)

// A call is an operation with its arguments, and returns what it was answered.
type call struct {
	name string
	do   func(ctx context.Context, s tokenstore.Store) string
}

// outcome is an error as a caller sees it.
func outcome(err error) string {
	if sqlstore.IsAnswer(err) {
		return err.Error()
	}
	if err != nil {
		return "failed: " + err.Error()
	}
	return "ok"
}

// anyCall makes a call at random. There is little that it can be about, so that
// calls concern each other.
func anyCall(r *rand.Rand) call {
	user, group, i, other := []string{"store:alice", "store:bob", "config:carol"}[r.IntN(3)], []string{"g", "h"}[r.IntN(2)], r.IntN(4), 4+r.IntN(4)
	of := func(i int) tokenstore.Credential {
		c := record(i)
		c.UserKey, c.Family, c.ClientID = user, "family", "client"
		if i%2 == 0 {
			c.Slot = "slot of " + user
		}
		return c
	}
	named := func(do func(context.Context, tokenstore.Store) string, format string, args ...any) call {
		return call{fmt.Sprintf(format, args...), do}
	}
	switch r.IntN(17) {
	case 0, 1:
		c, limit, evict := of(r.IntN(8)), r.IntN(3), r.IntN(2) == 0
		return named(func(ctx context.Context, s tokenstore.Store) string { return outcome(s.Create(ctx, c, limit, evict)) },
			"Create(%s of %s, %d, %v)", c.ID, user, limit, evict)
	case 2, 3:
		next, at := of(other), t0.Add(time.Duration(r.IntN(2))*time.Minute)
		return named(func(ctx context.Context, s tokenstore.Store) string {
			reply, won, err := s.Rotate(ctx, digest(i), []tokenstore.Credential{next}, []byte(next.ID), at, 10*time.Second)
			return fmt.Sprintf("%s %v %s", reply, won, outcome(err))
		}, "Rotate(%d to %s of %s)", i, next.ID, user)
	case 4:
		return named(func(ctx context.Context, s tokenstore.Store) string {
			c, err := s.Consume(ctx, digest(i), t0)
			return c.ID + outcome(err)
		}, "Consume(%d)", i)
	case 5, 6:
		f := []tokenstore.Filter{{UserKey: user}, {Family: "family"}, {ClientID: "client"}, {ID: record(i).ID}}[r.IntN(4)]
		return named(func(ctx context.Context, s tokenstore.Store) string {
			n, err := s.Delete(ctx, f)
			return fmt.Sprint(n, outcome(err))
		}, "Delete(%+v)", f)
	case 7, 8, 9:
		u := tokenstore.User{
			Key: user, Name: []string{user, "carol"}[r.IntN(2)], Version: int64(r.IntN(3)), Active: r.IntN(4) > 0,
			PasswordHash: []string{"one", "two"}[r.IntN(2)], PasswordVersion: 1,
		}
		if r.IntN(3) > 0 {
			u.Groups = []string{group}
		}
		return named(func(ctx context.Context, s tokenstore.Store) string {
			stored, err := s.PutUser(ctx, u)
			return fmt.Sprint(stored.Version, outcome(err))
		}, "PutUser(%+v)", u)
	case 10:
		return named(func(ctx context.Context, s tokenstore.Store) string { return outcome(s.DeleteUser(ctx, user)) }, "DeleteUser(%s)", user)
	case 11, 12:
		g := tokenstore.Group{Name: group, Permissions: []string{fmt.Sprint("p", r.IntN(9))}}
		return named(func(ctx context.Context, s tokenstore.Store) string { return outcome(s.PutGroup(ctx, g)) }, "PutGroup(%v)", g)
	case 13:
		return named(func(ctx context.Context, s tokenstore.Store) string { return outcome(s.DeleteGroup(ctx, group)) }, "DeleteGroup(%s)", group)
	case 14:
		b := tokenstore.Backoff{Free: 2, Base: time.Second}
		return named(func(ctx context.Context, s tokenstore.Store) string {
			wait, err := s.Attempt(ctx, "key", b, t0)
			return fmt.Sprint(wait, outcome(err))
		}, "Attempt")
	case 15:
		return named(func(ctx context.Context, s tokenstore.Store) string {
			wait, err := s.Hit(ctx, "key", 2, time.Hour, t0)
			return fmt.Sprint(wait, outcome(err))
		}, "Hit")
	default:
		return named(func(ctx context.Context, s tokenstore.Store) string {
			fresh, err := s.Remember(ctx, "key", t0)
			return fmt.Sprint(fresh, outcome(err))
		}, "Remember")
	}
}

// contents are all that can be read of a store.
func contents(ctx context.Context, s tokenstore.Store) string {
	var b strings.Builder
	records, _, err := s.List(ctx, tokenstore.Filter{}, "", 100)
	fmt.Fprintln(&b, outcome(err))
	for _, c := range records {
		fmt.Fprintln(&b, c.ID, c.UserKey, c.Slot, c.Family)
	}
	for i := range 8 {
		c, u, err := s.Lookup(ctx, digest(i), t0)
		fmt.Fprintln(&b, i, c.ID, u.Name, u.Groups, u.Permissions, outcome(err))
	}
	for _, key := range []string{"store:alice", "store:bob"} {
		u, err := s.User(ctx, key)
		fmt.Fprintln(&b, u.Name, u.Version, u.PasswordVersion, u.PasswordHash, u.Active, u.Groups, u.Permissions, outcome(err))
	}
	groups, err := s.Groups(ctx)
	fmt.Fprintln(&b, groups, outcome(err))
	return b.String()
}

// possible reports whether the calls of some clients, each in its order, can have
// followed each other in a way that gives what they were answered.
func possible(ctx context.Context, clients [][]call, before []call, answered [][]string, want string) bool {
	next := make([]int, len(clients))
	total := 0
	for _, calls := range clients {
		total += len(calls)
	}
	order := make([]int, 0, total)
	fits := func() bool {
		s, at := memory.New(), make([]int, len(clients))
		defer s.Close()
		for _, c := range before {
			c.do(ctx, s)
		}
		for _, i := range order {
			if clients[i][at[i]].do(ctx, s) != answered[i][at[i]] {
				return false
			}
			at[i]++
		}
		return len(order) < total || contents(ctx, s) == want
	}
	var search func() bool
	search = func() bool {
		if !fits() {
			return false
		}
		if len(order) == total {
			return true
		}
		for i := range clients {
			if next[i] == len(clients[i]) {
				continue
			}
			next[i]++
			order = append(order, i)
			found := search()
			order = order[:len(order)-1]
			next[i]--
			if found {
				return true
			}
		}
		return false
	}
	return search()
}

// TestSerializable has clients call at once what concerns the same few things, and
// wants answers and contents that calls one after the other could have had too.
func TestSerializable(t *testing.T) {
	rounds := 250
	if testing.Short() {
		rounds = 30
	}
	d := newDriver(t)
	s, other := openStore(t, d), raw(t, d)
	for round := range rounds {
		seed := uint64(time.Now().UnixNano()) + uint64(round)
		r := rand.New(rand.NewPCG(seed, 0)) // for variety, no secret
		if _, err := other.PgConn().Exec(t.Context(), `DELETE FROM memberships; DELETE FROM users; DELETE FROM groups; DELETE FROM credentials;
			DELETE FROM tombstones; DELETE FROM counters; DELETE FROM attempts; DELETE FROM remembered`).ReadAll(); err != nil {
			t.Fatal(err)
		}
		var before []call
		for len(before) < 12 {
			before = append(before, anyCall(r))
		}
		for _, c := range before {
			c.do(t.Context(), s)
		}
		clients, answered := make([][]call, 3), make([][]string, 3)
		for i := range clients {
			clients[i] = []call{anyCall(r), anyCall(r)}
		}
		var wg sync.WaitGroup
		start := make(chan struct{})
		for i := range clients {
			wg.Go(func() {
				<-start
				for _, c := range clients[i] {
					answered[i] = append(answered[i], c.do(t.Context(), s))
				}
			})
		}
		close(start)
		wg.Wait()
		want := contents(t.Context(), s)
		if !possible(t.Context(), clients, before, answered, want) {
			var history strings.Builder
			for _, c := range before {
				fmt.Fprintln(&history, "before:", c.name)
			}
			for i := range clients {
				for j, c := range clients[i] {
					fmt.Fprintf(&history, "client %d: %s = %s\n", i, c.name, answered[i][j])
				}
			}
			t.Fatalf("seed %d: no order explains\n%s\n%s", seed, &history, want)
		}
	}
}
