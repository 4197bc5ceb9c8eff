// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package hitlog

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

// BenchmarkHit is what a throttle costs a request, with so many callers.
func BenchmarkHit(b *testing.B) {
	for _, n := range []int{1, 100_000, 1_000_000} {
		keys := make([]string, n)
		for i := range keys {
			keys[i] = fmt.Sprintf("throttle:user:store:%026d", i*7919%n)
		}
		for _, limit := range []int{60, 1000, 100_000} {
			b.Run(fmt.Sprintf("keys=%d/limit=%d", n, limit), func(b *testing.B) {
				runtime.GC()
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				l := New(DefaultBudget)
				for _, key := range keys {
					l.Hit(key, limit, time.Minute, t0)
				}
				runtime.GC()
				runtime.ReadMemStats(&after)
				i := 0
				for b.Loop() {
					l.Hit(keys[i%n], limit, time.Minute, t0.Add(time.Duration(i)*time.Microsecond))
					i++
				}
				b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(n), "B/key")
			})
		}
	}
}

// BenchmarkHit_denied is what it costs to have somebody wait.
func BenchmarkHit_denied(b *testing.B) {
	for _, limit := range []int{1000, 100_000} {
		b.Run(fmt.Sprint(limit), func(b *testing.B) {
			l := New(DefaultBudget)
			for i := range limit {
				l.Hit("a", limit, time.Hour, t0.Add(time.Duration(i)*time.Millisecond))
			}
			for b.Loop() {
				if l.Hit("a", limit, time.Hour, t0.Add(30*time.Minute)) == 0 {
					b.Fatal("it passed")
				}
			}
		})
	}
}

// BenchmarkHit_full is what a key costs that somebody makes up while there is no
// room.
func BenchmarkHit_full(b *testing.B) {
	l := New(8 << 20)
	for i := 0; b.Loop(); i++ {
		l.Hit(fmt.Sprint(i), 60, time.Hour, t0)
	}
}

// BenchmarkHit_parallel has all processors ask, each for its own caller or all for
// the same.
func BenchmarkHit_parallel(b *testing.B) {
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			l := New(DefaultBudget)
			keys := make([]string, n)
			for i := range keys {
				keys[i] = fmt.Sprint("key ", i)
			}
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					l.Hit(keys[i%n], 1000, time.Second, time.Now())
				}
			})
		})
	}
}
