// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"fmt"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyevents"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// Names of the events.
const (
	eventSucceeded = "auth_succeeded"
	eventFailed    = "auth_failed"
)

// emitter tells Caddy's subscribers of decisions. A nil one tells nobody, and
// costs nothing.
type emitter struct {
	app *caddyevents.App
	ctx caddy.Context // the handler's, which is the origin of its events
}

func newEmitter(ctx caddy.Context, on *bool) (*emitter, error) {
	if on == nil || !*on {
		return nil, nil
	}
	loaded, err := ctx.App("events")
	if err != nil {
		return nil, fmt.Errorf("loading the events app: %w", err)
	}
	app, ok := loaded.(*caddyevents.App)
	if !ok {
		return nil, fmt.Errorf("app events is a %T", loaded)
	}
	return &emitter{app, ctx}, nil
}

// succeeded tells of a request that was allowed for somebody.
func (e *emitter) succeeded(r *http.Request, id *auth.Identity) {
	if e == nil || !id.Authenticated() || !e.app.ShouldEmit(eventSucceeded) {
		return
	}
	data := requestData(r)
	data["authenticator"] = id.Method
	data["credential"] = id.Credential
	data["user"] = id.ID
	data["user_key"] = id.Key
	e.app.Emit(e.ctx, eventSucceeded, data)
}

// failed tells of a request that was refused, with the user if one is known.
func (e *emitter) failed(r *http.Request, authenticator string, state *requestState, a answer) {
	if e == nil || !e.app.ShouldEmit(eventFailed) {
		return
	}
	data := requestData(r)
	data["authenticator"] = authenticator
	data["credential"] = state.candidate.Credential
	data["candidate"] = state.candidate.ID
	data["candidate_key"] = state.candidate.Key
	data["code"] = a.code
	data["detail"] = a.detail
	data["status"] = a.status
	e.app.Emit(e.ctx, eventFailed, data)
}

// requestData is what an event tells of the request. The query is left out,
// where tokens are, and so is every header.
func requestData(r *http.Request) map[string]any {
	clientIP, _ := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string)
	return map[string]any{
		"client_ip": clientIP,
		"method":    r.Method,
		"host":      r.Host,
		"path":      r.URL.Path,
	}
}
