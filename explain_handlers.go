// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/fileserver"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
)

// What becomes of Caddy's handlers when a request is explained, by the name of
// the module. What is in no list is not run, passed, and noted. A plugin's
// module may end in one of these names, and has no part in them.
var (
	// pure handlers change the request, which is a copy, and nothing else.
	pure = []string{"headers", "map", "request_body", "rewrite", "vars"}

	// silent handlers do nothing before the answer that could matter here.
	silent = []string{"encode", "log_append", "push", "templates", "timeouts", "tracing"}

	// terminal handlers answer and go on to no other.
	terminal = []string{"copy_response", "metrics"}
)

// standIn returns what runs in place of a handler.
func (e *explainer) standIn(real caddyhttp.MiddlewareHandler, at place) (caddyhttp.MiddlewareHandler, error) {
	name := moduleName(real, "http.handlers.")
	switch real := real.(type) {
	case *Handler:
		return e.judge(real, at), nil
	case *Endpoints:
		return e.endpoints(real, at), nil
	case *caddyhttp.Subroute:
		return e.subroute(real, at)
	case *caddyhttp.Invoke:
		return e.invoke(real, at), nil
	case *caddyhttp.StaticResponse:
		return e.respond(real, at), nil
	case *caddyhttp.StaticError:
		return real, nil
	case *reverseproxy.Handler:
		if len(real.HandleResponse) > 0 {
			return e.skip(at, "asks an upstream, which may answer the client itself or, as with forward_auth, let the request go on", name), nil
		}
		return e.answer(at, describeProxy(real)), nil
	case *fileserver.FileServer:
		if real.PassThru {
			return e.skip(at, "answers if there is such a file", name), nil
		}
		return e.answer(at, name), nil
	}
	switch {
	case slices.Contains(pure, name):
		return real, nil
	case slices.Contains(silent, name):
		return standIn(pass), nil
	case slices.Contains(terminal, name):
		return e.answer(at, name), nil
	case name == "intercept":
		return e.skip(at, "may replace an answer by another", name), nil
	case name == "authentication":
		return e.skip(at, "may refuse the request itself", name), nil
	}
	return e.skip(at, "may answer or change the request", name), nil
}

func pass(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	return next.ServeHTTP(w, r)
}

// skip passes a handler that cannot be run without consequences.
func (e *explainer) skip(at place, effect, name string) standIn {
	return func(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
		e.note("%s: the handler %s was not run; it %s", at, name, effect)
		return next.ServeHTTP(w, r)
	}
}

// answer stands for a handler that would answer. In an error route it has the
// status of the error.
func (e *explainer) answer(at place, by string) standIn {
	return func(w http.ResponseWriter, r *http.Request, _ caddyhttp.Handler) error {
		e.report.Answered = &answered{By: by, Route: at.String()}
		if failed, ok := r.Context().Value(caddyhttp.ErrorCtxKey).(error); ok && by == "file_server" {
			w.WriteHeader(statusOf(failed))
		}
		return nil
	}
}

// endpoints judges a request for one of the APIs, which is not asked itself.
func (e *explainer) endpoints(real *Endpoints, at place) standIn {
	return func(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
		route := real.table.find(r)
		if route == nil {
			return next.ServeHTTP(w, r)
		}
		by := &answered{By: "rest_auth_endpoints " + route.owner, Route: at.String()}
		if refused := drf.Negotiate(r); refused != nil && !route.pages {
			e.report.Answered = by
			w.WriteHeader(refused.Status)
			return nil
		}
		return e.judge(route.guard, at)(w, r, caddyhttp.HandlerFunc(func(w http.ResponseWriter, r *http.Request) error {
			e.report.Answered = by
			if route.actions[r.Method] == nil {
				w.WriteHeader(http.StatusMethodNotAllowed)
			}
			return nil
		}))
	}
}

// respond runs a static response, which writes to nobody here.
func (e *explainer) respond(real *caddyhttp.StaticResponse, at place) standIn {
	return func(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
		e.report.Answered = &answered{By: "static_response", Route: at.String()}
		return real.ServeHTTP(w, r, next)
	}
}

func describeProxy(proxy *reverseproxy.Handler) string {
	name := "reverse_proxy"
	for _, upstream := range proxy.Upstreams {
		name += " " + upstream.Dial
	}
	return name
}

// moduleName is the name of a module within its namespace, all of it.
func moduleName(module any, namespace string) string {
	if name := strings.TrimPrefix(caddy.GetModuleID(module), namespace); name != "" {
		return name
	}
	return fmt.Sprintf("%T", module)
}
