// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"net/http"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/throttle"
)

// What a throttle would do with the request. Whether it would refuse it is not
// known: a store cannot be asked without counting.
const (
	outcomeCounted    = "counted"
	outcomeNotCounted = "not counted"
)

// explainedThrottle is what one throttle would count.
type explainedThrottle struct {
	Scope   string `json:"scope"`
	Rate    string `json:"rate,omitempty"`
	Outcome string `json:"outcome"`
	// Under which name, as address/192.0.2.1.
	Caller string `json:"caller,omitempty"`
}

// reportThrottles returns copies of the throttles that write down whom they would
// count, to be asked in a dry run.
func (e *explainer) reportThrottles(throttles []*throttle.Throttle, j *judgement) []*throttle.Throttle {
	copies := make([]*throttle.Throttle, 0, len(throttles))
	for _, t := range throttles {
		entry := &explainedThrottle{Scope: t.Scope, Outcome: outcomeNotAsked}
		if t.Rate != (throttle.Rate{}) {
			entry.Rate = t.Rate.String()
		}
		j.Throttles = append(j.Throttles, entry)
		copied := *t
		copied.Caller = func(r *http.Request, id *auth.Identity) string {
			entry.Outcome = outcomeNotCounted
			if entry.Caller = t.CallerOf(r, id); entry.Caller != "" {
				entry.Outcome = outcomeCounted
				e.note("throttles: whether they would let the request pass, since a question is not counted")
			}
			return entry.Caller
		}
		if t.RateOf != nil {
			copied.RateOf = func(r *http.Request, id *auth.Identity) (throttle.Rate, error) {
				rate, err := t.RateOf(r, id)
				entry.Rate = ""
				switch {
				case err != nil:
					entry.Outcome = outcomeUnavailable
				case rate == (throttle.Rate{}):
					entry.Outcome = outcomeNotCounted
				default:
					entry.Rate = rate.String()
				}
				return rate, err
			}
		}
		copies = append(copies, &copied)
	}
	return copies
}

func (j *judgement) printThrottles(p *printer) {
	if len(j.Throttles) == 0 {
		return
	}
	p.line(1, "throttle")
	var rows [][2]string
	for _, t := range j.Throttles {
		name, outcome := t.Scope, t.Outcome
		if t.Rate != "" {
			name += " " + t.Rate
		}
		if t.Outcome == outcomeCounted {
			outcome += " as " + t.Caller
		}
		rows = append(rows, [2]string{name, outcome})
	}
	p.rows(2, rows)
}
