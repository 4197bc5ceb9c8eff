// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// visit is a request of a browser for a page.
func visit(target string, lines ...string) *http.Request {
	r := request()
	r.URL, _ = url.ParseRequestURI(target)
	r.Header.Set("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
		if value == "" {
			r.Header.Del(name)
		}
	}
	return r
}

func TestManager_LoginLocation(t *testing.T) {
	tests := map[string]struct {
		login string
		r     *http.Request
		want  string
	}{
		"page":               {"/login/", visit("/orders/"), "/login/?next=%2Forders%2F"},
		"query":              {"/login/", visit("/orders/?a=b&c=d+e"), "/login/?next=%2Forders%2F%3Fa%3Db%26c%3Dd%2Be"},
		"escaped path":       {"/login/", visit("/a%2Fb%20c"), "/login/?next=%2Fa%252Fb%2520c"},
		"login with a query": {"/login/?a=b", visit("/x"), "/login/?a=b&next=%2Fx"},
		"another host":       {"https://login.example.com/", visit("/x"), "https://login.example.com/?next=http%3A%2F%2Fexample.com%2Fx"},
		"navigation":         {"/login/", visit("/x", "Sec-Fetch-Mode: navigate", "Accept: */*"), "/login/?next=%2Fx"},
		"slashes":            {"/login/", visit("//evil.example/"), "/login/"},
		"backslash":          {"/login/", visit("/\\evil.example/"), "/login/"},
		"braces":             {"/login/", visit("/x?a={b}"), "/login/?next=%2Fx%3Fa%3D%257Bb%257D"},
		"dots":               {"/login/", visit("/x/..//evil.example"), "/login/"},
		"long":               {"/login/", visit("/" + strings.Repeat("x", maxNext)), "/login/"},
		"nothing configured": {"", visit("/x"), ""},
		"the page itself":    {"/login/", visit("/login/?next=/x"), ""},
		"script":             {"/login/", visit("/x", "Sec-Fetch-Mode: cors"), ""},
		"image":              {"/login/", visit("/x", "Sec-Fetch-Mode: no-cors"), ""},
		"XMLHttpRequest":     {"/login/", visit("/x", "X-Requested-With: XMLHttpRequest"), ""},
		"JSON":               {"/login/", visit("/x", "Accept: application/json"), ""},
		"anything":           {"/login/", visit("/x", "Accept: */*"), ""},
		"no Accept":          {"/login/", visit("/x", "Accept: "), ""},
		"token":              {"/login/", visit("/x", "Authorization: Token x"), ""},
	}
	for name, test := range tests {
		f := newFixture(t, Settings{LoginURL: test.login})
		if got := f.LoginLocation(test.r); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	f := newFixture(t, Settings{LoginURL: "https://login.example.com/"})
	r := visit("/stripped")
	r = r.WithContext(context.WithValue(r.Context(), caddyhttp.OriginalRequestCtxKey, *visit("/app/stripped?x")))
	r.TLS = new(tls.ConnectionState)
	if got, want := f.LoginLocation(r), "https://login.example.com/?next=https%3A%2F%2Fexample.com%2Fapp%2Fstripped%3Fx"; got != want {
		t.Errorf("after a rewrite: %q, want %q", got, want)
	}
	for _, method := range []string{"POST", "PUT", "OPTIONS"} {
		r.Method = method
		if got := f.LoginLocation(r); got != "" {
			t.Errorf("%s: %q", method, got)
		}
	}
}

// FuzzKeys finds no more than it may in what a client sends as cookies.
func FuzzKeys(f *testing.F) {
	for _, seed := range []string{"sessionid=" + strings.Repeat("a", 32), "sessionid=a; sessionid=\"" + strings.Repeat("b", 32) + "\"", ";=;sessionid"} {
		f.Add(seed)
	}
	m := newFixture(f, Settings{})
	f.Fuzz(func(t *testing.T, line string) {
		r := request(line)
		keys := m.keys(r)
		for _, key := range keys {
			if !isKey(key) || !strings.Contains(line, key) {
				t.Errorf("key %q", key)
			}
		}
		if _, ok := m.CacheKey(r); ok != (len(keys) > 0) || len(keys) > maxKeys {
			t.Errorf("%q has keys %q and cache key %v", line, keys, ok)
		}
	})
}
