// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// FuzzReadAnswer reads what anybody can put behind the address of a callback.
func FuzzReadAnswer(f *testing.F) {
	for _, query := range []string{
		"", "code=a&state=b", "code=a&code=b", "error=access_denied&state=b", "code=a&error=b", "iss=", "iss=a&iss=b", "code=%zz", "a;b=c",
		"code=%00%ff&state=%0d%0a", strings.Repeat("&", 9000), "CODE=a&State=b",
	} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		got, err := readAnswer(&http.Request{URL: &url.URL{RawQuery: query}})
		if err != nil {
			if got != (answer{}) {
				t.Errorf("%q is refused, and read as %+v", query, got)
			}
			return
		}
		if len(query) > maxQuery || got.code != "" && got.fault != "" {
			t.Errorf("%q is read as %+v", query, got)
		}
		values, _ := url.ParseQuery(query)
		for name, value := range map[string]string{"code": got.code, "state": got.state, "error": got.fault, "iss": got.issuer} {
			if len(values[name]) > 1 || values.Get(name) != value {
				t.Errorf("%s of %q is read as %q", name, query, value)
			}
		}
	})
}

func TestExplained(t *testing.T) {
	for name, test := range map[string]struct {
		status     int
		said       map[string]any
		retryAfter string
		want       string
	}{
		"csrf":        {403, map[string]any{"detail": "CSRF Failed: CSRF cookie not set."}, "", "The form was out of date, or your browser keeps no cookies. Please try again."},
		"denied":      {403, map[string]any{"detail": "No."}, "", "No."},
		"throttled":   {429, nil, "121", "Too many attempts. Please try again in 3 minutes."},
		"unavailable": {503, nil, "1", "This does not work at the moment. Please try again in 1 second."},
		"for a while": {503, nil, "5", "This does not work at the moment. Please try again in 5 seconds."},
		"untold":      {503, nil, "", "This does not work at the moment. Please try again later."},
		"nothing":     {415, nil, "", "The request could not be understood."},
		"other JSON":  {400, map[string]any{"detail": 1}, "", "The request could not be understood."},
	} {
		if got := explained(test.status, test.said, test.retryAfter); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
