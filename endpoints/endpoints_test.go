// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

func TestBase(t *testing.T) {
	at := Mount{Path: "/auth/"}
	for original, want := range map[string]string{
		"/auth/login/":                  "/auth/",
		"/app/auth/login/":              "/app/auth/",
		"/größe/a b/auth/login/":        "/gr%C3%B6%C3%9Fe/a%20b/auth/",
		"/\\evil.example/auth/login/":   "/auth/",
		"/\t/evil.example/auth/login/":  "/%09/evil.example/auth/",
		"/a\r\nb: c/auth/login/":        "/a%0D%0Ab:%20c/auth/",
		"/a?b#c/auth/login/":            "/a%3Fb%23c/auth/",
		"//evil.example/auth/login/":    "/auth/",
		"/somewhere/else/than/that/was": "/auth/",
	} {
		r := &http.Request{URL: &url.URL{Path: "/auth/login/"}}
		r = r.WithContext(context.WithValue(t.Context(), caddyhttp.OriginalRequestCtxKey, http.Request{URL: &url.URL{Path: original}}))
		if got := Base(r, at); got != want {
			t.Errorf("%q: %q, want %q", original, got, want)
		}
	}
	if got := Base(&http.Request{URL: &url.URL{Path: "/auth/login/"}}, at); got != "/auth/" {
		t.Errorf("without Caddy: %q", got)
	}
}
