// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package throttle limits how often a caller may ask, by the rules of Django
// REST framework's throttle classes: a log of the requests that passed, of which
// those as old as the period no longer count.
package throttle

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// Anonymous is the scope of requests that nobody answered for. Any other scope
// counts all requests: a user's by the user, wherever they come from.
const Anonymous = "anonymous"

// A Throttle allows each caller a rate. Callers are counted by scope and period,
// over every site that uses the same store.
//
// A kind of throttle with callers or rates of its own, as one per user and API
// client, sets Caller and RateOf.
type Throttle struct {
	// Scope names the counters. Two throttles of one scope and period share them.
	Scope string

	// Rate is what each caller is allowed.
	Rate Rate

	// Caller, if not nil, says under which name a request is counted, unique
	// within the scope, or "" if this throttle does not concern it.
	// Default: the package's function Caller.
	Caller func(r *http.Request, id *auth.Identity) string

	// RateOf, if not nil, returns the rate of this request's caller in place of
	// Rate; the zero Rate is no limit. An error refuses the request with 503.
	RateOf func(r *http.Request, id *auth.Identity) (Rate, error)
}

// A Counter counts, as tokenstore.Store does.
type Counter interface {
	Hit(ctx context.Context, key string, limit int, per time.Duration, now time.Time) (wait time.Duration, err error)
}

// Counted is what a request was counted for. One request may meet several
// handlers, and is one request all the same.
type Counted []counted

type counted struct {
	key   string
	limit int
}

// Check asks all throttles, even after one has refused, since the others count
// the request nonetheless. It returns an *auth.Throttled with the longest wait,
// or an *auth.Unavailable if the counter cannot be asked.
func Check(r *http.Request, id *auth.Identity, throttles []*Throttle, counter Counter, already *Counted, now time.Time) error {
	refused, longest := false, time.Duration(0)
	for _, t := range throttles {
		wait, err := t.hit(r, id, counter, already, now)
		if err != nil {
			return &auth.Unavailable{Err: fmt.Errorf("asking the throttle '%s': %w", t.Scope, err)}
		}
		if wait > 0 {
			refused, longest = true, max(longest, wait)
		}
	}
	if refused {
		return &auth.Throttled{Wait: longest}
	}
	return nil
}

func (t *Throttle) hit(r *http.Request, id *auth.Identity, counter Counter, already *Counted, now time.Time) (wait time.Duration, err error) {
	caller := t.CallerOf(r, id)
	if caller == "" {
		return 0, nil
	}
	rate := t.Rate
	if t.RateOf != nil {
		if rate, err = t.RateOf(r, id); err != nil {
			return 0, err
		}
	}
	if rate == (Rate{}) {
		return 0, nil
	}
	one := counted{t.key(rate, caller), rate.Requests}
	if slices.Contains(*already, one) {
		return 0, nil
	}
	if wait, err = counter.Hit(r.Context(), one.key, rate.Requests, rate.Per, now); err == nil && wait <= 0 {
		*already = append(*already, one)
	}
	return wait, err
}

// CallerOf returns under which name a request is counted, or "" if this throttle
// does not concern it.
func (t *Throttle) CallerOf(r *http.Request, id *auth.Identity) string {
	if t.Caller != nil {
		return t.Caller(r, id)
	}
	if t.Scope == Anonymous && id.Authenticated() {
		return ""
	}
	return Caller(r, id)
}

// key is what the store counts under. The period is part of it, so that a
// throttle per minute does not forget what one per day of the same scope still
// has to know.
func (t *Throttle) key(rate Rate, caller string) string {
	return "throttle/" + t.Scope + "/" + strconv.Itoa(int(rate.Per/time.Second)) + "/" + caller
}

// String keeps the callers out of a log that prints all variables.
func (c *Counted) String() string { return "" }
