// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package entra

import (
	"errors"
	"net/http"
	"sync"
	"time"
)

const (
	// shortPause is for how long a server is left alone that asks for it without
	// saying for how long, and longPause the longest that it can ask for.
	shortPause = 5 * time.Second
	longPause  = time.Minute

	// maxPauses is of how many tenants a pause is known.
	maxPauses = 1000
)

var errPause = errors.New("asking for groups: there were too many requests for this tenant, and it is not asked again yet")

// pauses are the tenants for which nobody is asked for a while: Microsoft counts
// the requests that it refuses too.
type pauses struct {
	lock  sync.Mutex
	until map[string]time.Time
}

// left returns how long nobody is asked for a tenant.
func (p *pauses) left(tenant string, now time.Time) time.Duration {
	p.lock.Lock()
	defer p.lock.Unlock()
	return max(p.until[tenant].Sub(now), 0)
}

// note begins a pause if an answer asks for one.
func (p *pauses) note(tenant string, now time.Time, status int, header http.Header) {
	after := retryAfter(header)
	switch {
	case status == http.StatusTooManyRequests:
		after = max(after, shortPause)
	case status != http.StatusServiceUnavailable || after == 0:
		return
	}
	p.lock.Lock()
	defer p.lock.Unlock()
	if p.until == nil || len(p.until) >= maxPauses {
		p.until = make(map[string]time.Time)
	}
	p.until[tenant] = now.Add(min(after, longPause))
}
