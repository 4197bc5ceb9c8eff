// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package possession

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

func TestIsTarget(t *testing.T) {
	tests := map[string]struct {
		requested, htu string
		want           bool
	}{
		"same":                     {"https://h/a", "https://h/a", true},
		"query of the request":     {"https://h/a?b=c", "https://h/a", true},
		"scheme and host in case":  {"https://H/a", "HTTPS://h/a", true},
		"path in case":             {"https://h/a", "https://h/A", false},
		"default port":             {"https://h/a", "https://h:443/a", true},
		"default port, requested":  {"https://h:443/a", "https://h/a", true},
		"port of http":             {"https://h/a", "https://h:80/a", false},
		"other port":               {"https://h:8443/a", "https://h:8443/a", true},
		"other port missing":       {"https://h:8443/a", "https://h/a", false},
		"IPv6":                     {"https://[::1]:443/a", "https://[::1]/a", true},
		"no path":                  {"https://h/", "https://h", true},
		"escapes in case":          {"https://h/%e2%82", "https://h/%E2%82", true},
		"needless escape":          {"https://h/%7Ea", "https://h/~a", true},
		"an escaped slash is none": {"https://h/a%2Fb", "https://h/a/b", false},
		"dots are kept":            {"https://h/a/../b", "https://h/b", false},
		"fragment":                 {"https://h/a", "https://h/a#b", false},
		"empty query":              {"https://h/a", "https://h/a?", false},
		"relative":                 {"https://h/a", "/a", false},
		"opaque":                   {"https://h/a", "https:h/a", false},
		"empty":                    {"https://h/a", "", false},
		"not a URL":                {"https://h/a", "https://h/%zz", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := isTarget(httptest.NewRequest(http.MethodGet, test.requested, nil), test.htu); got != test.want {
				t.Errorf("isTarget(%s, %s) = %t", test.requested, test.htu, got)
			}
		})
	}
}

// TestIsTarget_original holds that a path that was cut off or rewritten on the way
// is compared as the client wrote it.
func TestIsTarget_original(t *testing.T) {
	original := httptest.NewRequest(http.MethodGet, "https://h/api/a", nil)
	r := httptest.NewRequest(http.MethodGet, "https://h/a", nil)
	r = r.WithContext(context.WithValue(r.Context(), caddyhttp.OriginalRequestCtxKey, *original))
	if !isTarget(r, "https://h/api/a") || isTarget(r, "https://h/a") {
		t.Error("the rewritten path is compared")
	}
}

func FuzzTarget(f *testing.F) {
	f.Add("https://h/a", "https://h/a")
	f.Add("https://h/%2f", "https://h:443/%2F")
	f.Fuzz(func(t *testing.T, requested, htu string) {
		r, err := http.NewRequest(http.MethodGet, requested, nil)
		if err != nil {
			return
		}
		if isTarget(r, htu) && normalPath(normalPath(r.URL.EscapedPath())) != normalPath(r.URL.EscapedPath()) {
			t.Error("what is normal changes when it is made normal again")
		}
	})
}
