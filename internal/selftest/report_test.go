// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package selftest

import (
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	r := &Report{Requests: 1, Proxies: []Proxy{
		{Number: 1, Where: "apps/http/a", Upstream: "localhost:1", Sites: []string{"a.example"}, Headers: []string{"Remote-User"}, Ways: []Way{{Request: "GET http://a.example/", Guards: []string{"g"}}}},
		{Number: 2, Where: "apps/http/\x1b[2J", Ways: []Way{}},
	}, LeftOut: map[string]string{"app x": "it may listen, or ask others"}}
	r.add(Finding{Severity: Notice, Proxies: []int{2, 1}, Saw: []string{"B", "A"}, Text: "seen"})
	r.add(Finding{Severity: Unreached, Proxy: 2, Text: "not reached"})
	r.add(Finding{Severity: Notice, Proxy: 1, Request: "GET /", Text: unguarded})
	for _, spelling := range []string{"a", "b", "c", "d", "e", "a"} {
		r.add(Finding{Severity: Leak, Proxy: 1, Header: "Remote-User", Request: "GET /", As: []string{"known"}, Spellings: []string{spelling}, Saw: []string{"Remote!user", "Remote-User"}, Text: "believed"})
	}
	r.finish(false)
	const want = `LEAK      proxy 1 of a.example to localhost:1
          header    Remote-User
                    believed
          request   GET /
          client    known
          sent      a | b | c | d | and 1 more
          arrived   Remote-User, Remote!user
UNREACHED proxy 2 to none
                    not reached
          where     apps/http/?[2J
notice    proxies 1, 2
                    seen
          arrived   A, B
left out  app x: it may listen, or ask others
2 proxies, 1 identity header, 1 request: 1 leak, 1 proxy unreached
`
	var text strings.Builder
	if err := r.Write(&text); err != nil || text.String() != want {
		t.Errorf("the report is %v\n%s\nwant\n%s", err, text.String(), want)
	}
	const wantList = `proxy 1 of a.example to localhost:1
  where    apps/http/a
  headers  Remote-User
  way      GET http://a.example/
  through  g
proxy 2 to none
  where    apps/http/?[2J
  headers  none
  way      none found; name one with --url
`
	text.Reset()
	if err := r.WriteList(&text); err != nil || text.String() != wantList {
		t.Errorf("the list is %v\n%s\nwant\n%s", err, text.String(), wantList)
	}
	if r.OK {
		t.Error("a report with a leak is OK")
	}
	for want, r := range map[string]*Report{
		"0 proxies, 0 identity headers, 0 requests: no upstream is told anything\n":                                              {},
		"1 proxy, 0 identity headers, 0 requests: no identity header is known, so nothing was spoofed; name one with --header\n": {OK: true, Proxies: []Proxy{{}}},
	} {
		text.Reset()
		if err := r.Write(&text); err != nil || text.String() != want {
			t.Errorf("the report is %v\n%s\nwant\n%s", err, text.String(), want)
		}
	}
	unreached := &Report{Findings: []Finding{{Severity: Unreached}}}
	if unreached.finish(false); unreached.OK {
		t.Error("a report with an unreached proxy is OK")
	}
	if unreached.finish(true); !unreached.OK {
		t.Error("a report with an unreached proxy is not OK although that is allowed")
	}
	lost := &Report{Findings: []Finding{{Severity: Lost}}}
	if lost.finish(true); lost.OK {
		t.Error("a report with a lost header is OK")
	}
}

// What may be a secret of the configuration is not in what is said of a request.
func TestRequestString(t *testing.T) {
	r := &request{https: true, method: "GET", host: "a.example", target: "/p?token=secret", header: []string{"X-Key: secret"}, from: fromHere, fails: 404}
	const want = "GET https://a.example/p?… with X-Key and an error 404 behind rest_auth"
	if got := r.String(); got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
}

func TestParseURL(t *testing.T) {
	for text, want := range map[string]string{
		"https://a.example/x?y=1":  "GET https://a.example/x?…",
		"POST http://a.example:81": "POST http://a.example:81/",
	} {
		r, err := parseURL(text)
		if err != nil || r.String() != want {
			t.Errorf("parseURL(%s) = %v, %v, want %s", text, r, err, want)
		}
	}
	for _, text := range []string{"", "a.example", "/path", "ftp://a.example", "POST", "https://", "http://secret@%zz?secret"} {
		if r, err := parseURL(text); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("parseURL(%s) = %v, %v", text, r, err)
		}
	}
}
