// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/endpoints"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/page"
)

// methodOrder is the order in which Django lists methods in Allow.
var methodOrder = []string{
	http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
	http.MethodHead, http.MethodOptions, http.MethodTrace,
}

// route is one path of an API with who may call it.
type route struct {
	owner    string   // of the path, as "knox"
	pattern  string   // without the final slash
	segments []string // of the pattern; nil if it has no braces
	name     string
	pages    bool
	refuser  endpoints.Refuser // of people; nil if the route has no pages for them
	actions  map[string]endpoints.Action
	allow    string // for the header
	guard    *Handler
	logger   *zap.Logger
}

func newRoute(owner, mount string, described endpoints.Route) (*route, error) {
	r := &route{
		owner:   owner,
		pattern: strings.TrimSuffix(mount+described.Path, "/"),
		name:    described.Name,
		pages:   described.Pages,
		actions: make(map[string]endpoints.Action),
	}
	if strings.Contains(r.pattern, "{") {
		r.segments = strings.Split(r.pattern, "/")
	}
	for method, action := range described.Actions {
		if !slices.Contains(methodOrder, method) {
			return nil, fmt.Errorf("%s: unknown method '%s'", r.pattern, method)
		}
		r.actions[method] = action
	}
	if get, ok := r.actions[http.MethodGet]; ok && r.actions[http.MethodHead] == nil {
		r.actions[http.MethodHead] = get
	}
	if r.actions[http.MethodOptions] == nil {
		r.actions[http.MethodOptions] = r.describe
	}
	var allowed []string
	for _, method := range methodOrder {
		if r.actions[method] != nil {
			allowed = append(allowed, method)
		}
	}
	r.allow = strings.Join(allowed, ", ")
	return r, nil
}

// ServeHTTP answers a request, in the order of Django REST framework: what the
// client accepts, who it is, what it may, how often, and only then the method.
func (rt *route) ServeHTTP(w http.ResponseWriter, r *http.Request) error {
	header := w.Header()
	header.Set("Allow", rt.allow)
	header.Set("Cache-Control", "no-store")
	if rt.guard.policy.readsCookies() {
		header.Add("Vary", "Cookie")
	}
	if refused := drf.Negotiate(r); refused != nil && !rt.pages {
		rt.guard.cors.expose(w, r)
		return rt.write(w, r, refused)
	}
	if rt.refuser != nil && page.Wanted(r) {
		return rt.servePerson(w, r)
	}
	return rt.guard.ServeHTTP(w, r, caddyhttp.HandlerFunc(rt.act))
}

// act answers a request that its guard let through.
func (rt *route) act(w http.ResponseWriter, r *http.Request) error {
	cors := rt.guard.cors
	if cors.preflight(r) {
		cors.answerPreflight(w, r, rt.allow)
		return nil
	}
	cors.expose(w, r)
	// An operator's question what would become of the request.
	if auth.DryRun(r.Context()) {
		return nil
	}
	action, ok := rt.actions[r.Method]
	if !ok {
		return rt.write(w, r, drf.Detail(http.StatusMethodNotAllowed, fmt.Sprintf("Method %q not allowed.", r.Method)))
	}
	if err := action(w, r, currentState(r).user); err != nil {
		return rt.refuse(w, r, err)
	}
	return nil
}

// describe answers OPTIONS as Django REST framework does.
func (rt *route) describe(w http.ResponseWriter, r *http.Request, _ *auth.Identity) error {
	return drf.Write(w, r, http.StatusOK, drf.Object{
		{Name: "name", Value: rt.name},
		{Name: "description", Value: ""},
		{Name: "renders", Value: []string{"application/json"}},
		{Name: "parses", Value: []string{"application/json", "application/x-www-form-urlencoded", "multipart/form-data"}},
	})
}

// readsCookies reports whether the answer may depend on a session.
func (p *policy) readsCookies() bool {
	return slices.ContainsFunc(p.links, func(l link) bool { return l.name == "session" })
}
