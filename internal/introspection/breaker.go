// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package introspection

import (
	"sync"
	"time"
)

const (
	// maxFailures in a row begin a pause.
	maxFailures = 5

	// minPause is the first pause; each that follows without a success is twice
	// as long, up to maxPause.
	minPause = time.Second
	maxPause = 30 * time.Second
)

// breaker keeps a server that is down from being asked by everybody, and
// everybody from waiting for it. After a pause one exchange is made to find out
// whether the server is back.
type breaker struct {
	mu       sync.Mutex
	failures int
	pause    time.Duration // the latest
	until    time.Time     // zero: not in a pause
	probing  bool          // somebody finds out
}

// enter reports whether the server may be asked, and whether that is the probe; or
// how long not to.
func (b *breaker) enter(now time.Time) (probe bool, wait time.Duration, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.until.IsZero():
		return false, 0, true
	case now.Before(b.until):
		return false, b.until.Sub(now), false
	case b.probing:
		return false, minPause, false
	}
	b.probing = true
	return true, 0, true
}

// succeeded ends a pause, and reports whether there was one.
func (b *breaker) succeeded() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	paused := !b.until.IsZero()
	b.failures, b.pause, b.until, b.probing = 0, 0, time.Time{}, false
	return paused
}

// failed returns how long the pause is that begins, or 0 if none does. The
// server may have said how long it wants.
func (b *breaker) failed(now time.Time, probe bool, wanted time.Duration) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures++
	if !probe && (b.failures < maxFailures || !b.until.IsZero()) {
		return 0 // too few, or one that began before the pause
	}
	b.probing = false
	b.pause = max(min(2*b.pause, maxPause), minPause, wanted)
	b.until = now.Add(b.pause)
	return b.pause
}

// paused returns the end of the pause, or zero.
func (b *breaker) paused() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.until
}
