// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestMatrix is Django REST framework's matrix of authenticators, permissions
// and requests: which refusal, with which challenge, for whom. The rows were
// measured by driving the framework itself.
func TestMatrix(t *testing.T) {
	const (
		basicChallenge = `Basic realm="api"`
		customDeny     = "require not allow_any {\nmessage \"custom message\"\n}"
	)
	rows := []struct {
		name      string
		settings  string // separated by semicolons
		method    string
		lines     []string
		status    int
		challenge string
		body      string
	}{
		{"silent", "authenticate test_silent", "GET", nil, 403, "-", notAuthenticated},
		{"basic", "authenticate basic", "GET", nil, 401, basicChallenge, notAuthenticated},
		{"token", "authenticate token", "GET", nil, 401, "Token", notAuthenticated},
		{"basic, silent", "authenticate basic; authenticate test_silent", "GET", nil, 401, basicChallenge, notAuthenticated},
		{"silent, basic", "authenticate test_silent; authenticate basic", "GET", nil, 403, "-", notAuthenticated},
		{"token, basic", "authenticate token; authenticate basic", "GET", nil, 401, "Token", notAuthenticated},
		{"basic, token", "authenticate basic; authenticate token", "GET", nil, 401, basicChallenge, notAuthenticated},
		{"silent, token", "authenticate test_silent; authenticate token", "GET", nil, 403, "-", notAuthenticated},
		{"nobody is asked", "authenticate off; require authenticated", "GET", nil, 403, "-", deniedBody},
		{"nobody is asked, good token", "authenticate off; require authenticated", "GET", []string{token("token-alice")}, 403, "-", deniedBody},
		{"nobody is asked, message", "authenticate off; " + customDeny, "GET", nil, 403, "-", detail("custom message")},
		{"message hidden from the anonymous", "authenticate token; " + customDeny, "GET", nil, 401, "Token", notAuthenticated},
		{"message for the known", "authenticate token; " + customDeny, "GET", []string{token("token-alice")}, 403, "-", detail("custom message")},
		{"allow_any, bad token", "authenticate token; require allow_any", "GET", []string{token("bad")}, 401, "Token", invalidToken},
		{"allow_any, another scheme", "authenticate token; require allow_any", "GET", []string{"Authorization: Bearer x"}, 200, "-", "*"},
		{"wrong password, first challenge", "authenticate token; authenticate basic", "GET", []string{basic("alice", "wrong")}, 401, "Token", invalidLogin},
		{"silent, token, bad token", "authenticate test_silent; authenticate token; require allow_any", "GET", []string{token("bad")}, 403, "-", invalidToken},
		{"failing", "authenticate test_failing; require allow_any", "GET", nil, 403, "-", detail("always failing")},
		{"failing, token", "authenticate test_failing; authenticate token; require allow_any", "GET", []string{token("token-alice")}, 403, "-", detail("always failing")},
		{"token, failing", "authenticate token; authenticate test_failing; require allow_any", "GET", nil, 401, "Token", detail("always failing")},
		{"two keywords", "authenticate token; authenticate token Bearer", "GET", []string{"Authorization: Bearer token-alice"}, 200, "-", "*"},
		{"two keywords, none", "authenticate token Bearer; authenticate token", "GET", nil, 401, "Bearer", notAuthenticated},
		{"OPTIONS", "authenticate token", "OPTIONS", nil, 401, "Token", notAuthenticated},
		{"preflight", "authenticate token", "OPTIONS", []string{"Origin: https://a.example", "Access-Control-Request-Method: POST"}, 401, "Token", notAuthenticated},
		{"HEAD", "authenticate token", "HEAD", nil, 401, "Token", ""},
		{"TRACE", "authenticate token", "TRACE", nil, 401, "Token", notAuthenticated},
		{"FOO", "authenticate token", "FOO", nil, 401, "Token", notAuthenticated},
		{"DELETE", "authenticate token", "DELETE", nil, 401, "Token", notAuthenticated},
		{"DELETE, good token", "authenticate token", "DELETE", []string{token("token-alice")}, 200, "-", "*"},
		{"undecidable", "authenticate test_broken", "GET", nil, 503, "-", detail("Service temporarily unavailable, try again later.")},
		{"challenge all, silent first", "authenticate test_silent; authenticate token; challenge all", "GET", nil, 401, "Token", notAuthenticated},
		{"challenge all, known", "authenticate token; require staff; challenge all", "GET", []string{token("token-alice")}, 403, "-", deniedBody},
		{"realm", "authenticate basic; realm \"say \\\"hi\\\"\"", "GET", nil, 401, `Basic realm="say \"hi\""`, notAuthenticated},
		{"lenient, bad token", "authenticate token; require allow_any; invalid anonymous", "GET", []string{token("bad")}, 200, "-", "*"},
		{"lenient, bad token, not enough", "authenticate token; invalid anonymous", "GET", []string{token("bad")}, 401, "Token", notAuthenticated},
		{"lenient, next keeps asking", "authenticate test_failing; authenticate token; invalid anonymous", "GET", []string{token("token-alice")}, 200, "-", "*"},
		{"lenient, undecidable", "authenticate test_broken; require allow_any; invalid anonymous", "GET", nil, 503, "-", "*"},
		{"lenient, ambiguous", "authenticate token; require allow_any; invalid anonymous", "GET", []string{token("token-alice"), token("token-bob")}, 401, "Token", detail("Invalid authorization header. More than one was sent.")},
		{"ambiguous", "authenticate token; require allow_any", "GET", []string{token("token-alice"), token("token-alice")}, 401, "Token", detail("Invalid authorization header. More than one was sent.")},
	}
	var caddyfile strings.Builder
	caddyfile.WriteString("{{site}} {\n")
	for i, row := range rows {
		settings := strings.ReplaceAll(row.settings, "; ", "\n")
		fmt.Fprintf(&caddyfile, "handle /%d {\nrest_auth {\n%s\n}\nreverse_proxy {{echo}}\n}\n", i, settings)
	}
	caddyfile.WriteString("}\n")
	s := serve(t, caddyfile.String())
	s.seed()
	for i, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			before := s.echo.hits.Load()
			got := s.do(row.method, fmt.Sprintf("/%d", i), row.lines...)
			got.expect(t, row.status, row.challenge, row.body)
			if reached := s.echo.hits.Load() - before; (reached == 1) != (row.status == http.StatusOK) {
				t.Errorf("the upstream was reached %d times with status %d", reached, got.Status)
			}
			if row.status == 503 && got.Header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
		})
	}
}

func TestChallengeAll(t *testing.T) {
	s := serve(t, "{{site}} {\nrest_auth {\nauthenticate test_silent\nauthenticate token\nauthenticate basic\nchallenge all\n}\nreverse_proxy {{echo}}\n}")
	got := s.get("/").Header.Values("WWW-Authenticate")
	if len(got) != 2 || got[0] != "Token" || got[1] != `Basic realm="api"` {
		t.Errorf("WWW-Authenticate = %q, want one line for each in order", got)
	}
}

// A refusal to HEAD says what GET would say, without the body.
func TestHeadHasNoBody(t *testing.T) {
	s := serve(t, "{{site}} {\nrest_auth {\nauthenticate token\n}\nreverse_proxy {{echo}}\n}")
	raw := s.raw("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	head, body, _ := strings.Cut(raw, "\r\n\r\n")
	if !strings.HasPrefix(head, "HTTP/1.1 401") || body != "" {
		t.Errorf("HEAD was answered %q", raw)
	}
	if !strings.Contains(head, fmt.Sprintf("Content-Length: %d", len(notAuthenticated))) {
		t.Errorf("no Content-Length of the body that GET has: %q", head)
	}
}
