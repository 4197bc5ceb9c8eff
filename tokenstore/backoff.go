// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package tokenstore

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// A Backoff says how long the next attempt under a key has to wait: so that a
// few may follow each other at once, and who guesses on gets slower and slower.
type Backoff struct {
	Free  int           // how many need not wait; 1 at least
	Base  time.Duration // the wait after the last of those, doubled by each one more
	Max   time.Duration // the longest wait; Base at least
	Quiet time.Duration // how long without an attempt until all are forgotten; Max at least
	Limit int           // how many in all: the next one waits until all are forgotten; 0 is no limit
}

// Attempts are what Store.Attempt has counted under a key.
type Attempts struct {
	Key   string
	Count int
	Last  time.Time // the latest one
}

// Wait returns how long the next attempt has to wait, 0 if it may be made now.
func (b Backoff) Wait(a Attempts, now time.Time) time.Duration {
	delay := b.delay(a.Count)
	if delay == 0 || b.forgets(a, now) {
		return 0
	}
	return max(a.Last.Add(delay).Sub(now), 0)
}

// Count returns the attempts together with one that is made now.
func (b Backoff) Count(a Attempts, now time.Time) Attempts {
	now = now.Truncate(time.Microsecond).UTC()
	if b.forgets(a, now) {
		return Attempts{a.Key, 1, now}
	}
	if now.After(a.Last) {
		a.Last = now
	}
	a.Count++
	return a
}

// Ends returns when nothing is left of the attempts, and Sweep may take them.
func (b Backoff) Ends(a Attempts) time.Time { return a.Last.Add(b.memory()) }

// forgets reports whether the attempts count no more. Those from a time so far
// ahead were counted by a clock that was wrong.
func (b Backoff) forgets(a Attempts, now time.Time) bool {
	return a.Count <= 0 || !now.Before(b.Ends(a)) || now.Before(a.Last.Add(-b.memory()))
}

// delay is how long after the last of count attempts the next one may be made.
func (b Backoff) delay(count int) time.Duration {
	if b.Limit > 0 && count >= b.Limit {
		return b.memory()
	}
	doublings := count - max(b.Free, 1)
	if doublings < 0 {
		return 0
	}
	delay, longest := max(b.Base, 0), b.longest()
	for ; doublings > 0 && delay > 0; doublings-- {
		if delay > longest/2 {
			return longest
		}
		delay *= 2
	}
	return delay
}

func (b Backoff) longest() time.Duration { return max(b.Max, b.Base, 0) }

func (b Backoff) memory() time.Duration { return max(b.Quiet, b.longest()) }

// AttemptKey is the key under which Store.Attempt counts: the key itself, or,
// if it is longer than MaxName, its beginning with a digest of it.
func AttemptKey(key string) string {
	if len(key) <= MaxName {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	digest := "sha256:" + hex.EncodeToString(sum[:])
	return key[:MaxName-len(digest)] + digest
}
