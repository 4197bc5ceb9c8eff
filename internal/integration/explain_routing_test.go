// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// explainRoutingSite has what stands between a request and a handler of ours.
const explainRoutingSite = `{
	{{global}}
	servers {
		trusted_proxies static 10.0.0.0/8
	}
	rest_auth {
		{{store}}
		authenticate token
	}
}
http://api.test:{{port}} {
	rest_auth_endpoints {
		test_api /auth/
	}
	rest_auth {
		require staff
	}
	respond "api"
}
http://*.tenant.test:{{port}} {
	@admin {
		path /admin/*
		method POST
	}
	rest_auth @admin {
		require staff
	}
	respond "tenant"
}
http://mixed.test:{{port}} {
	root {{dir}}
	route /files/* {
		uri strip_prefix /files
		try_files {path} /private.html
		rest_auth /private.html {
			require authenticated
		}
		file_server
	}
	route /asked* {
		forward_auth {{echo}} {
			uri /check
		}
		rest_auth
		respond "in"
	}
	route /core* {
		basic_auth {
			admin $2a$04$5cBYEbYh9sMMHZhbIjWSvuLbFkRDfgt0kwyfJxMM2UJK9thIlODX6
		}
		rest_auth
		respond "in"
	}
	handle /silent* {
		encode gzip
		header X-Site mixed
		log_append user {http.auth.user.id}
		rest_auth
		respond "in"
	}
	route /intercepted* {
		intercept {
			replace_status 418
		}
		rest_auth
		respond "in"
	}
	handle /aborted* {
		abort
	}
	handle /near {
		rest_auth {
			require match client_ip 192.0.2.0/24
		}
		respond "in"
	}
	handle_errors 403 {
		rewrite /sorry.html
		file_server
	}
}`

func TestExplainRouting(t *testing.T) {
	s := serve(t, explainRoutingSite)
	s.seed()
	for _, name := range []string{"public.html", "private.html", "sorry.html"} {
		if err := os.WriteFile(filepath.Join(s.vars["{{dir}}"], name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	alice, bob := token("token-alice"), token("token-bob")
	for _, row := range []struct {
		method, host, path string
		lines              []string
		verdict            string
		status             int
		by                 string
		notes              int
	}{
		{"GET", "api.test", "/", []string{alice}, "denied", 403, "rest_auth", 0},
		{"GET", "api.test", "/", []string{bob}, "allowed", 200, "static_response", 0},
		{"GET", "api.test", "/auth/things/1", nil, "anonymous", 0, "rest_auth_endpoints test_api", 0},
		{"POST", "api.test", "/auth/logout/", nil, "unauthenticated", 401, "rest_auth", 0},
		{"POST", "api.test", "/auth/logout/", []string{alice}, "allowed", 0, "rest_auth_endpoints test_api", 0},
		{"GET", "api.test", "/auth/logout/", []string{alice}, "allowed", 405, "rest_auth_endpoints test_api", 0},
		{"POST", "api.test", "/auth/logout/", []string{alice, "Accept: text/html"}, "unguarded", 406, "rest_auth_endpoints test_api", 0},
		{"GET", "api.test", "/auth/none/", []string{bob}, "allowed", 200, "static_response", 0},
		{"GET", "a.tenant.test", "/admin/x", nil, "unguarded", 200, "static_response", 0},
		{"POST", "a.tenant.test", "/admin/x", nil, "unauthenticated", 401, "rest_auth", 0},
		{"POST", "a.tenant.test", "/admin/x", []string{bob}, "allowed", 200, "static_response", 0},
		{"POST", "a.tenant.test", "/other", nil, "unguarded", 200, "static_response", 0},
		{"GET", "mixed.test", "/files/public.html", nil, "unguarded", 0, "file_server", 0},
		{"GET", "mixed.test", "/files/absent", nil, "unauthenticated", 401, "rest_auth", 0},
		{"GET", "mixed.test", "/files/absent", []string{alice}, "allowed", 0, "file_server", 0},
		{"GET", "mixed.test", "/asked", []string{alice}, "allowed", 200, "static_response", 1},
		{"GET", "mixed.test", "/core", nil, "unauthenticated", 401, "rest_auth", 1},
		{"GET", "mixed.test", "/silent", []string{alice}, "allowed", 200, "static_response", 0},
		{"GET", "mixed.test", "/intercepted", nil, "unauthenticated", 401, "rest_auth", 1},
		{"GET", "mixed.test", "/aborted", nil, "unguarded", 0, "abort: the connection is closed without an answer", 0},
		{"GET", "mixed.test", "/near", []string{alice}, "denied", 403, "file_server", 0},
		{"GET", "unknown.test", "/", nil, "unguarded", 200, "Caddy itself, since no handler does: an empty body", 0},
	} {
		url := "http://" + row.host + ":" + port(strings.TrimPrefix(s.URL, "http://")) + row.path
		x := s.explanation(s.question(row.method, url, row.lines...))
		if x.Verdict != row.verdict || x.Status != row.status || x.Answered.By != row.by || len(x.Notes) != row.notes {
			t.Errorf("%s %s %q: %s, %d, answered by %s, notes %q; want %s, %d, %s, %d", row.method, url, row.lines,
				x.Verdict, x.Status, x.Answered.By, x.Notes, row.verdict, row.status, row.by, row.notes)
		}
		if row.notes > 0 || row.by == "abort: the connection is closed without an answer" {
			continue
		}
		answer := s.raw(row.method + " " + row.path + " HTTP/1.1\r\nHost: " + row.host + "\r\nConnection: close\r\n" + strings.Join(append(row.lines, ""), "\r\n") + "\r\n")
		want := map[int]string{0: " 200 ", 200: " 200 ", 401: " 401 ", 403: " 403 ", 405: " 405 "}[row.status]
		if first, _, _ := strings.Cut(answer, "\r\n"); !strings.Contains(first+" ", want) {
			t.Errorf("%s %s %q: answered %q, explained as%s", row.method, url, row.lines, first, want)
		}
	}
	if n := s.echo.hits.Load(); n != 0 {
		t.Errorf("forward_auth was asked %d times", n)
	}

	near := s.question("GET", "http://mixed.test:"+s.vars["{{port}}"]+"/near", alice, "X-Forwarded-For: 192.0.2.7")
	near["from"] = "10.1.2.3"
	if x := s.explanation(near); x.Verdict != "allowed" || x.Request.ClientIP != "192.0.2.7" {
		t.Errorf("behind a proxy: %s for %s", x.Verdict, x.Request.ClientIP)
	}
	by := s.question("GET", s.URL+"/", bob, "Host: api.test")
	if x := s.explanation(by); x.Verdict != "allowed" || !slices.ContainsFunc(x.Judged, func(j judged) bool { return strings.Contains(j.Route, "host api.test") }) {
		t.Errorf("with a header Host: %s, %+v", x.Verdict, x.Judged)
	}
}
