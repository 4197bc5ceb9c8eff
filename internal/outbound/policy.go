// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package outbound

import (
	"math/rand/v2"
	"time"
)

// firstBackoff is how soon a failed fetch is repeated, twice as late each
// time it fails again.
const firstBackoff = time.Second

// Policy says how a Document is kept.
type Policy struct {
	// Interval is between two fetches, where the server does not say how long
	// its answer is good. What it says is heeded from a minute to four times the
	// interval.
	Interval time.Duration

	// MinInterval is the least between two fetches that callers demand.
	MinInterval time.Duration

	// StaleBound is how long an answer is believed while no newer one is to be
	// had.
	StaleBound time.Duration

	// MaxBackoff is the longest wait before a failed fetch is repeated.
	MaxBackoff time.Duration
}

// wait returns how long an answer is good, a little different each time, so
// that many servers do not ask at once.
func (p *Policy) wait(life time.Duration) time.Duration {
	if life <= 0 {
		life = p.Interval
	}
	life = min(max(life, min(time.Minute, p.Interval)), 4*p.Interval)
	return spread(min(life, p.StaleBound))
}

// backoff returns how long to wait after that many failures.
func (p *Policy) backoff(failures int) time.Duration {
	return spread(min(firstBackoff<<min(failures-1, 20), p.MaxBackoff))
}

func spread(d time.Duration) time.Duration {
	return d - rand.N(d/5+1) //nolint:gosec // nobody gains by guessing when
}
