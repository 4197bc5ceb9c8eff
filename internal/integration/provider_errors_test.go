// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"net/url"
	"strings"
	"testing"
)

// TestProvider_errors has the plugin that knows no challenge: an operator says
// what its errors mean.
func TestProvider_errors(t *testing.T) {
	s := serve(t, `{{site}} {
		handle /plain {
			rest_auth {
				authenticate provider test_jwt {
					json "{\"key\": \"k\"}"
				}
			}
			respond ok
		}
		handle /told {
			rest_auth {
				authenticate provider test_jwt {
					json "{\"key\": \"k\"}"
					challenge "Bearer realm=\"api\""
					errors refuse
					user_prefix off
				}
				authenticate basic
			}
			respond ok
		}
	}`)
	s.seed()
	const (
		bearer      = `Bearer realm="api"`
		failed      = `{"detail":"Incorrect authentication credentials."}`
		unavailable = `{"detail":"Service temporarily unavailable, try again later."}`
	)
	for _, row := range []struct {
		path, credentials string
		status            int
		challenge, body   string
	}{
		{"/plain", "Authorization: Bearer k.alice", 200, "-", "ok"},
		{"/plain", "Authorization: Bearer canary-bad", 503, "-", unavailable},
		{"/plain", "X-None: 1", 403, "-", notAuthenticated},
		{"/told", "Authorization: Bearer k.alice", 200, "-", "ok"},
		{"/told", "Authorization: Bearer canary-bad", 401, bearer, failed},
		{"/told", "Authorization: Bearer", 401, bearer, failed},
		{"/told", "X-None: 1", 401, bearer, notAuthenticated},
		{"/told", basic("alice", "pw"), 200, "-", "ok"},
		{"/told", basic("alice", "x"), 401, bearer, invalidLogin},
	} {
		t.Run(row.path+" "+row.credentials, func(t *testing.T) {
			s.get(row.path, row.credentials).expect(t, row.status, row.challenge, row.body)
		})
	}
	if got := s.logs.text(); strings.Contains(got, "canary-bad") || !strings.Contains(got, "invalid token: ***") {
		t.Errorf("the log repeats a credential, or says nothing of the provider's error")
	}
	// Two lines: nobody is asked, and the configured challenge is all there is.
	got := s.raw("GET /told HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer k.alice\r\nAuthorization: Bearer k.alice\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 401 ") || !strings.Contains(got, bearer) {
		t.Errorf("two Authorization lines: %q", got)
	}
}

// TestProvider_hostile holds that no behaviour of a provider lets a request
// through, ends the connection, or adds a line to the answer.
func TestProvider_hostile(t *testing.T) {
	s := serve(t, `{{site}} {
		handle /anyone {
			rest_auth {
				authenticate provider test_hostile
				require allow_any
			}
			respond ok
		}
		handle {
			rest_auth {
				authenticate provider test_hostile
			}
			respond ok
		}
	}`)
	const failed = `{"detail":"Incorrect authentication credentials."}`
	for _, row := range []struct {
		do       string
		status   int
		anyone   int // where everybody may pass
		header   string
		location string
	}{
		{"panic", 503, 503, "", ""},
		{"hijack", 503, 503, "", ""},
		{"ok then no", 403, 200, "", ""},
		{"flood", 403, 200, "", ""},
		{"split challenge", 401, 200, `Evil realm="x"`, ""},
		{"split location", 403, 200, "", ""},
		{"long location", 403, 200, "", ""},
		{"permanent", 302, 200, "", "/login"},
		{"true and error", 503, 503, "", ""},
		{"true and 401", 403, 403, "", ""},
		{"nobody", 403, 403, "", ""},
		{"control", 403, 403, "", ""},
		{"wraps", 503, 503, "", ""},
		{"down", 503, 503, "", ""},
		{"throttled", 429, 429, "", ""},
		{"forbidden", 403, 403, "", ""},
		{"", 403, 200, "", ""},
	} {
		t.Run(row.do, func(t *testing.T) {
			got := s.get("/x?do=" + url.QueryEscape(row.do))
			if got.Status != row.status || got.Header.Get("WWW-Authenticate") != row.header || got.Header.Get("Location") != row.location {
				t.Errorf("%d %q %q %q", got.Status, got.Header, got.Header.Get("Location"), got.Body)
			}
			if got.Header.Get("Set-Cookie") != "" || strings.Contains(got.Body, "come in") || len(got.Body) > 200 {
				t.Errorf("what the provider wrote was sent: %q %.300q", got.Header, got.Body)
			}
			if row.do == "throttled" && got.Header.Get("Retry-After") != "7" {
				t.Errorf("Retry-After %q", got.Header.Get("Retry-After"))
			}
			if got := s.get("/anyone?do=" + url.QueryEscape(row.do)); got.Status != row.anyone {
				t.Errorf("where all may pass: %d %q, want %d", got.Status, got.Body, row.anyone)
			}
		})
	}
	if got := s.get("/x?do=true+and+401"); got.Body != failed {
		t.Errorf("a contradiction is answered %q", got.Body)
	}
	if logged := s.logs.text(); strings.Contains(logged, "secret of the provider") || !strings.Contains(logged, "an authentication provider panicked") {
		t.Error("the log repeats what the provider panicked with, or does not tell of it")
	}
}
