// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"errors"
	"maps"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// errorRouteTakes reports whether a refusal is to be returned as an error,
// for the server's error routes to write.
//
// Error routes belong to a server, not to a site: a refusal of one site that is
// returned as an error while only another site handles errors would reach the
// client without a body. Caddy also encodes the whole request for a log line
// that it mostly drops, which costs more than the decision did.
func (j *rejecter) errorRouteTakes(r *http.Request, a answer) bool {
	if j.refusals == refusalsRespond {
		return false
	}
	server, ok := r.Context().Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	routed := ok && server.Errors != nil && len(server.Errors.Routes) > 0
	if !routed && j.refusals == refusalsAuto {
		return false
	}
	if _, inErrorRoute := r.Context().Value(caddyhttp.ErrorCtxKey).(error); inErrorRoute {
		return false
	}
	if j.refusals == refusalsError {
		return true
	}
	scratch := scratchRequest(r, server, caddyhttp.HandlerError{StatusCode: a.status, Err: errors.New(a.detail)})
	return takes(server.Errors.Routes, scratch, make(map[string]bool))
}

// scratchRequest returns the request as error routes would see it, with a
// replacer, variables and groups of its own, so that asking leaves no trace.
func scratchRequest(r *http.Request, server *caddyhttp.Server, err caddyhttp.HandlerError) *http.Request {
	ctx := r.Context()
	scratch := r.Clone(ctx)
	// Caddy restores the original request before it runs error routes.
	if original, ok := ctx.Value(caddyhttp.OriginalRequestCtxKey).(http.Request); ok {
		scratch.Method = original.Method
		scratch.RemoteAddr = original.RemoteAddr
		scratch.RequestURI = original.RequestURI
		restored := *original.URL
		scratch.URL = &restored
	}
	replacer := caddy.NewReplacer()
	scratch = caddyhttp.PrepareRequest(scratch, replacer, nil, server)
	if vars, ok := ctx.Value(caddyhttp.VarsCtxKey).(map[string]any); ok {
		if copied, ok := scratch.Context().Value(caddyhttp.VarsCtxKey).(map[string]any); ok {
			maps.Copy(copied, vars)
		}
	}
	if original, ok := ctx.Value(caddy.ReplacerCtxKey).(*caddy.Replacer); ok {
		replacer.Map(original.Get)
	}
	return server.Errors.WithError(scratch, err)
}

// takes reports whether a route of the list would handle the request. No
// handler runs: whatever is not a list of routes itself counts as handling.
func takes(routes caddyhttp.RouteList, r *http.Request, groups map[string]bool) bool {
	for _, route := range routes {
		if route.Group != "" && groups[route.Group] {
			continue
		}
		matches, err := route.MatcherSets.AnyMatchWithError(r)
		if err != nil || !matches {
			continue
		}
		if route.Group != "" {
			groups[route.Group] = true
		}
		for _, handler := range route.Handlers {
			subroute, ok := handler.(*caddyhttp.Subroute)
			if !ok || takes(subroute.Routes, r, groups) {
				return true
			}
		}
		if route.Terminal {
			return false
		}
	}
	return false
}
