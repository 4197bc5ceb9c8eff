// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/endpoints"
)

// FuzzRouteTable finds the routes of paths that clients make up. A path that is
// one of ours in another spelling must not go on to a handler that does not
// guard it as ours, and no other path may be taken for one of ours.
func FuzzRouteTable(f *testing.F) {
	table := new(routeTable)
	for _, path := range []string{"", "login/", "{handle}/", "{handle}/rotate/", "openapi.json", "deep/{a}/{b}/"} {
		r, err := newRoute("test", "/api/tokens/", endpoints.Route{Path: path})
		if err != nil {
			f.Fatal(err)
		}
		if err := table.add(r); err != nil {
			f.Fatal(err)
		}
	}
	for _, path := range []string{
		"", "*", "/", "/api/tokens", "/api/tokens/", "//api/./x/../tokens//", "/api/tokens/login", "/api/tokens/x/rotate/",
		"/api/tokens//rotate/", "/api/tokens/{handle}/", "/api/tokens/./", "/api/tokens/..", "/api/tokens/deep/a/b/", "/api/tokens/\x00/", "api/tokens",
	} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		ask := func(path string) (*route, *http.Request) {
			r := &http.Request{URL: &url.URL{Path: path}}
			return table.find(r), r
		}
		found, r := ask(path)
		if found == nil {
			return
		}
		// A clean path with the values in place of the names is the same route's.
		segments := strings.Split(found.pattern, "/")
		for i, segment := range segments {
			if !isVariable(segment) {
				continue
			}
			value := r.PathValue(segment[1 : len(segment)-1])
			if value == "" || strings.Contains(value, "/") || value == "." || value == ".." {
				t.Errorf("%q: %s is %q", path, segment, value)
			}
			segments[i] = value
		}
		rebuilt := strings.Join(segments, "/")
		if cleaned := cleanPath(path); cleaned != rebuilt {
			t.Errorf("%q is %q when clean, and taken for %q", path, cleaned, rebuilt)
		}
		for _, other := range []string{rebuilt, rebuilt + "/", rebuilt + "/.", "/" + rebuilt, "/x/.." + rebuilt} {
			if same, _ := ask(other); same != found {
				t.Errorf("%q and %q have different routes", path, other)
			}
		}
	})
}
