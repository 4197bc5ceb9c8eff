// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"maps"
	"net/http"
	"strings"
	"testing"
)

// Nothing is left behind: no count, no last use, no line that bans somebody, no
// request to an upstream.
func TestExplainLeavesNoTrace(t *testing.T) {
	s := serve(t, explainSite)
	s.seed()
	before := s.metrics()
	refused := len(s.logs.lines("credentials refused"))
	for _, path := range []string{"/plain", "/tree", "/two", "/lenient"} {
		for _, line := range []string{token("token-alice"), token("wrong"), basic("alice", "wrong"), "X-None: 1"} {
			s.explain("GET", path, line)
		}
	}
	after := s.metrics()
	for series := range maps.Keys(after) {
		if !strings.HasPrefix(series, "caddy_rest_auth_store_seconds") && before[series] != after[series] {
			t.Errorf("%s went from %v to %v", series, before[series], after[series])
		}
	}
	if now := len(s.logs.lines("credentials refused")); now != refused {
		t.Errorf("%d lines about bad credentials", now-refused)
	}
	if n := s.echo.hits.Load(); n != 0 {
		t.Errorf("the upstream got %d requests", n)
	}
}

// A store that is down is 503 here too, with the cause.
func TestExplainStoreDown(t *testing.T) {
	s, store := serveFailing(t, "")
	store.Down(true)
	x := s.explain("GET", "/", token("token-alice"))
	if x.Verdict != "unavailable" || x.Status != http.StatusServiceUnavailable || x.Judged[0].Authenticators[0].Reason == "" ||
		x.Judged[0].Refusal.RetryAfter == 0 {
		t.Errorf("%+v", x)
	}
}

func TestExplainErrors(t *testing.T) {
	s := serve(t, explainSite)
	for name, row := range map[string]struct {
		question map[string]any
		status   int
		text     string
	}{
		"no URL":        {map[string]any{}, 400, "url: "},
		"secret in URL": {map[string]any{"url": "http://a:canary@127.0.0.1/"}, 400, "url: must hold no user"},
		"broken URL":    {map[string]any{"url": "http://canary\x7f/"}, 400, "url: "},
		"port":          {map[string]any{"url": "http://127.0.0.1:1/"}, 400, "no server listens on port 1"},
		"server":        {map[string]any{"url": s.URL, "server": "canary"}, 400, "there are srv0"},
		"method":        {map[string]any{"url": s.URL, "method": "canary canary"}, 400, "method: "},
		"header name":   {map[string]any{"url": s.URL, "headers": map[string]any{"Canary canary": []string{"x"}}}, 400, "headers: "},
		"header value":  {map[string]any{"url": s.URL, "headers": map[string]any{"X": []string{"canary\n"}}}, 400, "headers: "},
		"host":          {map[string]any{"url": s.URL, "headers": map[string]any{"Host": []string{"canary /"}}}, 400, "headers: Host"},
		"from":          {map[string]any{"url": s.URL, "from": "canary"}, 400, "from: "},
		"unknown":       {map[string]any{"uri": "canary"}, 400, "unknown field"},
	} {
		got := s.askToExplain(row.question)
		if got.Status != row.status || !strings.Contains(got.Body, row.text) || strings.Contains(got.Body, "canary") {
			t.Errorf("%s: %d %s, want %q", name, got.Status, got.Body, row.text)
		}
	}
	if got := s.send(http.MethodGet, "http://"+s.Admin+"/rest_auth/explain", nil); got.Status != http.StatusMethodNotAllowed || got.Header.Get("Allow") != "POST" {
		t.Errorf("GET: %d, Allow %q", got.Status, got.Header.Get("Allow"))
	}
}

// No part of an explanation, nor of a log, holds what the request carries.
func TestExplainCanary(t *testing.T) {
	s := serve(t, explainSite)
	s.seed()
	secrets := []string{"canary-token", "canary-password", "canary-cookie", "canary-key", "canary-query", "canary-upstream-key", "Y2FuYXJ5"}
	for _, path := range []string{"/plain", "/tree", "/lenient", "/foreign", "/named", "/mystery", "/open"} {
		for _, line := range []string{
			token("canary-token"), basic("canary-name", "canary-password"), "Authorization: canary-token", "Authorization: Token canary-token x",
			"Authorization: Basic canary-password", "Authorization: canary-token more", token("token-alice"),
		} {
			answer := s.askToExplain(s.question("GET", s.URL+path+"?token=canary-query", line, "Cookie: sessionid=canary-cookie", "X-Api-Key: canary-key",
				"Proxy-Authorization: Basic canary-password"))
			for _, secret := range append(secrets, "canary-name") {
				if strings.Contains(answer.Body, secret) {
					t.Errorf("%s with %q: the explanation has %q: %s", path, line, secret, answer.Body)
				}
			}
		}
	}
	for _, secret := range secrets {
		if strings.Contains(s.logs.text(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
}
