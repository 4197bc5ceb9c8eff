// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package password

import (
	"context"
	"sync"
	"time"
)

const (
	// settleWindow is how long a slow hash is remembered: at least one
	// window, at most two.
	settleWindow = time.Minute

	// settleLimit bounds how long a failed login is held back.
	settleLimit = 2 * time.Second
)

// Settle holds back a failed login that began at start, until it has taken as
// long as the slowest hash of the last minute or two and an eighth more, but
// no longer than 2s. It returns early when the context ends.
//
// The eighth is there because the next hash of the same cost may well take a
// little longer than any before it.
func (h *Hasher) Settle(ctx context.Context, start time.Time) {
	now := h.now()
	wait := h.slowest.delay(now) - now.Sub(start)
	if wait <= 0 {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// slowest remembers how long hashes take.
type slowest struct {
	mu       sync.Mutex
	standard time.Duration // a new hash, when it was last measured; never forgotten
	began    time.Time     // the current window
	current  time.Duration // the slowest in the current window
	previous time.Duration // the slowest in the window before
}

// measured reports whether it is known how long a new hash takes. Until it is,
// a cheap hash would fail sooner than an unknown user.
func (s *slowest) measured() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.standard > 0
}

func (s *slowest) calibrate(took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.standard = max(took, 1)
}

func (s *slowest) observe(now time.Time, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(now)
	s.current = max(s.current, took)
}

func (s *slowest) delay(now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(now)
	d := max(s.standard, s.current, s.previous)
	return min(d+d/8, settleLimit)
}

func (s *slowest) advance(now time.Time) {
	switch age := now.Sub(s.began); {
	case age < settleWindow:
	case age < 2*settleWindow:
		s.previous, s.current = s.current, 0
		s.began = s.began.Add(settleWindow)
	default:
		s.previous, s.current = 0, 0
		s.began = now
	}
}
