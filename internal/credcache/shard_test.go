// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package credcache

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// checkShard fails unless every entry and every block is in exactly one place.
func checkShard(t fataler, s *shard) {
	t.Helper()
	inBuckets, held := 0, 0
	for _, head := range s.buckets {
		for at := head; at != none; at = s.entries[at].bucket {
			inBuckets++
			n := 0
			for block := s.entries[at].block; block != none; n++ {
				block = uint32(s.blocks.block(block)[0]) | uint32(s.blocks.block(block)[1])<<8 | uint32(s.blocks.block(block)[2])<<16
			}
			if want := blocksFor(int(s.entries[at].size)); n != want {
				t.Fatalf("an identity of %d bytes has %d blocks, want %d", s.entries[at].size, n, want)
			}
			held += n
		}
	}
	inOrder := 0
	for at := s.newest; at != none; at = s.entries[at].older {
		inOrder++
		if older := s.entries[at].older; older == none && s.oldest != at || older != none && s.entries[older].newer != at {
			t.Fatalf("the order is broken at %d", at)
		}
	}
	given := 0
	for at := s.free; at != none; at = s.entries[at].bucket {
		given++
	}
	if inBuckets != s.live || inOrder != s.live || s.live+given != int(s.fill) {
		t.Fatalf("%d entries in buckets, %d in order, %d free of %d used, want %d live", inBuckets, inOrder, given, s.fill, s.live)
	}
	if held+s.blocks.available() != s.blocks.total {
		t.Fatalf("%d blocks held and %d available of %d", held, s.blocks.available(), s.blocks.total)
	}
}

func TestEviction_bounded(t *testing.T) {
	puts := 1_000_000
	if testing.Short() {
		puts = 50_000
	}
	const entries = 8192
	c := New(entries)
	before := c.Stats()
	now := c.start
	id := typical(0)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range puts {
		id.Name = strings.Repeat("x", random.IntN(6)*random.IntN(100))
		c.Put(keyOf(i), c.Stamp(), now.Add(time.Duration(i)*time.Microsecond), id)
	}
	for i := range c.shards {
		checkShard(t, &c.shards[i])
	}
	after := c.Stats()
	if after.Capacity != entries || after.Bytes != before.Bytes {
		t.Errorf("the cache grew from %+v to %+v", before, after)
	}
	if after.Entries > entries || after.Entries < entries/2 {
		t.Errorf("%d entries are live, want at most %d and at least half of it", after.Entries, entries)
	}
	if got := int(after.Evictions) + after.Entries; got != puts {
		t.Errorf("%d entries were evicted or live, want %d", got, puts)
	}
}

func TestEviction_sparesWhatIsUsed(t *testing.T) {
	c := New(64 * 64)
	var id auth.Identity
	for i := range 20_000 {
		c.Put(keyOf(i), c.Stamp(), c.start, typical(i))
		if i%16 == 0 && c.Get(keyOf(0), c.start, time.Minute, &id) != Fresh {
			t.Fatalf("the entry in use was evicted by entry %d", i)
		}
	}
	if c.Get(keyOf(1), c.start, time.Minute, &id) != Miss {
		t.Error("an entry that nobody used outlived 20,000 others")
	}
}

// Large identities run out of blocks long before entries.
func TestEviction_largeIdentities(t *testing.T) {
	c := New(4096)
	large := &auth.Identity{Key: "store:1", Claims: []byte(strings.Repeat("x", MaxIdentity-64))}
	for i := range 5000 {
		c.Put(keyOf(i), c.Stamp(), c.start, large)
	}
	var id auth.Identity
	if state := c.Get(keyOf(4999), c.start, time.Minute, &id); state != Fresh || len(id.Claims) != len(large.Claims) {
		t.Errorf("Get(last) = %v with %d bytes of claims, want Fresh with %d", state, len(id.Claims), len(large.Claims))
	}
	for i := range c.shards {
		checkShard(t, &c.shards[i])
	}
}

func TestPut_tooLarge(t *testing.T) {
	c := New(64)
	key := keyOf(1)
	c.Put(key, c.Stamp(), c.start, typical(1))
	c.Put(key, c.Stamp(), c.start, &auth.Identity{Claims: make([]byte, MaxIdentity)})
	var id auth.Identity
	if state := c.Get(key, c.start, time.Minute, &id); state != Miss {
		t.Errorf("Get = %v %+v, want Miss: what was remembered is superseded", state, id)
	}
	if stats := c.Stats(); stats.Oversized != 1 || stats.Entries != 0 {
		t.Errorf("Stats() = %+v, want one that was too large and no entry", stats)
	}
}

func TestNew_bounds(t *testing.T) {
	if got := New(0).Stats(); got.Capacity != DefaultEntries || got.Bytes > 60_000_000 {
		t.Errorf("New(0) has %d entries in %d bytes, want %d in 60 MB at most", got.Capacity, got.Bytes, DefaultEntries)
	}
	for _, n := range []int{1, 64, 65, 1000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			if got := New(n).Stats().Capacity; got < n || got >= n+shards {
				t.Errorf("New(%d) has %d entries", n, got)
			}
		})
	}
}
