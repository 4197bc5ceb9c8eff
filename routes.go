// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
)

// warnOfUnmatched warns of route lists with several rest_auth handlers of
// which one has no matcher: people mean the one with a matcher to replace the
// other for its path, but both decide.
func (a *App) warnOfUnmatched() {
	loaded, err := a.ctx.AppIfConfigured("http")
	if err != nil {
		return
	}
	app, ok := loaded.(*caddyhttp.App)
	if !ok {
		return
	}
	for name, server := range app.Servers {
		if overlapping(server.Routes) {
			a.logger.Warn("several rest_auth handlers guard one route list and one of them has no matcher: "+
				"all must allow a request, none replaces another; use handle blocks or negated matchers",
				zap.String("server", name))
		}
	}
}

// overlapping reports whether a route list, or one within it, has several
// handlers of ours of which one judges every request.
func overlapping(routes caddyhttp.RouteList) bool {
	ours, unmatched := 0, false
	for _, route := range routes {
		for _, handler := range route.Handlers {
			switch handler := handler.(type) {
			case *Handler:
				ours++
				unmatched = unmatched || len(route.MatcherSets) == 0 && len(handler.judged) == 0
			case *caddyhttp.Subroute:
				if overlapping(handler.Routes) {
					return true
				}
			}
		}
	}
	return ours > 1 && unmatched
}
