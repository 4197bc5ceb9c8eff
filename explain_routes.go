// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// maxInvocations bounds named routes that invoke each other. Caddy does not
// bound them; a request to such a route ends the process.
const maxInvocations = 256

// nothing is where a list of routes ends.
var nothing = caddyhttp.HandlerFunc(func(http.ResponseWriter, *http.Request) error { return nil })

// place is the way to a handler: the routes around it.
type place []string

func (p place) String() string { return strings.Join(p, " > ") }

func (p place) in(part string) place { return append(p[:len(p):len(p)], part) }

// routes returns a copy of a list with a stand-in for every handler. Its
// matchers are the real ones, and Caddy itself follows it.
func (e *explainer) routes(list caddyhttp.RouteList, at place) (caddyhttp.RouteList, error) {
	copied := make(caddyhttp.RouteList, len(list))
	for i := range list {
		var err error
		if copied[i], err = e.route(&list[i], at.in(describeRoute(i, &list[i]))); err != nil {
			return nil, err
		}
	}
	return copied, nil
}

func (e *explainer) route(route *caddyhttp.Route, at place) (caddyhttp.Route, error) {
	copied := caddyhttp.Route{Group: route.Group, Terminal: route.Terminal, MatcherSets: route.MatcherSets}
	for _, handler := range route.Handlers {
		standIn, err := e.standIn(handler, at)
		if err != nil {
			return copied, err
		}
		copied.Handlers = append(copied.Handlers, standIn)
	}
	// Compiles the handlers that are there, as there is no JSON of others.
	if err := copied.ProvisionHandlers(e.ctx, nil); err != nil {
		return copied, fmt.Errorf("copying %s: %w", at, err)
	}
	return copied, nil
}

// subroute copies a list within a list, with its own error routes.
func (e *explainer) subroute(real *caddyhttp.Subroute, at place) (caddyhttp.MiddlewareHandler, error) {
	routes, err := e.routes(real.Routes, at)
	if err != nil {
		return nil, err
	}
	copied := &caddyhttp.Subroute{Routes: routes}
	if real.Errors != nil {
		errorRoutes, err := e.routes(real.Errors.Routes, at.in("error routes"))
		if err != nil {
			return nil, err
		}
		copied.Errors = &caddyhttp.HTTPErrorConfig{Routes: errorRoutes}
	}
	return copied, nil
}

// invoke follows a named route when it is met: it may lead back to itself.
func (e *explainer) invoke(real *caddyhttp.Invoke, at place) caddyhttp.MiddlewareHandler {
	return standIn(func(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
		route, ok := e.server.NamedRoutes[real.Name]
		if !ok {
			return real.ServeHTTP(w, r, next)
		}
		// Never less again: an error route may begin anew after each.
		if e.invocations++; e.invocations > maxInvocations {
			e.broken = fmt.Errorf("named routes invoke each other more than %d times, the last of them %s: "+
				"if that has no end, such a request ends Caddy's process", maxInvocations, real.Name)
			return e.broken
		}
		copied, err := e.route(route, at.in("named route "+real.Name))
		if err != nil {
			e.broken = err
			return err
		}
		return copied.Compile(next).ServeHTTP(w, r)
	})
}

// standIn is a handler in the place of another.
type standIn func(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error

// ServeHTTP implements caddyhttp.MiddlewareHandler.
func (s standIn) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	return s(w, r, next)
}

// describeRoute names a route by its number and by the matchers that people
// know it by.
func describeRoute(i int, route *caddyhttp.Route) string {
	var sets []string
	for _, set := range route.MatcherSets {
		var words []string
		for _, matcher := range set {
			words = append(words, describeMatcher(matcher))
		}
		sets = append(sets, strings.Join(words, ", "))
	}
	name := fmt.Sprintf("route %d", i)
	if len(sets) == 0 {
		return name
	}
	return name + " [" + strings.Join(sets, " or ") + "]"
}

func describeMatcher(matcher any) string {
	switch matcher := matcher.(type) {
	case *caddyhttp.MatchHost:
		return "host " + strings.Join(*matcher, " ")
	case *caddyhttp.MatchPath:
		return "path " + strings.Join(*matcher, " ")
	case *caddyhttp.MatchMethod:
		return "method " + strings.Join(*matcher, " ")
	}
	// What else matchers compare with may be a secret.
	if name := caddy.GetModuleName(matcher); name != "" {
		return name
	}
	return fmt.Sprintf("%T", matcher)
}
