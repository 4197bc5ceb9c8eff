// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/base64"
	"strings"
	"testing"
)

// Whatever bytes a client sends, it gets an answer below 500, no new header or
// log line, and does not reach the upstream.
func TestHostileRequests(t *testing.T) {
	s := serve(t, "{\n{{global}}\nrest_auth {\n{{store}}\n}\n}\n"+`{{site}} {
		log
		rest_auth {
			authenticate token
			authenticate basic
		}
		reverse_proxy {{echo}}
	}`)
	s.seed()
	encoded := func(raw string) string { return base64.StdEncoding.EncodeToString([]byte(raw)) }
	credentials := []string{
		"Token \x00", "Token a\x00b", "Token \xff\xfe", "Token " + strings.Repeat("a", 8000), "Token\t\t\ttoken-alice\x00",
		"Token token-alice,Token token-bob", "Token token-alice\x01", "\x00Token token-alice", "Token\u00a0token-alice", "To\u212Aen token-alice",
		"Basic " + encoded("\x00:\x00"), "Basic " + encoded("alice\x00:pw"), "Basic " + encoded("alice\r\nX-Evil: 1:pw"),
		"Basic " + encoded(strings.Repeat("a", 5000)+":pw"), "Basic " + encoded("alice:"+strings.Repeat("p", 5900)),
		"Basic " + encoded("\xff\xfe:\xfd"), "Basic " + encoded(":"), "Basic " + encoded(""), "Basic " + strings.Repeat("=", 4000),
		"Basic " + encoded("{env.PATH}:{env.HOME}"), "Basic " + encoded("' OR 1=1 --:x"), "Basic " + encoded("../../etc/passwd:x"),
		"Digest username=\"alice\"", "Negotiate YII=", ",", ";", "=", "\t", "Token  ", "Basic",
	}
	before := s.echo.hits.Load()
	asked := 0
	for _, value := range credentials {
		raw := s.raw("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: " + value + "\r\n\r\n")
		asked++
		head, body, _ := strings.Cut(raw, "\r\n\r\n")
		if !strings.HasPrefix(head, "HTTP/1.1 4") || !strings.HasPrefix(head, "HTTP/1.1 401") && !strings.HasPrefix(head, "HTTP/1.1 400") {
			t.Errorf("%q was answered %q", value, raw)
		}
		if strings.Contains(head, "X-Evil") || strings.Count(body, "\n") > 1 {
			t.Errorf("%q was answered with lines of its own: %q", value, raw)
		}
	}
	if s.echo.hits.Load() != before {
		t.Error("the upstream was reached")
	}
	if strings.Contains(s.logs.text(), "panic") {
		t.Errorf("a handler panicked:\n%s", s.logs.text())
	}
	for _, line := range s.logs.lines("handled request") {
		if line["user_id"] != "" {
			t.Errorf("a refused request was logged with a user: %v", line)
		}
	}
}

// Header sections of every size are answered.
func TestLongHeaders(t *testing.T) {
	s := serve(t, "{{site}} {\nrest_auth {\nauthenticate token\nauthenticate basic\nheader_up Remote-User {http.auth.user.id}\n}\nreverse_proxy {{echo}}\n}")
	s.seed()
	for _, size := range []int{511, 512, 513, 8 << 10, 64 << 10, 512 << 10} {
		got := s.get("/", token(strings.Repeat("x", size)))
		tooLong := size > 32<<10 && got.Status == 431 // Caddy's own bound on headers
		if !tooLong && (got.Status != 401 || got.Body != invalidToken) {
			t.Errorf("a token of %d bytes was answered %d %q", size, got.Status, got.Body)
		}
	}
	var many strings.Builder
	for range 200 {
		many.WriteString("Remote_User: mallory\r\nremote.user: mallory\r\n")
	}
	raw := s.raw("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Token token-alice\r\n" + many.String() + "\r\n")
	if !strings.HasPrefix(raw, "HTTP/1.1 200") || strings.Contains(raw, "mallory") {
		t.Errorf("answered %q", raw)
	}
}
