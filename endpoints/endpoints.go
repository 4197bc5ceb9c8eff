// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package endpoints is the contract between the rest_auth_endpoints handler
// and the APIs that it serves, which are packages below this one: the guests of
// rest_auth.endpoints. The handler knows paths, methods, who may call, how often
// and how a refusal is written; an endpoint knows what its API says.
package endpoints

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// An Endpoint is one API: a few paths below its mount.
type Endpoint interface {
	// Routes is called once, after Provision and Mount.
	Routes() []Route
}

// A Mounter is an Endpoint that needs to know where it is. Mount is called
// once, after Provision and before Routes.
type Mounter interface {
	Mount(at Mount) error
}

// A Mount is where an endpoint is served.
type Mount struct {
	// Path begins and ends with a slash, as /api/auth/.
	Path string

	// Origin begins absolute URLs, as https://api.example.com; it may be empty.
	Origin string
}

// A LoginLink is a way to log in that one API offers on the login page of another.
type LoginLink struct {
	// Label names it for people, as "Keycloak".
	Label string

	// Path is where it begins, on this site, by GET: it takes `next` in its query.
	// It is as Mount.Path is, below a mount: Base(r, Mount{Path: Path}) is what the
	// client knows it as.
	Path string
}

// A LoginLinker is an Endpoint with ways to log in of its own, as at a provider.
// LoginLinks is called once, after Routes.
type LoginLinker interface {
	LoginLinks() []LoginLink
}

// A LoginLinkShower is an Endpoint with a login page. ShowLoginLinks is called once,
// before the first request, with the links of all other APIs of the same handler,
// in the order of their mounts, if there are any.
type LoginLinkShower interface {
	ShowLoginLinks(links []LoginLink)
}

// A Route is one path of an API with what it answers there.
type Route struct {
	// Path is relative to the mount, as "login/"; "" is the mount itself. It is
	// served with and without the final slash. A segment in braces, as in
	// "sessions/{id}/", matches any one that is not empty, and is read by
	// http.Request's PathValue.
	Path string

	// Name is what the answer to OPTIONS calls the route, as "Obtain Auth Token".
	Name string

	// Actions by method. GET answers HEAD too unless HEAD is given; OPTIONS
	// describes the route unless it is given. Any other method is 405.
	Actions map[string]Action

	// Access is who may call it.
	Access Access

	// Pages says that the route has answers for people too: requests that
	// accept no JSON are not refused with 406.
	Pages bool
}

// An Action answers a request that may be made. It returns
//
//   - nil, once it has written the answer;
//   - a *drf.Error, to be written as it says;
//   - an *auth.Failure, *auth.Denial, *auth.Throttled or *auth.Unavailable, to be
//     answered as if an authenticator had returned it;
//   - any other error, which is logged and answered 503.
//
// It must have written nothing when it returns an error.
type Action func(w http.ResponseWriter, r *http.Request, id *auth.Identity) error

// Access says who may call a route, as JSON of guests. What is given here
// stands where the mount has no line of that kind.
type Access struct {
	// Authenticators are asked in order; without any, all callers are anonymous.
	Authenticators []json.RawMessage

	// Permissions must all hold; without any, all callers may.
	Permissions []json.RawMessage

	// SiteDefaults lets the site's own authenticators stand where the mount has no
	// `authenticate` line, in place of these.
	SiteDefaults bool

	// Fixed keeps the mount's `authenticate` and `require` lines from this route,
	// which accepts what its own API issued and nothing else.
	Fixed bool
}

// Base returns the path of a mount as the client knows it for this request,
// which is longer than the mount's own inside handle_path. It is escaped: what a
// pattern has cut off is the client's, and could be another host to a browser.
func Base(r *http.Request, at Mount) string {
	original, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request)
	if !ok || original.URL == nil {
		return at.Path
	}
	prefix, ok := strings.CutSuffix(original.URL.Path, r.URL.Path)
	// Browsers take a backslash for a slash.
	if !ok || strings.HasPrefix(prefix+at.Path, "//") || strings.Contains(prefix, `\`) {
		return at.Path
	}
	return (&url.URL{Path: prefix + at.Path}).EscapedPath()
}
