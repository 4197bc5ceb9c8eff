// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
)

func init() {
	caddy.RegisterModule(new(Endpoints))
}

// Endpoints serves the APIs by which clients get tokens and sessions, and give
// them back.
//
// Each API owns an exact set of paths below its mount, with and without the
// final slash. Any other path goes on to the next handler; another method is
// answered 405. Two APIs cannot own one path.
//
// A request is judged as one to a `rest_auth` handler is: by the authenticators
// and permissions of its mount, or of the API itself where the mount has none.
// Answers are not to be stored (`Cache-Control: no-store`), and refusals are
// those of Django REST framework.
//
// Inside `handle_path` the mount is relative to what was stripped.
type Endpoints struct {
	// What absolute URLs begin with, as https://api.example.com: what a client
	// calls the host is not to be believed. Default: none.
	Origin string `json:"origin,omitempty"`

	// The APIs.
	Mounts []*Mount `json:"mounts,omitempty"`

	table  *routeTable
	logger *zap.Logger
}

// CaddyModule returns the Caddy module information.
func (*Endpoints) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.handlers.rest_auth_endpoints",
		New: func() caddy.Module { return new(Endpoints) },
	}
}

// Provision loads the APIs, and refuses two of them on one path.
func (e *Endpoints) Provision(ctx caddy.Context) error {
	e.logger = ctx.Logger()
	if len(e.Mounts) == 0 {
		return errors.New("no API is mounted")
	}
	if err := e.resolveOrigin(); err != nil {
		return fmt.Errorf("origin: %w", err)
	}
	e.table = new(routeTable)
	guards := newGuards(ctx)
	var logins loginLinks
	for i, mount := range e.Mounts {
		if mount == nil {
			return fmt.Errorf("mount %d is null", i)
		}
		routes, err := mount.load(ctx, e.Origin, guards, &logins)
		if err != nil {
			return fmt.Errorf("mount %s: %w", mount.Path, err)
		}
		for _, route := range routes {
			route.logger = e.logger
			if err := e.table.add(route); err != nil {
				return err
			}
		}
	}
	logins.show()
	return nil
}

// resolveOrigin refuses what is no origin of RFC 6454.
func (e *Endpoints) resolveOrigin() (err error) {
	if e.Origin, err = caddy.NewReplacer().ReplaceOrErr(e.Origin, true, true); err != nil || e.Origin == "" {
		return err
	}
	return checkOrigin(e.Origin)
}

func checkOrigin(origin string) error {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.Scheme+"://"+u.Host != origin {
		return fmt.Errorf("'%s' is not an origin, as https://api.example.com", origin)
	}
	return nil
}

// ServeHTTP answers a request for one of the APIs, and passes any other on.
func (e *Endpoints) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	route := e.table.find(r)
	if route == nil {
		return next.ServeHTTP(w, r)
	}
	return route.ServeHTTP(w, r)
}

// cleanPath is the path that routes are found by: dots resolved, slashes merged,
// without the final one. Most paths are clean already.
func cleanPath(path string) string {
	if strings.Contains(path, "//") || strings.Contains(path, "/.") || !strings.HasPrefix(path, "/") {
		path = caddyhttp.CleanPath(path, true)
	}
	return strings.TrimSuffix(path, "/")
}

// Interface guards
var (
	_ caddy.Provisioner           = (*Endpoints)(nil)
	_ caddyhttp.MiddlewareHandler = (*Endpoints)(nil)
)
