// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import "testing"

// People mean a handler with a matcher to replace the one without; it adds.
func TestOverlappingHandlersAreToldOf(t *testing.T) {
	const message = "several rest_auth handlers guard one route list and one of them has no matcher: " +
		"all must allow a request, none replaces another; use handle blocks or negated matchers"
	for name, test := range map[string]struct {
		site string
		told int
	}{
		"one adds to another": {"rest_auth {\nauthenticate token\n}\nrest_auth /admin/* {\nauthenticate token\nrequire staff\n}\nrespond ok", 1},
		"each has its own":    {"@other not path /admin/*\nrest_auth @other {\nauthenticate token\n}\nrest_auth /admin/* {\nauthenticate token\nrequire staff\n}\nrespond ok", 0},
		"handle blocks":       {"handle /admin/* {\nrest_auth {\nauthenticate token\nrequire staff\n}\n}\nhandle {\nrest_auth {\nauthenticate token\n}\n}", 0},
		"only one":            {"rest_auth {\nauthenticate token\n}\nrespond ok", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, "{{site}} {\n"+test.site+"\n}")
			if got := len(s.logs.lines(message)); got != test.told {
				t.Errorf("told %d times, want %d", got, test.told)
			}
		})
	}
}
