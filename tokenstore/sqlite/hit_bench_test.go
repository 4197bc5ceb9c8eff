// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"fmt"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/livestore"
)

// BenchmarkHit is what a throttle costs a request, with so many callers.
func BenchmarkHit(b *testing.B) {
	for _, n := range []int{1, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s, err := livestore.Acquire(newDriver(b), livestore.Options{}) // as a throttle asks it
			if err != nil {
				b.Fatal(err)
			}
			defer s.Release()
			hit := func(i int) {
				if _, err := s.Hit(b.Context(), fmt.Sprint("user ", i%n), 1000, time.Minute, time.Now()); err != nil {
					b.Fatal(err)
				}
			}
			for i := range n {
				hit(i)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i += 7919 {
				hit(i)
			}
		})
	}
}

// BenchmarkAttempt is what counting a guess costs: one write that is on the disk
// for one that may be made, and a read for one that may not.
func BenchmarkAttempt(b *testing.B) {
	s := openStore(b, newDriver(b))
	b.Run("passes", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if _, err := s.Attempt(b.Context(), fmt.Sprint("user ", i), login, t0); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("waits", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Attempt(b.Context(), "user", login, t0); err != nil {
				b.Fatal(err)
			}
		}
	})
}
