// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"net/http"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// reportingGuard writes down why the credentials did not do for the request.
type reportingGuard struct {
	guard     auth.Guard
	explainer *explainer
	entry     *explainedAuthenticator
}

// Guard implements auth.Guard.
func (g *reportingGuard) Guard(r *http.Request, id *auth.Identity) error {
	err := g.guard.Guard(r, id)
	switch said := outermost(err).(type) {
	case nil:
		if err != nil {
			g.entry.Outcome, g.entry.Reason = outcomeUnavailable, g.explainer.mask.text(err.Error())
		}
	case *auth.Denial:
		g.entry.Outcome, g.entry.Reason = outcomeDenied, g.explainer.mask.text(said.Detail)
	case *auth.Failure:
		g.entry.Outcome, g.entry.Reason = outcomeBad, g.explainer.mask.text(causeOf(said))
	case *auth.Throttled:
		g.entry.Outcome, g.entry.Reason = outcomeThrottled, said.Detail
	case *auth.Unavailable:
		g.entry.Outcome = outcomeUnavailable
		if said.Err != nil {
			g.entry.Reason = g.explainer.mask.text(said.Err.Error())
		}
	default:
		g.entry.Outcome = outcomeNone
	}
	return err
}

// causeOf returns more than the client is told, if there is more.
func causeOf(failure *auth.Failure) string {
	if failure.Err != nil {
		return failure.Err.Error()
	}
	return failure.Detail
}
