// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

const observedSite = `{
	{{global}}
	metrics
	rest_auth {
		{{store}}
	}
}
{{site}} {
	log
	rest_auth {
		authenticate token
		authenticate basic
		require not group readers {
			code no_readers
		}
		require authenticated
	}
	reverse_proxy {{echo}}
}`

// The secrets of a test appear in no log at any level, and in no answer.
func TestSecretsStaySecret(t *testing.T) {
	s := serve(t, observedSite)
	s.seed()
	secrets := []string{"canary-token", "canary-password", "Y2FuYXJ5LXVzZXI6", "canary-user", "token-alice", "token-bob"}
	for _, line := range []string{
		token("canary-token"), basic("canary-user", "canary-password"), basic("alice", "canary-password"),
		token("token-alice"), token("token-bob"), "Authorization: Basic canary-password", "Authorization: Token canary-token x",
	} {
		got := s.get("/", line)
		for _, secret := range secrets {
			if got.Status != http.StatusOK && strings.Contains(got.Body, secret) {
				t.Errorf("%q: the answer has the secret: %s", line, got.Body)
			}
		}
	}
	s.logs.await("handled request", 7)
	metrics := s.send(http.MethodGet, "http://"+s.Admin+"/metrics", nil).Body
	for _, secret := range secrets {
		for name, text := range map[string]string{"log": s.logs.text(), "metrics": metrics} {
			if strings.Contains(text, secret) {
				t.Errorf("%q is in the %s", secret, name)
			}
		}
	}
}

// One line per refused credential, which a program can match; a name only if
// there is such a user.
func TestFailureLine(t *testing.T) {
	s := serve(t, observedSite)
	s.seed()
	for _, row := range []struct{ line, user string }{
		{token("unknown"), ""},
		{basic("nobody", "x"), ""},
		{basic("alice", "wrong"), "alice"},
		{basic("gone", "pw"), "gone"},
		{token("token-gone"), "gone"},
		{basic("forged\nlevel", "x"), ""},
	} {
		last := s.refusedLine(row.line)
		user, _ := last["user"].(string)
		if last["level"] != "warn" || last["code"] != "authentication_failed" || last["client_ip"] != "127.0.0.1" ||
			last["method"] != "GET" || user != row.user {
			t.Errorf("%q was logged as %v, want user %q", row.line, last, row.user)
		}
	}
}

// refusedLine sends bad credentials until they leave a line, and returns it:
// the bound on lines is the process's, and other tests have used it up.
func (s *server) refusedLine(credentials string) map[string]any {
	s.t.Helper()
	before := len(s.logs.lines("credentials refused"))
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if got := s.get("/", credentials).Status; got != http.StatusUnauthorized {
			s.t.Fatalf("%q was answered %d", credentials, got)
		}
		if lines := s.logs.lines("credentials refused"); len(lines) > before {
			return lines[before]
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%q left no line", credentials)
		}
	}
}

func TestAccessLogOfRefusals(t *testing.T) {
	s := serve(t, observedSite)
	s.seed()
	for i, row := range []struct{ line, code, candidate, user string }{
		{"X-None: 1", "not_authenticated", "", ""},
		{token("unknown"), "authentication_failed", "", ""},
		{token("token-alice"), "no_readers", "alice", ""},
		{basic("alice", "wrong"), "authentication_failed", "alice", ""},
		{token("token-bob"), "", "", "bob"},
	} {
		s.get("/", row.line)
		lines := s.logs.await("handled request", i+1)
		line := lines[i]
		code, _ := line["auth_code"].(string)
		candidate, _ := line["auth_candidate"].(string)
		if code != row.code || candidate != row.candidate || line["user_id"] != row.user {
			t.Errorf("%q: auth_code %q, auth_candidate %q, user_id %q; want %+v", row.line, code, candidate, line["user_id"], row)
		}
	}
}

// Decisions are counted by authenticator and verdict, and no label has a value
// that a client chooses.
func TestMetrics(t *testing.T) {
	s := serve(t, observedSite)
	s.seed()
	before := s.metrics()
	for _, line := range []string{"X-None: 1", token("bad"), token("token-alice"), token("token-bob"), token("token-bob"), basic("bob", "pw"), basic("bob", "pw")} {
		s.get("/", line)
	}
	after := s.metrics()
	for series, want := range map[string]float64{
		`caddy_rest_auth_decisions_total{authenticator="none",verdict="unauthenticated"}`: 1,
		`caddy_rest_auth_decisions_total{authenticator="token",verdict="failed"}`:         1,
		`caddy_rest_auth_decisions_total{authenticator="token",verdict="denied"}`:         1,
		`caddy_rest_auth_decisions_total{authenticator="token",verdict="allowed"}`:        2,
		`caddy_rest_auth_decisions_total{authenticator="basic",verdict="allowed"}`:        2,
	} {
		if got := after[series] - before[series]; got != want {
			t.Errorf("%s rose by %v, want %v", series, got, want)
		}
	}
	asked := func(values map[string]float64) (n float64) {
		for _, result := range []string{"hit", "recheck", "miss"} {
			n += values[`caddy_rest_auth_cache_total{result="`+result+`"}`]
		}
		return n
	}
	if got := asked(after) - asked(before); got != 6 {
		t.Errorf("the cache was asked %v times, want 6", got)
	}
	// What the test has just stored is still being announced, and makes what was
	// remembered be looked up again.
	const hits = `caddy_rest_auth_cache_total{result="hit"}`
	for deadline := time.Now().Add(10 * time.Second); s.metrics()[hits] < after[hits]+3; s.get("/", token("token-bob")) {
		if time.Now().After(deadline) {
			t.Fatal("nothing is served from the cache")
		}
	}
	if after["caddy_rest_auth_store_feed_up"] != 1 {
		t.Error("the feed is not said to be up")
	}
	if after[`caddy_rest_auth_store_seconds_count{operation="lookup",result="ok"}`] == 0 {
		t.Error("no latency of look-ups")
	}
	for _, name := range []string{"caddy_rest_auth_hash_queue", "caddy_rest_auth_cache_entries"} {
		found := false
		for series := range after {
			found = found || strings.HasPrefix(series, name)
		}
		if !found {
			t.Errorf("no %s", name)
		}
	}
	s.reload(observedSite)
	if again := s.metrics(); again[`caddy_rest_auth_decisions_total{authenticator="token",verdict="allowed"}`] <
		after[`caddy_rest_auth_decisions_total{authenticator="token",verdict="allowed"}`] {
		t.Error("a reload lost counts")
	}
}

var metricLine = regexp.MustCompile(`(?m)^(caddy_rest_auth_\S+(?:\{[^}]*\})?) ([0-9.e+-]+)$`)

func (s *server) metrics() map[string]float64 {
	s.t.Helper()
	values := make(map[string]float64)
	for _, match := range metricLine.FindAllStringSubmatch(s.send(http.MethodGet, "http://"+s.Admin+"/metrics", nil).Body, -1) {
		values[match[1]] = parseFloat(s.t, match[2])
	}
	return values
}
