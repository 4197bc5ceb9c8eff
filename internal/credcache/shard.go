// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package credcache

import (
	"encoding/binary"
	"sync"
	"time"
)

// chances is how many recently used entries are passed over to find one to
// evict. It bounds the work of an eviction.
const chances = 8

// none is the number of no entry and of no block: entries and blocks are
// counted from 1, so that memory is valid as the system gives it, zeroed.
const none = 0

// An entry is a credential that was verified. It holds no pointers.
type entry struct {
	key           Key
	stamp         Stamp
	checked, used time.Duration // since the cache's start
	expires       int64         // wall clock, in milliseconds; 0: never
	stripes       places
	block         uint32 // first block of the identity
	bucket        uint32 // next entry in the same bucket, or next free one
	newer, older  uint32 // neighbours in the order of arrival
	size          uint16 // of the identity
	again         bool   // was used since it came or was passed over
}

// ended reports whether the entry is good for nothing any more.
func (e *entry) ended(elapsed time.Duration, now time.Time) bool {
	return elapsed-e.used >= maxIdle || e.expires != 0 && e.expires <= now.UnixMilli()
}

// A shard is a hash table with its own lock, entries and blocks.
type shard struct {
	mu      sync.Mutex
	buckets []uint32 // first entry by hash
	entries []entry  // the first is unused, as none is no entry
	free    uint32   // first entry that was given back
	fill    uint32   // entries that were ever used
	live    int
	newest  uint32
	oldest  uint32
	blocks  blocks

	fresh, stale, misses uint64
	evictions, oversized uint64
}

func (s *shard) init(n int) {
	buckets := 1
	for buckets < n {
		buckets *= 2
	}
	s.buckets = make([]uint32, buckets)
	s.entries = make([]entry, 1+n)
	s.blocks.init(n)
}

// find returns the number of the key's entry, and the entry, or nil.
func (s *shard) find(key *Key) (uint32, *entry) {
	for at := *s.bucket(key); at != none; at = s.entries[at].bucket {
		if s.entries[at].key == *key {
			return at, &s.entries[at]
		}
	}
	return none, nil
}

func (s *shard) bucket(key *Key) *uint32 {
	return &s.buckets[int(binary.LittleEndian.Uint32(key[4:]))&(len(s.buckets)-1)]
}

// insert adds an entry whose key is not there, at the cost of the oldest.
func (s *shard) insert(e entry, encoded []byte) {
	need := blocksFor(len(encoded))
	for s.live == len(s.entries)-1 || s.blocks.available() < need {
		s.evict()
	}
	at := s.free
	if at != none {
		s.free = s.entries[at].bucket
	} else {
		s.fill++
		at = s.fill
	}
	s.live++
	e.block = s.blocks.write(encoded)
	e.size = uint16(len(encoded))
	head := s.bucket(&e.key)
	e.bucket = *head
	*head = at
	s.entries[at] = e
	s.pushNewest(at)
}

// remove takes an entry out and gives its memory back.
func (s *shard) remove(at uint32) {
	e := &s.entries[at]
	link := s.bucket(&e.key)
	for *link != at {
		link = &s.entries[*link].bucket
	}
	*link = e.bucket
	s.unlink(at)
	s.blocks.release(e.block)
	*e = entry{bucket: s.free}
	s.free = at
	s.live--
}

// evict removes the oldest entry, or one of the next if that was in use.
func (s *shard) evict() {
	for range chances {
		e := &s.entries[s.oldest]
		if !e.again {
			break
		}
		e.again = false
		at := s.oldest
		s.unlink(at)
		s.pushNewest(at)
	}
	s.remove(s.oldest)
	s.evictions++
}

func (s *shard) pushNewest(at uint32) {
	e := &s.entries[at]
	e.older, e.newer = s.newest, none
	if s.newest != none {
		s.entries[s.newest].newer = at
	} else {
		s.oldest = at
	}
	s.newest = at
}

func (s *shard) unlink(at uint32) {
	e := &s.entries[at]
	if e.newer != none {
		s.entries[e.newer].older = e.older
	} else {
		s.newest = e.older
	}
	if e.older != none {
		s.entries[e.older].newer = e.newer
	} else {
		s.oldest = e.newer
	}
}

// read calls f with each part of the entry's identity and where it begins.
func (s *shard) read(e *entry, f func(start int, part []byte)) {
	s.blocks.read(e.block, int(e.size), f)
}

func (s *shard) addTo(total *Stats) {
	s.mu.Lock()
	defer s.mu.Unlock()
	total.Entries += s.live
	total.Capacity += len(s.entries) - 1
	total.Bytes += s.bytes()
	total.Fresh += s.fresh
	total.Stale += s.stale
	total.Miss += s.misses
	total.Evictions += s.evictions
	total.Oversized += s.oversized
}
