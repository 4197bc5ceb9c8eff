// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package permissions

import (
	"net/http"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// oldMatcher implements only the interface that Caddy's matchers had before
// they could return errors; it fails on the path /fail.
type oldMatcher struct{}

func init() { caddy.RegisterModule(new(oldMatcher)) }

func (*oldMatcher) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.matchers.test_old", New: func() caddy.Module { return new(oldMatcher) }}
}

func (*oldMatcher) Match(r *http.Request) bool {
	if r.URL.Path == "/fail" {
		caddyhttp.SetVar(r.Context(), caddyhttp.MatcherErrorVarKey, errBroken)
		return false
	}
	return r.URL.Path == "/old"
}

func (*oldMatcher) UnmarshalCaddyfile(*caddyfile.Dispenser) error { return nil }

func TestMatch(t *testing.T) {
	const block = "match {\npath /x/*\nmethod GET POST\nmessage no\n}"
	tests := []struct {
		permission, method, target string
		want                       bool
	}{
		{"match path /x/* /y", "GET", "/x/1", true},
		{"match path /x/* /y", "GET", "/y", true},
		{"match path /x/* /y", "GET", "/z", false},
		{block, "GET", "/x/1", true},
		{block, "PUT", "/x/1", false},
		{block, "GET", "/z", false},
		{"match {\nnot {\npath /x\n}\n}", "GET", "/x", false},
		{"match {\nnot {\npath /x\n}\n}", "GET", "/z", true},
		{"match not path /x", "GET", "/z", true},
		{"match `path('/x') && method('GET')`", "GET", "/x", true},
		{"match expression `path('/x') && method('GET')`", "POST", "/x", false},
		{"match expression method('GET') || path('/x')", "POST", "/x", true},
		{"match {\n`path('/x')`\nmethod GET\n}", "GET", "/x", true},
		{"match {\npath /a\npath /b\n}", "GET", "/b", true},
		{"match expression `{http.auth.user.id} == 'alice'`", "GET", "/", true},
		{"match expression `{http.auth.user.id} == 'bob'`", "GET", "/", false},
		{"match remote_ip 192.0.2.0/24", "GET", "/", true},
		{"match {\nremote_ip private_ranges\n}", "GET", "/", false},
		{"match test_old", "GET", "/old", true},
		{"match test_old", "GET", "/new", false},
		{"not match path /x {\nmessage no\n}", "GET", "/x", false},
		{"not match {\npath /x\nmessage no\n}", "GET", "/z", true},
	}
	for _, tt := range tests {
		p := mustParse(t, tt.permission)
		r := request(t, tt.method, tt.target)
		r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer).Set("http.auth.user.id", "alice")
		if got, err := p.Allow(r, people["anon"]); got != tt.want || err != nil {
			t.Errorf("%s: %s %s = %v, %v, want %v", tt.permission, tt.method, tt.target, got, err, tt.want)
		}
	}
}

// TestMatchErrors holds that a matcher that fails refuses, under not as well.
func TestMatchErrors(t *testing.T) {
	for _, input := range []string{
		"match test_old",
		"not match test_old",
		"match expression `{http.nowhere} < 5`",
		"not match expression `{http.nowhere} < 5`",
		"any {\nmatch expression `{http.nowhere} < 5`\nallow_any\n}",
	} {
		allowed, err := mustParse(t, input).Allow(request(t, "GET", "/fail"), people["plain"])
		if allowed || err == nil {
			t.Errorf("%s: Allow() = %v, %v, want false and an error", input, allowed, err)
		}
	}
}

// TestMatchSets holds that in JSON one set of several is enough, as in a route.
func TestMatchSets(t *testing.T) {
	p := mustLoad(t, `{"permission":"match","match":[{"path":["/a"],"method":["GET"]},{"path":["/b"]}]}`)
	for target, want := range map[string]bool{"/a": false, "/b": true, "/c": false} {
		if got, err := p.Allow(request(t, "POST", target), people["plain"]); got != want || err != nil {
			t.Errorf("POST %s = %v, %v, want %v", target, got, err, want)
		}
	}
}
