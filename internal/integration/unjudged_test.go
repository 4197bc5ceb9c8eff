// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"slices"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/selftest"
)

// A request that the matcher leaves out reaches the same upstream, which could
// not tell the client's word from ours.
func TestUnjudgedRequestsCannotForge(t *testing.T) {
	s := serve(t, `{{site}} {
		@private not path /public/*
		rest_auth @private {
			authenticate token
			header_up Remote-User {http.auth.user.id}
			header_up -Authorization
		}
		reverse_proxy {{echo}}
	}`)
	s.seed()
	s.get("/private").expect(t, 401, "Token", notAuthenticated)
	if got := s.get("/private", token("token-alice")).forwarded(t).Header["Remote-User"]; len(got) != 1 || got[0] != "alice" {
		t.Errorf("Remote-User is %q, want alice", got)
	}
	lines := []string{token("token-alice"), "Connection: close, Remote-User"}
	for _, name := range selftest.Spellings("Remote-User") {
		lines = append(lines, name+": mallory")
	}
	seen := s.get("/public/x", lines...).forwarded(t)
	for name, values := range seen.Header {
		if slices.Contains(values, "mallory") {
			t.Errorf("the upstream saw %s: %q", name, values)
		}
	}
	if seen.Header["Authorization"] == nil {
		t.Error("an unjudged request lost its credentials, which another handler may want")
	}
}

// What one handler has told the upstream stays when another, whose matcher leaves
// the request out, removes what clients may have written, in either order.
func TestUnjudgedRequestsKeepWhatWasTold(t *testing.T) {
	s := serve(t, `{{site}} {
		@first path /first*
		@second path /second*
		route {
			rest_auth @first {
				authenticate token
				header_up Remote-User {http.auth.user.id}
			}
			rest_auth @second {
				authenticate token
				header_up Remote-User {http.auth.user.id}
				header_up Remote-Groups {http.auth.user.groups}
			}
			reverse_proxy {{echo}}
		}
	}`)
	s.seed()
	for _, path := range []string{"/first", "/second", "/neither"} {
		lines := []string{token("token-alice"), "Connection: close, Remote-User, Remote-Groups"}
		for _, header := range []string{"Remote-User", "Remote-Groups"} {
			for _, name := range selftest.Spellings(header) {
				lines = append(lines, name+": mallory")
			}
		}
		seen := s.get(path, lines...).forwarded(t)
		for name, values := range seen.Header {
			if slices.Contains(values, "mallory") {
				t.Errorf("%s: the upstream saw %s: %q", path, name, values)
			}
		}
		want := map[string]string{"/first": "alice", "/second": "alice"}[path]
		if got := seen.Header.Get("Remote-User"); got != want {
			t.Errorf("%s: Remote-User is %q, want %q", path, got, want)
		}
		want = map[string]string{"/second": "editors,readers"}[path]
		if got := seen.Header.Get("Remote-Groups"); got != want {
			t.Errorf("%s: Remote-Groups is %q, want %q", path, got, want)
		}
	}
}
