// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package restauth brings the authentication and permission stack of Django
// REST framework to Caddy. A site lists the credentials it accepts, in order,
// and the permissions it requires; everything else is refused with the right
// 401 or 403. To write an authenticator of your own, read package auth and
// nothing else.
package restauth

import (
	"fmt"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

func init() {
	caddy.RegisterModule(new(Handler))
}

// Handler authenticates a request and decides whether it may go on.
//
// Authenticators are asked in order. The first that finds its own kind of
// credentials decides who the user is; if those are bad, the request is
// refused and no other authenticator is asked. Then every permission must
// allow the request. A handler without permissions requires an authenticated
// request. What they allow is counted by the throttles, and refused if it comes
// too early.
//
// A refused request is answered as Django REST framework would: 401 with the
// challenge of the first authenticator for a client that is anonymous or sent
// bad credentials, 403 for one that is known or cannot be challenged, 429 for one
// that has to wait, 503 when the question could not be decided. The body is `{"detail": "…"}`.
//
// Several handlers may guard one request: all must allow it, and the identity
// of the last counts.
//
// After this handler, these placeholders are set:
//
// Placeholder | Description
// ------------|-------------
// `{http.auth.user.id}` | The login name; empty if anonymous or refused
// `{http.auth.user.key}` | What names the user for ever, as `store:<ulid>`
// `{http.auth.user.name}` | The full name
// `{http.auth.user.email}` | The address
// `{http.auth.user.source}` | Where the user is kept: `store`, `config`, an issuer
// `{http.auth.user.staff}`, `.superuser` | `true` or `false`
// `{http.auth.user.groups}`, `.permissions`, `.scopes` | Lists; joined by commas when printed
// `{http.auth.user.client}` | The client that the credential was issued to
// `{http.auth.user.claims.*}` | What an issuer signed
// `{http.auth.method}` | The authenticator that answered, as `token`
// `{http.auth.credential}` | The public handle of the credential
// `{http.auth.candidate.*}` | The same as `user.*`, for a user who is known and refused
// `{http.auth.error.code}`, `.detail` | Why the request was refused
type Handler struct {
	// Which requests are judged, as in a route. Those that it leaves out go on
	// unjudged, without what the client sent under the names that header_up
	// sets: an upstream could not tell it from our word. A matcher of the route
	// itself would not see to that. Default: all requests.
	MatcherSetsRaw caddyhttp.RawMatcherSets `json:"match,omitempty" caddy:"namespace=http.matchers"`

	Settings

	preset   bool // an API says whom to ask, and not the configuration
	judged   caddyhttp.MatcherSets
	policy   *policy
	headers  *headerRules
	cors     *corsPolicy
	rejecter *rejecter
	events   *emitter
}

// CaddyModule returns the Caddy module information.
func (*Handler) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.handlers.rest_auth",
		New: func() caddy.Module { return new(Handler) },
	}
}

// Provision loads the authenticators and permissions. It does no input or
// output: a store or an issuer that is down does not keep Caddy from starting.
func (h *Handler) Provision(ctx caddy.Context) error {
	app, err := appFromContext(ctx)
	if err != nil {
		return err
	}
	matchers, err := ctx.LoadModule(h, "MatcherSetsRaw")
	if err != nil {
		return fmt.Errorf("loading matchers: %w", err)
	}
	if err := h.judged.FromInterface(matchers); err != nil {
		return fmt.Errorf("loading matchers: %w", err)
	}
	h.inherit(app.Defaults)
	if err := h.check(); err != nil {
		return err
	}
	if err := h.complete(); err != nil {
		return err
	}
	if h.policy, err = newPolicy(ctx, app, &h.Settings); err != nil {
		return err
	}
	if !h.preset {
		warnOfGuards(h.policy.links, ctx.Logger())
	}
	if h.headers, err = newHeaderRules(h.HeaderUp); err != nil {
		return fmt.Errorf("header_up: %w", err)
	}
	h.headers.inputs = h.policy.inputs()
	h.headers.query = h.policy.parameters()
	if h.cors, err = newCORSPolicy(h.CORS); err != nil {
		return fmt.Errorf("cors: %w", err)
	}
	if h.events, err = newEmitter(ctx, h.Events); err != nil {
		return err
	}
	h.rejecter = newRejecter(&h.Settings, h.policy, h.cors, ctx.Logger())
	h.rejecter.events = h.events
	return nil
}

// ServeHTTP lets the request through or refuses it.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	h.policy.notice(r)
	if len(h.judged) > 0 {
		judged, err := h.judged.AnyMatchWithError(r)
		if err != nil || !judged {
			h.headers.stripUnjudged(r)
		}
		if err != nil {
			return err
		}
		if !judged {
			return next.ServeHTTP(w, r)
		}
	}
	state := stateOf(r)
	if h.cors.preflight(r) {
		h.headers.strip(r)
		h.policy.count(nobody, auth.Anonymous)
		return h.admit(w, r, next, state, auth.Anonymous)
	}
	id, by, abstained, err := h.policy.identify(r, state)
	h.headers.strip(r)
	if err == nil {
		state.user = id
		err = h.policy.permit(r, id)
	}
	if err == nil {
		err = h.policy.throttle(r, id)
	}
	w = h.policy.wrap(w, r, id)
	if err != nil {
		return h.rejecter.reject(w, r, state, refusal{id: id, by: by, cause: err, abstained: abstained})
	}
	h.policy.count(by, id)
	return h.admit(w, r, next, state, id)
}

func (h *Handler) admit(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler, state *requestState, id *auth.Identity) error {
	state.user = id
	h.headers.apply(r)
	state.tell(h.headers)
	traceAllowed(r, id)
	h.events.succeeded(r, id)
	if check := h.rejecter.logger.Check(zap.DebugLevel, "allowed"); check != nil {
		check.Write(zap.String("user", id.ID), zap.String("authenticator", id.Method))
	}
	return next.ServeHTTP(w, r)
}

// Interface guards
var (
	_ caddy.Provisioner           = (*Handler)(nil)
	_ caddyhttp.MiddlewareHandler = (*Handler)(nil)
)
