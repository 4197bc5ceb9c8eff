// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package credcache

import (
	"fmt"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

func filled(b *testing.B, live int) (*Cache, []Key) {
	c := New(0)
	keys := make([]Key, live)
	for i := range keys {
		keys[i] = *keyOf(i)
		c.Put(&keys[i], c.Stamp(), time.Now(), typical(i))
	}
	if got := c.Stats().Entries; got != live {
		b.Fatalf("%d of %d entries are live", got, live)
	}
	return c, keys
}

// BenchmarkGet stands for a request whose token was seen before, without the
// request.
func BenchmarkGet(b *testing.B) {
	for _, live := range []int{1, 1000, 100000} {
		b.Run(fmt.Sprint(live), func(b *testing.B) {
			c, keys := filled(b, live)
			now := time.Now()
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				var id auth.Identity
				i = (i + 7919) % live
				if c.Get(&keys[i], now, time.Minute, &id) != Fresh {
					b.Fatal("not fresh")
				}
			}
		})
	}
}

// BenchmarkGet_garbage adds what a request behind Caddy leaves to the garbage
// collector, so that the time includes the collector's walk over the table.
func BenchmarkGet_garbage(b *testing.B) {
	for _, live := range []int{1, 1000, 100000} {
		b.Run(fmt.Sprint(live), func(b *testing.B) {
			c, keys := filled(b, live)
			now := time.Now()
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				for range 14 {
					garbage = make([]*byte, 50) // 400 bytes that hold pointers
				}
				var id auth.Identity
				i = (i + 7919) % live
				if c.Get(&keys[i], now, time.Minute, &id) != Fresh {
					b.Fatal("not fresh")
				}
			}
		})
	}
}

var garbage []*byte

// BenchmarkPut stands for the first sight of a token and for each recheck.
func BenchmarkPut(b *testing.B) {
	c, keys := filled(b, 1000)
	id := typical(1)
	now := time.Now()
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i = (i + 1) % len(keys)
		c.Put(&keys[i], c.Stamp(), now, id)
	}
}

func BenchmarkKey(b *testing.B) {
	f := New(64).Fingerprint([]byte("token"))
	secret := []byte("Token 9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b")
	b.ReportAllocs()
	for b.Loop() {
		f.Key(secret)
	}
}

func BenchmarkTouched(b *testing.B) {
	c := New(64)
	change := changeOf(typical(1))
	b.ReportAllocs()
	for b.Loop() {
		c.Touched(change)
	}
}
