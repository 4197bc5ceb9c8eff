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

	// settleMemory is how long it is remembered what hashes of one cost take,
	// since they were last met. Otherwise whoever comes once in a while, when
	// all is quiet, could tell the users whose hashes are slow.
	settleMemory = 24 * time.Hour

	// settleCosts bounds how many costs are remembered.
	settleCosts = 64

	// settleLimit bounds how long a failed login is held back.
	settleLimit = 2 * time.Second
)

// Settle holds back a failed login that began at start, until it has taken as
// long as the slowest hash lately met and an eighth more, but no longer than
// 2s. It returns early when the context ends.
//
// Lately is the last minute or two; of each cost, the last hash of the day
// counts too. The eighth is there because the next hash of the same cost may
// well take a little longer than any before it.
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
	costs    map[string]sample
	began    time.Time     // the current window
	current  time.Duration // the slowest in the current window
	previous time.Duration // the slowest in the window before
}

// A sample is the last hash of one cost.
type sample struct {
	took time.Duration
	at   time.Time
}

// knows reports whether a hash of this cost was met, and will not be forgotten
// soon.
func (s *slowest) knows(now time.Time, cost string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	last, ok := s.costs[cost]
	return ok && now.Sub(last.at) < settleMemory/2
}

func (s *slowest) observe(now time.Time, cost string, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(now)
	s.current = max(s.current, took)
	if s.costs == nil {
		s.costs = make(map[string]sample)
	}
	s.costs[cost] = sample{took, now}
	if len(s.costs) > settleCosts {
		s.forgetQuickest()
	}
}

// delay returns how long a failed login takes.
func (s *slowest) delay(now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(now)
	d := max(s.current, s.previous)
	for cost, last := range s.costs {
		if now.Sub(last.at) >= settleMemory {
			delete(s.costs, cost)
			continue
		}
		d = max(d, last.took)
	}
	return min(d+d/8, settleLimit)
}

func (s *slowest) forgetQuickest() {
	var quickest string
	for cost, last := range s.costs {
		if quickest == "" || last.took < s.costs[quickest].took {
			quickest = cost
		}
	}
	delete(s.costs, quickest)
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
