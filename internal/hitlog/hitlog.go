// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package hitlog counts events in the memory of one process, for
// tokenstore.Store.Hit of the stores of one host: how often somebody asks is
// asked with each request, and may cost no write to a disk.
//
// The memory is bounded, since clients can make up keys. When it is full a new
// key takes the place of one that has ended, or else of one that has used the
// smallest part of its limit, among some that are looked at. So who is made to
// wait goes on waiting, unless hardly anybody else is counted.
package hitlog

import (
	"cmp"
	"crypto/sha256"
	"hash/maphash"
	"strings"
	"sync"
	"time"
)

const (
	// DefaultBudget is how many bytes a Log has: enough for over a million keys
	// with an event each, or 30,000 with a thousand.
	DefaultBudget = 256 << 20

	// Bytes of a key: its own, those of its marks, and these, with its share of
	// the map.
	windowSize = 168
	markSize   = 8 // and half of it for a number

	firstMarks = 2  // that a new window has room for
	maxKey     = 96 // longer keys are replaced by their digest

	shards = 256 // keys of one wait for each other
	looks  = 8   // keys that are looked at when there is no room
)

// A Log counts events. It is safe for concurrent use.
type Log struct {
	seed   maphash.Seed
	shards [shards]shard

	mu   sync.Mutex // guards hand
	hand int        // the shard where the next Sweep begins
}

// A shard holds those keys whose hash leads to it.
type shard struct {
	mu      sync.Mutex
	windows map[string]*window
	size    int // in bytes
	budget  int
	_       [64]byte // so that no two are in one line of the processor's cache
}

// New returns a Log that takes up about so many bytes at most.
func New(budget int) *Log {
	l := &Log{seed: maphash.MakeSeed()}
	for i := range l.shards {
		l.shards[i].windows, l.shards[i].budget = make(map[string]*window), budget/shards
	}
	return l
}

// Hit is tokenstore.Store's.
func (l *Log) Hit(key string, limit int, per time.Duration, now time.Time) (wait time.Duration) {
	if limit < 1 {
		return per
	}
	key = short(key)
	s := l.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.windows[key]
	if w == nil {
		key = strings.Clone(key) // which may be a part of something larger
		w = new(window)
		s.windows[key] = w
		s.size += windowSize + len(key)
	}
	before := w.size()
	wait = w.hit(limit, per, now)
	if s.size += w.size() - before; s.size > s.budget {
		s.makeRoom(key, now.UnixNano())
	}
	return wait
}

// Forget is tokenstore.Store's.
func (l *Log) Forget(key string) {
	key = short(key)
	s := l.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(key)
}

// Sweep removes at most limit keys whose events all ended before a time, and
// reports how many.
func (l *Log) Sweep(before time.Time, limit int) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for range shards {
		if n >= limit {
			break
		}
		n += l.shards[l.hand].sweep(before.UnixNano(), limit-n)
		if n < limit { // there is no more here
			l.hand = (l.hand + 1) % shards
		}
	}
	return n
}

// Len is the number of keys.
func (l *Log) Len() (n int) {
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		n += len(s.windows)
		s.mu.Unlock()
	}
	return n
}

func (l *Log) shard(key string) *shard {
	return &l.shards[maphash.String(l.seed, key)%shards]
}

// short is the key, or its digest.
func short(key string) string {
	if len(key) <= maxKey {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return string(sum[:])
}

func (s *shard) sweep(before int64, limit int) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, w := range s.windows {
		if n >= limit {
			return n
		}
		if w.ends() < before {
			s.remove(key)
			n++
		}
	}
	return n
}

// makeRoom removes keys, but not this one, until there is room.
func (s *shard) makeRoom(keep string, now int64) {
	for s.size > s.budget && len(s.windows) > 1 {
		var victim string
		var least *window
		seen := 0
		for key, w := range s.windows { // which begins anywhere
			if key == keep {
				continue
			}
			if w.ends() <= now {
				s.remove(key)
			} else if least == nil || w.matters(least) < 0 {
				victim, least = key, w
			}
			if seen++; seen == looks {
				break
			}
		}
		if s.size > s.budget && least != nil {
			s.remove(victim)
		}
	}
}

func (s *shard) remove(key string) {
	w := s.windows[key]
	if w == nil {
		return
	}
	s.size -= windowSize + len(key) + w.size()
	delete(s.windows, key)
	if len(s.windows) == 0 {
		s.windows = make(map[string]*window) // a map that was large stays so
	}
}

// matters compares which of two keys is better kept: that which has used more of
// its limit, and then the one whose events last longer.
func (w *window) matters(other *window) int {
	used, others := float64(w.total)/float64(w.limit), float64(other.total)/float64(other.limit)
	return cmp.Or(cmp.Compare(used, others), cmp.Compare(w.ends(), other.ends()))
}

// size is how many bytes the marks take.
func (w *window) size() int { return markSize*len(w.at) + markSize/2*len(w.n) }
