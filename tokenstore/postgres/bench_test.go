// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package postgres

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/postgrestest"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// fill stores users with a record each, as an import does.
func fill(b *testing.B, s *Store, from, n int) {
	b.Helper()
	if err := s.InTx(b.Context(), func(tx tokenstore.Store) error {
		for i := from; i < from+n; i++ {
			u, err := tx.PutUser(b.Context(), tokenstore.User{
				Name: fmt.Sprint("user", i), Email: fmt.Sprintf("user%d@example.com", i), Active: true,
				Origin: "django", OriginID: fmt.Sprint(i),
				PasswordHash: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g",
				Groups:       []string{"editors", fmt.Sprint("group", i%100)}, Permissions: []string{"blog.add_post"},
			})
			if err != nil {
				return err
			}
			c := record(i)
			c.UserKey, c.Origin = u.Key, "django"
			if err := tx.Create(b.Context(), c, 0, false); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkLookup is what a request costs whose token is not remembered: one
// read of a record and its user, over a Unix socket.
func BenchmarkLookup(b *testing.B) {
	s := openStore(b, newDriver(b))
	const n = 10_000
	fill(b, s, 0, n)
	postgrestest.Shared(b).Exec(b, "schemas", "VACUUM ANALYZE")
	for _, readers := range []int{1, 8} {
		b.Run(fmt.Sprint(readers), func(b *testing.B) {
			var next atomic.Int64
			lookup := func() {
				if _, _, err := s.Lookup(b.Context(), digest(int(next.Add(7919)%n)), t0); err != nil {
					b.Error(err)
				}
			}
			b.ReportAllocs()
			if readers == 1 {
				for b.Loop() {
					lookup()
				}
				return
			}
			b.SetParallelism(readers)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					lookup()
				}
			})
		})
	}
}

// BenchmarkCreate is what a login costs. The server syncs to its disk.
func BenchmarkCreate(b *testing.B) {
	server := postgrestest.New(b, "fsync = on", "full_page_writes = on")
	s := openStore(b, driverOf(b, server.Database(b)))
	var next atomic.Int64
	create := func() {
		if err := s.Create(b.Context(), record(int(next.Add(1))), 0, false); err != nil {
			b.Error(err)
		}
	}
	b.Run("1", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			create()
		}
	})
	b.Run("64", func(b *testing.B) {
		b.SetParallelism(32)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				create()
			}
		})
	})
}

// BenchmarkRevoke is what it costs until a revocation is final, and told to others.
func BenchmarkRevoke(b *testing.B) {
	server := postgrestest.New(b, "fsync = on", "full_page_writes = on")
	s := openStore(b, driverOf(b, server.Database(b)))
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

// BenchmarkImport stores users with two groups and a token each, in transactions
// of 10,000.
func BenchmarkImport(b *testing.B) {
	s := openStore(b, newDriver(b))
	from := 0
	for b.Loop() {
		fill(b, s, from, 10_000)
		from += 10_000
	}
	b.ReportMetric(float64(from)/b.Elapsed().Seconds(), "users/s")
}

// BenchmarkPutGroup changes what a group of 10,000 members gives.
func BenchmarkPutGroup(b *testing.B) {
	s := openStore(b, newDriver(b))
	fill(b, s, 0, 10_000)
	b.ReportAllocs()
	for b.Loop() {
		if err := s.PutGroup(b.Context(), tokenstore.Group{Name: "editors", Permissions: []string{fmt.Sprint("a.p", time.Now().UnixNano())}}); err != nil {
			b.Fatal(err)
		}
	}
}
