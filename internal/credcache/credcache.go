// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package credcache remembers which credentials were verified, and as whom.
//
// # Two lives
//
// An entry has a proof and a standing. The proof (this secret matches that
// digest, this signature verifies) holds while the entry exists: Fingerprint
// ties it to the configuration, and whoever rechecks a password compares
// Identity.Proof. The standing (the record lives, the user is active, these
// are the groups) is only good until it is older than the caller's bound, or
// until something it rests on was touched. Get answers Fresh if both hold,
// Stale if the standing has to be asked for again, Miss if there is no proof.
//
// # Why a revocation is final
//
// A sequence counts announcements. Verification and revocation each do three
// things in a fixed order:
//
//	verification: stamp := Stamp()   read the store       Put(stamp)
//	revocation:   commit             Touched()            acknowledge
//
// Touched takes a new number s from the sequence and raises to it the stripe
// of everything that was touched, then returns. A stripe never falls. Get
// finds an entry Fresh only if none of its stripes is above its stamp. Take an
// entry that is Fresh for a Get that began after the acknowledgement, so that
// its stripe is at least s. Then its stamp is at least s too, so Stamp was
// called after s was taken, hence after the commit; the read came later still
// and saw the revocation. A verification that was overtaken has a lower stamp
// and is Stale from birth, however late its Put arrives; the same is true of a
// recheck that a second revocation overtook, since it carries a stamp of its
// own. Put never replaces an entry by one that was begun earlier. Neither
// order nor locks between the two sides matter.
//
// There are a fixed number of stripes, so a touched stripe may be somebody
// else's. That is why it ends a standing and not a proof: the price of a
// collision is one read, never a password hash. Nothing, an absent client for
// example, has a stripe that is never raised.
//
// # Memory
//
// The garbage collector pays for pointers and not for bytes. Entries are
// fixed-size slots in one slice, identities are encoded into fixed-size blocks
// in another, and both refer to each other by number. Their size is fixed by
// New; the operating system gives a page when it is first written. Locks are
// sharded by key. Where slots or blocks run out, the entries that were not
// used for longest go, with one second chance each, at a cost that does not
// depend on the size of the table.
package credcache

import (
	"crypto/rand"
	"hash/maphash"
	"strings"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

const (
	// DefaultEntries is how many credentials are remembered by default. They
	// take at most 57 MB.
	DefaultEntries = 131072

	// MaxIdentity is the size, encoded, of the largest identity that is
	// remembered.
	MaxIdentity = 4 << 10

	// maxIdle is how long a proof lasts that nobody asks for.
	maxIdle = time.Hour

	shards = 64
)

// State is what a Cache knows about a credential.
type State uint8

// The states of a credential.
const (
	Miss  State = iota // nothing: it has to be verified
	Fresh              // it was verified, and who it stands for is up to date
	Stale              // it was verified, but who it stands for may have changed
)

// Cache is a table of verified credentials. It is safe for concurrent use.
type Cache struct {
	secret  [32]byte     // of Fingerprint
	seed    maphash.Seed // of the stripes
	start   time.Time    // times in the table are durations since then
	stripes stripes
	shards  [shards]shard
}

// New returns a cache for that many credentials, rounded up to a multiple of
// 64. Zero and less mean DefaultEntries.
func New(entries int) *Cache {
	if entries <= 0 {
		entries = DefaultEntries
	}
	c := &Cache{seed: maphash.MakeSeed(), start: time.Now()}
	rand.Read(c.secret[:]) // never fails: the program ends instead
	for i := range c.shards {
		c.shards[i].init((entries + shards - 1) / shards)
	}
	return c
}

// Get looks a credential up, and fills in the identity it stands for unless it
// returns Miss. A standing as old as bound or older is Stale; with a bound of 0
// every one is. The identity's Expires is compared with the wall clock of now,
// ages with its monotonic clock, so that a clock set back makes nothing last
// longer.
// The lists are kept in the array of into.Groups, if that has room for them.
func (c *Cache) Get(key *Key, now time.Time, bound time.Duration, into *auth.Identity) State {
	var (
		elapsed = now.Sub(c.start)
		buffer  [inline]byte
		long    strings.Builder
	)
	s := c.shard(key)
	s.mu.Lock()
	at, e := s.find(key)
	if e != nil && e.ended(elapsed, now) {
		s.remove(at)
		e = nil
	}
	if e == nil {
		s.misses++
		s.mu.Unlock()
		return Miss
	}
	// Now may be older than checked, by as long as this request waited.
	state := Fresh
	if bound <= 0 || elapsed-e.checked >= bound || !c.stripes.alive(&e.stripes, e.stamp) {
		state = Stale
		s.stale++
	} else {
		s.fresh++
	}
	e.used = max(e.used, elapsed)
	e.again = true
	size := int(e.size)
	if size <= len(buffer) {
		s.read(e, func(n int, part []byte) { copy(buffer[n:], part) })
	} else {
		long.Grow(size)
		s.read(e, func(_ int, part []byte) { long.Write(part) })
	}
	s.mu.Unlock()

	encoded := long.String()
	if size <= len(buffer) {
		encoded = string(buffer[:size])
	}
	if decode(encoded, into) != nil {
		return Miss
	}
	return state
}

// Peek returns what Get would, and leaves no trace: nothing is counted, and the
// entry is neither used nor removed.
func (c *Cache) Peek(key *Key, now time.Time, bound time.Duration) State {
	elapsed := now.Sub(c.start)
	s := c.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch _, e := s.find(key); {
	case e == nil || e.ended(elapsed, now):
		return Miss
	case bound <= 0 || elapsed-e.checked >= bound || !c.stripes.alive(&e.stripes, e.stamp):
		return Stale
	}
	return Fresh
}

// Put remembers that a credential was verified, or that its standing was
// rechecked. Both the stamp and now were taken before that began. An identity
// that has expired or is too large is not remembered.
func (c *Cache) Put(key *Key, stamp Stamp, now time.Time, id *auth.Identity) {
	var buffer [inline]byte
	encoded := encode(buffer[:0], id)
	elapsed := now.Sub(c.start)
	e := entry{
		key:     *key,
		stamp:   stamp,
		checked: elapsed,
		used:    elapsed,
		stripes: c.stripesOf(id),
	}
	if !id.Expires.IsZero() {
		e.expires = max(id.Expires.UnixMilli(), 1)
	}
	s := c.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, old := s.find(key); old != nil {
		if old.stamp > stamp || old.stamp == stamp && old.checked > elapsed {
			return
		}
		e.used = max(e.used, old.used)
		s.remove(at)
	}
	if len(encoded) > MaxIdentity {
		s.oversized++
		return
	}
	if e.ended(elapsed, now) {
		return
	}
	s.insert(e, encoded)
}

// Forget drops what is known about a credential.
func (c *Cache) Forget(key *Key) {
	s := c.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, e := s.find(key); e != nil {
		s.remove(at)
	}
}

// Stats says what a Cache holds and how it does.
type Stats struct {
	Entries, Capacity  int
	Bytes              int    // of memory, most of it untouched until it is needed
	Fresh, Stale, Miss uint64 // what Get answered
	Evictions          uint64 // entries that went for want of room
	Oversized          uint64 // identities larger than MaxIdentity
}

// Stats returns the figures of the moment.
func (c *Cache) Stats() Stats {
	var total Stats
	for i := range c.shards {
		c.shards[i].addTo(&total)
	}
	return total
}

func (c *Cache) shard(key *Key) *shard { return &c.shards[key[0]%shards] }
