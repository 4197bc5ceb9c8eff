// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestCORS(t *testing.T) {
	tests := map[string]struct {
		origins []string
		origin  string
		allow   string
		cookies string
		vary    string
	}{
		"off":             {nil, "https://app.example", "", "", ""},
		"listed":          {[]string{"https://app.example"}, "https://app.example", "https://app.example", "true", "Origin"},
		"another":         {[]string{"https://app.example"}, "https://evil.example", "", "", "Origin"},
		"longer":          {[]string{"https://app.example"}, "https://app.example.evil", "", "", "Origin"},
		"another scheme":  {[]string{"https://app.example"}, "http://app.example", "", "", "Origin"},
		"null":            {[]string{"https://app.example"}, "null", "", "", "Origin"},
		"any":             {[]string{"*"}, "https://evil.example", "*", "", "Origin"},
		"any, and listed": {[]string{"*", "https://app.example"}, "https://app.example", "https://app.example", "true", "Origin"},
		"no origin":       {[]string{"*"}, "", "", "", "Origin"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			policy, err := newCORSPolicy(test.origins)
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			if test.origin != "" {
				r.Header.Set("Origin", test.origin)
			}
			w := httptest.NewRecorder()
			policy.expose(w, r)
			for header, want := range map[string]string{
				"Access-Control-Allow-Origin":      test.allow,
				"Access-Control-Allow-Credentials": test.cookies,
				"Vary":                             test.vary,
			} {
				if got := w.Header().Get(header); got != want {
					t.Errorf("%s = %q, want %q", header, got, want)
				}
			}
		})
	}
}

func TestCORS_preflight(t *testing.T) {
	policy, err := newCORSPolicy([]string{"https://app.example"})
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		method, origin, asks string
		want                 bool
	}{
		"a preflight":         {http.MethodOptions, "https://app.example", "POST", true},
		"of another origin":   {http.MethodOptions, "https://evil.example", "POST", false},
		"no origin":           {http.MethodOptions, "", "POST", false},
		"only OPTIONS":        {http.MethodOptions, "https://app.example", "", false},
		"not OPTIONS":         {http.MethodGet, "https://app.example", "POST", false},
		"OPTIONS in lower":    {"options", "https://app.example", "POST", false},
		"a method that lies":  {http.MethodPost, "https://app.example", "GET", false},
		"case of the origin":  {http.MethodOptions, "HTTPS://APP.EXAMPLE", "POST", true},
		"origin with a slash": {http.MethodOptions, "https://app.example/", "POST", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Method = test.method
			for header, value := range map[string]string{"Origin": test.origin, "Access-Control-Request-Method": test.asks} {
				if value != "" {
					r.Header.Set(header, value)
				}
			}
			if got := policy.preflight(r); got != test.want {
				t.Errorf("preflight = %v, want %v", got, test.want)
			}
			for _, header := range []string{"Authorization", "Cookie"} {
				with := r.Clone(t.Context())
				with.Header.Set(header, "x")
				if policy.preflight(with) {
					t.Errorf("preflight with %s = true", header)
				}
			}
		})
	}
}

func TestCORS_malformed(t *testing.T) {
	for _, origin := range []string{"", "app.example", "https://", "https://app.example/", "https://a@app.example", "null", "https://app.example?x"} {
		if _, err := newCORSPolicy([]string{origin}); err == nil {
			t.Errorf("newCORSPolicy(%q) is not an error", origin)
		}
	}
}
