// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"net/http"
	"sync/atomic"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

func init() {
	caddy.RegisterModule(new(testMystery))
	httpcaddyfile.RegisterHandlerDirective("test_mystery", func(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
		return new(testMystery), noArgs(h.Dispenser)
	})
}

// mysteryRuns counts how often testMystery ran.
var mysteryRuns atomic.Int64

// testMystery is a handler of which nobody knows what it does.
type testMystery struct{}

func (*testMystery) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.test_mystery", New: func() caddy.Module { return new(testMystery) }}
}

func (*testMystery) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	mysteryRuns.Add(1)
	return next.ServeHTTP(w, r)
}
