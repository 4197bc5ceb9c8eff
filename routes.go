// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"fmt"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
)

// servers returns the HTTP servers of the configuration by name.
func (a *App) servers() map[string]*caddyhttp.Server {
	loaded, err := a.ctx.AppIfConfigured("http")
	if err != nil {
		return nil
	}
	app, ok := loaded.(*caddyhttp.App)
	if !ok {
		return nil
	}
	return app.Servers
}

// warnOfUnmatched warns of route lists with several rest_auth handlers of
// which one has no matcher: people mean the one with a matcher to replace the
// other for its path, but both decide.
func (a *App) warnOfUnmatched() {
	for name, server := range a.servers() {
		if overlapping(server.Routes) {
			a.logger.Warn("several rest_auth handlers guard one route list and one of them has no matcher: "+
				"all must allow a request, none replaces another; use handle blocks or negated matchers",
				zap.String("server", name))
		}
	}
}

// checkOwners refuses two handlers of endpoints that meet the same requests and
// own one path: the first would hide the second. Within one handler,
// provisioning sees to that.
func (a *App) checkOwners() error {
	for name, server := range a.servers() {
		if err := checkOwnersOf(server.Routes); err != nil {
			return fmt.Errorf("server %s: %w", name, err)
		}
	}
	return nil
}

func checkOwnersOf(routes caddyhttp.RouteList) error {
	owned := new(routeTable)
	for _, route := range routes {
		for _, handler := range route.Handlers {
			switch handler := handler.(type) {
			case *Endpoints:
				if len(route.MatcherSets) > 0 {
					continue
				}
				for _, one := range handler.table.all() {
					if err := owned.add(one); err != nil {
						return err
					}
				}
			case *caddyhttp.Subroute:
				if err := checkOwnersOf(handler.Routes); err != nil {
					return err
				}
			}
		}
	}
	return nil
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
