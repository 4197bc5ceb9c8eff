// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/durin"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/throttle"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// clientScope is the scope of durin's UserClientRateThrottle: each user counts
// for each API client, which may have a rate of its own.
const clientScope = "user_per_client"

// clientRates are the rates that API clients have of their own, remembered as
// long as a standing is: a request must not cost a read of its client.
type clientRates struct {
	store interface {
		Client(ctx context.Context, id string) (tokenstore.Client, error)
	}
	now func() time.Time

	mu    sync.RWMutex
	known map[string]clientRate // by ID; of durin's clients alone, which operators make
}

type clientRate struct {
	own  throttle.Rate // zero: none
	read time.Time
}

// countClients makes those of the scope user_per_client count as durin does.
func countClients(throttles []*throttle.Throttle, rates *clientRates) {
	for _, t := range throttles {
		if t.Scope != clientScope {
			continue
		}
		byDefault := t.Rate
		t.Caller = userAndClient
		t.RateOf = func(r *http.Request, id *auth.Identity) (throttle.Rate, error) {
			own, err := rates.of(r.Context(), id.Client)
			if own != (throttle.Rate{}) || err != nil {
				return own, err
			}
			return byDefault, nil
		}
	}
}

// userAndClient names a caller: a user who uses two clients is two.
func userAndClient(r *http.Request, id *auth.Identity) string {
	caller := throttle.Caller(r, id)
	if id.Key == "" || id.Client == "" {
		return caller
	}
	return caller + "/client/" + id.Client
}

// of returns the rate that a client has of its own.
func (c *clientRates) of(ctx context.Context, id string) (throttle.Rate, error) {
	if _, ok := durin.Name(id); !ok {
		return throttle.Rate{}, nil
	}
	now := c.now()
	c.mu.RLock()
	known, ok := c.known[id]
	c.mu.RUnlock()
	if ok && now.Sub(known.read) < standingBound {
		return known.own, nil
	}
	own, err := c.read(ctx, id)
	if err != nil {
		return throttle.Rate{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		c.known = make(map[string]clientRate)
	}
	c.known[id] = clientRate{own, now}
	return own, nil
}

func (c *clientRates) read(ctx context.Context, id string) (throttle.Rate, error) {
	stored, err := c.store.Client(ctx, id)
	if errors.Is(err, tokenstore.ErrNotFound) {
		return throttle.Rate{}, nil
	}
	if err != nil {
		return throttle.Rate{}, err
	}
	client, err := durin.Decode(stored.Data)
	if err != nil || client.ThrottleRate == "" {
		return throttle.Rate{}, err
	}
	return throttle.ParseRate(client.ThrottleRate)
}
