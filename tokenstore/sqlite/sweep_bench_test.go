// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// BenchmarkSweep removes a million records that have expired while somebody
// writes. It says how long one transaction took, how long the writer waited, and
// how long it had waited while nobody swept: the longest of each, and what 99.9 %
// stayed below. It needs SQLITE_BENCH_MILLION=1.
func BenchmarkSweep(b *testing.B) {
	if os.Getenv("SQLITE_BENCH_MILLION") == "" {
		b.Skip("SQLITE_BENCH_MILLION is not set")
	}
	const n, pause = 1_000_000, time.Millisecond
	s := openStore(b, newDriver(b))
	fill(b, s, n, func(c *tokenstore.Credential) { c.Expires = t0.Add(time.Minute) })
	next := n
	write := func(until func() bool) (took []time.Duration) {
		for !until() {
			began := time.Now()
			if err := s.Create(b.Context(), record(next), 0, false); err != nil {
				b.Error(err)
				return took
			}
			took = append(took, time.Since(began))
			next++
		}
		return took
	}
	report := func(what string, took []time.Duration) {
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, what+"-max-ms")
		b.ReportMetric(float64(took[len(took)*999/1000].Microseconds())/1000, what+"-p99.9-ms")
	}
	began := time.Now()
	alone := write(func() bool { return time.Since(began) > 20*time.Second })
	b.ResetTimer()
	done := make(chan struct{})
	var wg sync.WaitGroup
	var waits, batches []time.Duration
	wg.Go(func() {
		waits = write(func() bool {
			select {
			case <-done:
				return true
			default:
				return false
			}
		})
	})
	for total := 0; total < n; time.Sleep(pause) {
		began := time.Now()
		got, err := s.Sweep(b.Context(), t0.Add(time.Hour), sweepBatch)
		if err != nil || got == 0 {
			b.Fatalf("Sweep after %d = %d, %v", total, got, err)
		}
		batches = append(batches, time.Since(began))
		total += got
	}
	elapsed := b.Elapsed()
	close(done)
	wg.Wait()
	report("alone", alone)
	report("batch", batches)
	report("write", waits)
	b.ReportMetric(n/elapsed.Seconds(), "swept/s")
}
