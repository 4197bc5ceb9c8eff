// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"errors"
	"net/http"
	"slices"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
)

// refuse answers a request that was let through, and that its action refuses
// after all.
func (rt *route) refuse(w http.ResponseWriter, r *http.Request, err error) error {
	state := currentState(r)
	failure, bad := errors.AsType[*auth.Failure](err)
	said, ok := errors.AsType[*drf.Error](err)
	refused := refusal{id: state.user, by: rt.guard.policy.linkOf(state.user), cause: outcome(err), endpoint: rt.owner}
	if !ok {
		if refused.cause == auth.ErrNoCredentials {
			refused.cause = unexplained
		}
		return rt.guard.rejecter.reject(w, r, state, refused)
	}
	if bad {
		refused.by, refused.cause = nobody, failure
		a := answer{
			status:  said.Status,
			code:    firstOf(failure.Code, auth.CodeAuthenticationFailed),
			detail:  firstOf(failure.Detail, textFailed),
			verdict: verdictFailed,
		}
		state.refuse(refused, a.code, a.detail)
		rt.guard.rejecter.report(r, state, refused, a)
	}
	return rt.write(w, r, said)
}

// write answers with an error of the API's own.
func (rt *route) write(w http.ResponseWriter, r *http.Request, said *drf.Error) error {
	if err := drf.WriteError(w, r, said); err != nil {
		// The status may be sent; a client that went away is nobody's error.
		rt.logger.Debug("writing an answer", zap.Error(err))
	}
	return nil
}

// linkOf returns the index of the authenticator that answered for a user.
func (p *policy) linkOf(id *auth.Identity) int {
	return slices.IndexFunc(p.links, func(l link) bool { return l.name == id.Method })
}
