// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/throttle"
)

// Throttle limits how often one caller may ask. A request that comes too early
// is answered 429 and is not counted.
type Throttle struct {
	// Who is counted, and under which name. With "anonymous", requests that
	// nobody answered for, by the client's address; of IPv6, by the network of 64
	// bits. With "user", those and each user's, wherever it comes from. With
	// "user_per_client", each user's apart for each API client of durin, whose own
	// rate, if it has one, takes the place of this. Any other
	// name does as "user", with counters of its own. All sites of a store that
	// use a scope share its counters.
	Scope string `json:"scope"`

	// How many requests, in any second, minute, hour or day: as "1000/day".
	Rate string `json:"rate"`
}

// countedVar is where a request has what it was counted for. It is reserved.
const countedVar = "rest_auth.counted"

// maxScope bounds what every counter's name begins with.
const maxScope = 64

// throttle counts a request that the permissions allow. It returns an
// *auth.Throttled if it comes too early, and an *auth.Unavailable if that cannot
// be told.
func (p *policy) throttle(r *http.Request, id *auth.Identity) error {
	if len(p.throttles) == 0 {
		return nil
	}
	ctx := r.Context()
	already, ok := caddyhttp.GetVar(ctx, countedVar).(*throttle.Counted)
	if !ok {
		already = new(throttle.Counted)
		caddyhttp.SetVar(ctx, countedVar, already)
	}
	return throttle.Check(r, id, p.throttles, p.counter, already, p.now())
}

// newThrottles resolves what the settings say.
func newThrottles(settings []Throttle) (throttles []*throttle.Throttle, err error) {
	for i, one := range settings {
		if throttles, err = one.appendTo(throttles); err != nil {
			return nil, fmt.Errorf("position %d: %w", i, err)
		}
	}
	return throttles, nil
}

func (t Throttle) appendTo(throttles []*throttle.Throttle) ([]*throttle.Throttle, error) {
	resolved, err := t.resolve()
	if err != nil {
		return nil, err
	}
	for _, other := range throttles {
		if other.Scope == resolved.Scope && other.Rate.Per == resolved.Rate.Per {
			return nil, fmt.Errorf("'%s' has two rates of one period, %s and %s: every request would count twice", t.Scope, other.Rate, resolved.Rate)
		}
	}
	return append(throttles, resolved), nil
}

func (t Throttle) resolve() (*throttle.Throttle, error) {
	if err := checkScope(t.Scope); err != nil {
		return nil, err
	}
	text, err := caddy.NewReplacer().ReplaceOrErr(t.Rate, true, true)
	if err != nil {
		return nil, err
	}
	rate, err := throttle.ParseRate(text)
	if err != nil {
		return nil, err
	}
	return &throttle.Throttle{Scope: t.Scope, Rate: rate}, nil
}

// checkScope refuses a name that is none, and the name that Django REST
// framework has for ours: a scope of that name would count users too.
func checkScope(scope string) error {
	switch {
	case scope == "":
		return errors.New("the scope is missing")
	case strings.EqualFold(scope, "anon"):
		return errors.New("the scope of anonymous requests is called 'anonymous'")
	case strings.EqualFold(scope, "off"):
		return errors.New("'off' is not a scope")
	case len(scope) > maxScope || strings.Trim(scope, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") != "":
		return fmt.Errorf("'%s' is not a scope: expected up to %d letters, digits and any of _.-", scope, maxScope)
	}
	for _, known := range []string{throttle.Anonymous, "user", clientScope} {
		if strings.EqualFold(scope, known) && scope != known {
			return fmt.Errorf("'%s' is not '%s', and would count other requests", scope, known)
		}
	}
	return nil
}

// parseThrottle parses `<scope> <rate>`, or `off`, which throttles nobody
// whatever the defaults say.
func (s *Settings) parseThrottle(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	off := s.Throttles != nil && len(s.Throttles) == 0
	if off || len(args) == 1 && args[0] == "off" && s.Throttles != nil {
		return d.Err("'throttle off' stands alone")
	}
	if len(args) == 1 && args[0] == "off" {
		s.Throttles = []Throttle{}
		return nil
	}
	if len(args) != 2 {
		return d.Err("throttle takes a scope and a rate, as `throttle user 1000/day`")
	}
	s.Throttles = append(s.Throttles, Throttle{Scope: args[0], Rate: args[1]})
	var known []*throttle.Throttle
	for _, one := range s.Throttles {
		err := checkScope(one.Scope)
		if err == nil && !strings.Contains(one.Rate, "{") { // a placeholder has no value yet
			known, err = one.appendTo(known)
		}
		if err != nil {
			return d.Errf("throttle: %v", err)
		}
	}
	return nil
}
