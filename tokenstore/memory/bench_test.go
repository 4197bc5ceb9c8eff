// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package memory

import (
	"crypto/sha256"
	"strconv"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// filled is a store with n tokens of n/10 users.
func filled(b *testing.B, n int) (store *Store, digests [][]byte, now time.Time) {
	b.Helper()
	store, now = New(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	b.Cleanup(func() { store.Close() })
	var user tokenstore.User
	for i := range n {
		if i%10 == 0 {
			var err error
			user, err = store.PutUser(b.Context(), tokenstore.User{Name: strconv.Itoa(i), Active: true, Groups: []string{"g", "h"}})
			if err != nil {
				b.Fatal(err)
			}
		}
		digest := sha256.Sum256([]byte(strconv.Itoa(i)))
		digests = append(digests, digest[:])
		err := store.Create(b.Context(), tokenstore.Credential{
			ID: strconv.Itoa(i), Kind: tokenstore.KindToken, Digest: digest[:], UserKey: user.Key, Created: now,
		}, 0, false)
		if err != nil {
			b.Fatal(err)
		}
	}
	return store, digests, now
}

// What a request costs whose token is in no cache.
func BenchmarkLookup_hit(b *testing.B) {
	for _, n := range []int{10, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			store, digests, now := filled(b, n)
			ctx := b.Context()
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, _, err := store.Lookup(ctx, digests[i%n], now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What a request with a made-up token costs.
func BenchmarkLookup_miss(b *testing.B) {
	store, _, now := filled(b, 100_000)
	ctx, digest := b.Context(), make([]byte, 32)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := store.Lookup(ctx, digest, now); err == nil {
			b.Fatal("found a token that was never created")
		}
	}
}

// What a throttle costs a request, with so many callers.
func BenchmarkHit(b *testing.B) {
	for _, n := range []int{1, 100_000, 1_000_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			store := New()
			defer store.Close()
			hit := func(i int) {
				if _, err := store.Hit(b.Context(), "user "+strconv.Itoa(i%n), 1000, time.Minute, time.Now()); err != nil {
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

// How long everybody waits for a batch of the sweep, among a million records that
// have expired or, worse, have not.
func BenchmarkSweep(b *testing.B) {
	for _, ended := range []bool{true, false} {
		b.Run("ended="+strconv.FormatBool(ended), func(b *testing.B) {
			store, now := New(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			defer store.Close()
			for i := range 1_000_000 {
				digest := sha256.Sum256([]byte(strconv.Itoa(i)))
				err := store.Create(b.Context(), tokenstore.Credential{
					ID: strconv.Itoa(i), Kind: tokenstore.KindToken, Digest: digest[:], Created: now, Expires: now.Add(time.Hour),
				}, 0, false)
				if err != nil {
					b.Fatal(err)
				}
			}
			before, longest, total := now.Add(2*time.Hour), time.Duration(0), 0
			if !ended {
				before = now
			}
			b.ResetTimer()
			for n := 500; n == 500; {
				began := time.Now()
				var err error
				if n, err = store.Sweep(b.Context(), before, 500); err != nil {
					b.Fatal(err)
				}
				total += n
				longest = max(longest, time.Since(began))
			}
			b.ReportMetric(float64(longest.Microseconds())/1000, "longest-ms")
			b.ReportMetric(float64(total), "swept")
		})
	}
}
