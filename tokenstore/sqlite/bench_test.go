// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/livestore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// fill stores records of 1,000 users as Create would, without a sync for each.
func fill(b *testing.B, s *Store, n int, options ...func(*tokenstore.Credential)) {
	b.Helper()
	users := make([]string, min(n, 1000))
	for i := range users {
		u, err := s.PutUser(b.Context(), tokenstore.User{
			Name: fmt.Sprint("user", i), Active: true, PasswordHash: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g",
			Groups: []string{"editors"}, Permissions: []string{"blog.add_post"},
		})
		if err != nil {
			b.Fatal(err)
		}
		users[i] = u.Key
	}
	for from := 0; from < n; from += 10_000 {
		if err := s.InTx(b.Context(), func(tx tokenstore.Store) error {
			for i := from; i < min(from+10_000, n); i++ {
				c := record(i)
				c.UserKey = users[i%len(users)]
				for _, option := range options {
					option(&c)
				}
				if err := tx.Create(b.Context(), c, 0, false); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLookup is what a request costs whose token is not remembered: one
// read of a record and its user. A million records need SQLITE_BENCH_MILLION=1.
func BenchmarkLookup(b *testing.B) {
	for _, n := range []int{1, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			if n > 1 && (testing.Short() || os.Getenv("SQLITE_BENCH_MILLION") == "") {
				b.Skip("SQLITE_BENCH_MILLION is not set")
			}
			s := openStore(b, newDriver(b))
			if err := s.PutGroup(b.Context(), tokenstore.Group{Name: "editors", Permissions: []string{"blog.change_post"}}); err != nil {
				b.Fatal(err)
			}
			fill(b, s, n)
			digests := make([][]byte, min(n, 100_000))
			for i := range digests {
				digests[i] = digest(i * (n / len(digests)))
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, _, err := s.Lookup(b.Context(), digests[i%len(digests)], t0); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}

// BenchmarkCreate is what a login costs: a record that is on the disk before it is
// answered. Writers at the same time share a sync.
func BenchmarkCreate(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprint(writers), func(b *testing.B) {
			s := openStore(b, newDriver(b))
			var next atomic.Int64
			b.SetParallelism(writers)
			b.ReportAllocs()
			create := func() {
				if err := s.Create(b.Context(), record(int(next.Add(1))), 0, false); err != nil {
					b.Error(err)
				}
			}
			if writers == 1 {
				for b.Loop() {
					create()
				}
			} else {
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						create()
					}
				})
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "creates/s")
		})
	}
}

// BenchmarkIssue is what a login costs as a server does it: a record of one of
// 1,000 users, within a limit for which the oldest goes, and then its first use,
// which is written in the background.
func BenchmarkIssue(b *testing.B) {
	for _, clients := range []int{1, 64} {
		b.Run(fmt.Sprint(clients), func(b *testing.B) {
			d := newDriver(b)
			store, err := livestore.Acquire(d, livestore.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer store.Release()
			store.Start()
			users := make([]string, 1000)
			for i := range users {
				u, err := store.PutUser(b.Context(), tokenstore.User{Name: fmt.Sprint("user", i), Active: true})
				if err != nil {
					b.Fatal(err)
				}
				users[i] = u.Key
			}
			var next atomic.Int64
			issue := func() {
				i := int(next.Add(1))
				c := record(i)
				c.UserKey = users[i%len(users)]
				if err := store.Create(b.Context(), c, 10, true); err != nil {
					b.Error(err)
				}
				if err := store.Touch(b.Context(), c.Digest, t0, t0.Add(time.Hour)); err != nil {
					b.Error(err)
				}
			}
			b.ResetTimer()
			began := time.Now()
			var wg sync.WaitGroup
			for range clients {
				wg.Go(func() {
					for next.Load() < int64(b.N) {
						issue()
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(next.Load())/time.Since(began).Seconds(), "issued/s")
		})
	}
}

// BenchmarkRevoke is what it costs until a revocation is final.
func BenchmarkRevoke(b *testing.B) {
	s := openStore(b, newDriver(b))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if err := s.Create(b.Context(), record(i), 0, false); err != nil {
			b.Fatal(err)
		}
		if n, err := s.Delete(b.Context(), tokenstore.Filter{}, digest(i)); n != 1 || err != nil {
			b.Fatal(n, err)
		}
		i++
	}
}
