// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package postgres

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// login is a backoff as that of logins.
var login = tokenstore.Backoff{Free: 5, Base: time.Second, Max: time.Hour, Quiet: 24 * time.Hour}

// Events and attempts are counted together by all nodes.
func TestCounters_shared(t *testing.T) {
	d := newDriver(t)
	nodes := []*Store{openStore(t, d), openStore(t, d)}
	for i := range 5 {
		if wait, err := nodes[i%2].Attempt(t.Context(), "alice", login, t0); wait != 0 || err != nil {
			t.Fatalf("Attempt = %v, %v, want 0", wait, err)
		}
		if wait, err := nodes[i%2].Hit(t.Context(), "alice", 5, time.Hour, t0); wait != 0 || err != nil {
			t.Fatalf("Hit = %v, %v, want 0", wait, err)
		}
	}
	for _, s := range nodes {
		if wait, err := s.Attempt(t.Context(), "alice", login, t0); wait != time.Second || err != nil {
			t.Errorf("Attempt = %v, %v, want 1s", wait, err)
		}
		if wait, err := s.Hit(t.Context(), "alice", 5, time.Hour, t0); wait != time.Hour || err != nil {
			t.Errorf("Hit = %v, %v, want 1h", wait, err)
		}
	}
}

// A store of the release before attempts were counted is brought up to date.
func TestMigratesTheSchemaBeforeAttempts(t *testing.T) {
	d := newDriver(t)
	old := openStore(t, d)
	if err := old.Create(t.Context(), record(1), 0, false); err != nil {
		t.Fatal(err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := raw(t, d).PgConn().Exec(t.Context(), `DROP TABLE attempts, revoked; UPDATE meta SET value = '1' WHERE name = 'schema'`).ReadAll(); err != nil {
		t.Fatal(err)
	}
	s := openStore(t, d)
	if _, _, err := s.Lookup(t.Context(), digest(1), t0); err != nil {
		t.Errorf("Lookup = %v, want the record", err)
	}
	if wait, err := s.Attempt(t.Context(), "alice", login, t0); wait != 0 || err != nil {
		t.Errorf("Attempt = %v, %v, want 0", wait, err)
	}
}

// BenchmarkHit is what a throttle costs a request whose callers are counted
// together by all nodes.
func BenchmarkHit(b *testing.B) {
	for _, n := range []int{1, 100_000} {
		for _, clients := range []int{1, 64} {
			b.Run(fmt.Sprintf("keys=%d/clients=%d", n, clients), func(b *testing.B) {
				s := openStore(b, newDriver(b))
				var next atomic.Int64
				hit := func() {
					if _, err := s.Hit(b.Context(), fmt.Sprint("user ", int(next.Add(7919))%n), 60, time.Minute, time.Now()); err != nil {
						b.Error(err)
					}
				}
				if clients == 1 {
					for b.Loop() {
						hit()
					}
					return
				}
				b.SetParallelism(clients / 2)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						hit()
					}
				})
			})
		}
	}
}
