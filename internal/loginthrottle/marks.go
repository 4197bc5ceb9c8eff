// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package loginthrottle

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

// markSlots is how many marks are kept apart. Keys that share one cost reads of
// the store, and nothing else.
const markSlots = 1 << 14

var markSeed = maphash.MakeSeed()

// marks tell for which keys there was a guess lately that was no success. None
// is lost, however many keys clients make up.
type marks struct {
	latest atomic.Int64
	slots  [markSlots]atomic.Int64 // in seconds of Unix time; 0 is never
}

func (m *marks) set(key string, now time.Time) {
	second := now.Unix()
	m.slots[maphash.String(markSeed, key)%markSlots].Store(second)
	m.latest.Store(second)
}

func (m *marks) has(key string, now time.Time, within time.Duration) bool {
	return lately(m.slots[maphash.String(markSeed, key)%markSlots].Load(), now, within)
}

// any reports whether there may be a key that has one.
func (m *marks) any(now time.Time, within time.Duration) bool {
	return lately(m.latest.Load(), now, within)
}

// lately counts a mark that is ahead, since the clock may have gone back.
func lately(second int64, now time.Time, within time.Duration) bool {
	return second != 0 && now.Unix()-second <= int64(within/time.Second)
}

// underway counts the guesses that are being verified and are not counted
// anywhere else yet.
type underway struct {
	mu sync.Mutex
	n  map[string]int
}

// add returns how many they are with this one, or without it if by is 0.
func (u *underway) add(key string, by int) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	n := u.n[key] + by
	switch {
	case n <= 0:
		delete(u.n, key)
	case by != 0:
		if u.n == nil {
			u.n = make(map[string]int)
		}
		u.n[key] = n
	}
	return n
}
