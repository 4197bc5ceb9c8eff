// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// explainErrorsSite ends requests in error routes of every kind.
const explainErrorsSite = `{
	{{global}}
	rest_auth {
		{{store}}
		authenticate token
	}
}
&(endless) {
	invoke endless
}
{{site}} {
	error /touched 410
	error /proxied 411
	error /aborted 412
	error /again 413
	error /answered 414
	route /broken {
		respond "x" {query.status}
	}
	route /judged {
		rest_auth {
			refusals error
		}
	}
	route /endless {
		invoke endless
	}
	handle_errors 410 {
		header X-Touched yes
	}
	handle_errors 401 411 {
		reverse_proxy {{echo}}
	}
	handle_errors 412 {
		abort
	}
	handle_errors 413 {
		error 500
	}
	handle_errors 414 {
		respond "sorry" 418
	}
}
http://named.test:{{port}} {
	error 410
	handle_errors {
		header X-Touched yes
	}
}`

// TestExplainErrorRoutes compares what is said of errors with what happens.
func TestExplainErrorRoutes(t *testing.T) {
	s := serve(t, explainErrorsSite)
	s.seed()
	const caddyItself = "Caddy itself, since no error route does: an empty body"
	for path, want := range map[string]struct {
		status int
		by     string
	}{
		"/touched":              {410, caddyItself},
		"/proxied":              {0, "reverse_proxy " + s.echo.address},
		"/aborted":              {0, "abort: the connection is closed without an answer"},
		"/again":                {413, caddyItself},
		"/answered":             {418, "static_response"},
		"/broken?status=canary": {500, caddyItself},
		"/judged":               {0, "reverse_proxy " + s.echo.address},
	} {
		x := s.explain("GET", path)
		if x.Status != want.status || x.Answered.By != want.by {
			t.Errorf("%s: %d by %s, want %d by %s", path, x.Status, x.Answered.By, want.status, want.by)
		}
		first, _, _ := strings.Cut(s.raw("GET "+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), "\r\n")
		real := map[int]string{410: "410 Gone", 413: "413 Request Entity Too Large", 418: "418 I'm a teapot", 500: "500 Internal Server Error"}[want.status]
		if want.status == 0 && strings.HasPrefix(want.by, "reverse_proxy") {
			real = "200 OK"
		}
		if strings.TrimPrefix(first, "HTTP/1.1 ") != real {
			t.Errorf("%s: answered %q, want %q", path, first, real)
		}
	}
	named := s.explain("GET", "/", "Host: named.test")
	if named.Status != 410 || named.Answered.By != caddyItself {
		t.Errorf("a route that is the last: %d by %s", named.Status, named.Answered.By)
	}

	endless := s.askToExplain(s.question("GET", s.URL+"/endless"))
	if endless.Status != http.StatusBadRequest || !strings.Contains(endless.Body, "the last of them endless") {
		t.Errorf("endless: %d %s", endless.Status, endless.Body)
	}
}

const explainDetailsSite = `{{site}}, {{site2}} {
	handle /local {
		rest_auth {
			authenticate off
			require match expression "{http.request.local.port} == {{port}} && {http.request.local.host} == '127.0.0.1'"
		}
		respond "in"
	}
	handle {
		rest_auth {
			authenticate test_foreign {
				user_prefix ldap:
				claims ` + "`{\"key\": \"canary-claim\"}`" + `
			}
			authenticate token
			header_up Remote-User {http.auth.user.id}
			header_up X-Claim {http.auth.user.claims.key}
		}
		respond "in"
	}
}`

// TestExplainDetails has what an explanation could get wrong for not being a
// request.
func TestExplainDetails(t *testing.T) {
	s := serve(t, explainDetailsSite)
	s.seed()
	s.putToken(s.putUser(tokenstore.User{Name: "ldap:eve", Active: true}), "token-eve")
	site2 := "http://127.0.0.1:" + strings.TrimPrefix(s.vars["{{site2}}"], "http://:")
	for url, verdict := range map[string]string{s.URL: "anonymous", site2: "denied"} {
		if x := s.explanation(s.question("GET", url+"/local")); x.Verdict != verdict || x.Status != s.send("GET", url+"/local", nil).Status {
			t.Errorf("%s: %s, %d", url, x.Verdict, x.Status)
		}
	}

	set := s.explain("GET", "/x", "X-Foreign: eve").Judged[0].Headers.Set
	if len(set) != 2 || set[0].Value != "ldap:eve" || strings.Contains(set[1].Value, "canary") {
		t.Errorf("headers %v", set)
	}

	x := s.explain("GET", "/x", token("token-eve"))
	bad := x.Judged[0].Authenticators[1]
	if bad.Outcome != "bad credentials" || !strings.Contains(bad.Reason, "user_prefix") || !strings.Contains(x.Summary, "token found bad credentials") {
		t.Errorf("a name of another source: %+v, %s", bad, x.Summary)
	}
	if got := s.get("/x", token("token-eve")).Status; got != x.Status {
		t.Errorf("a name of another source: %d, explained as %d", got, x.Status)
	}

	answer := s.askToExplain(s.question("GET", s.URL+"/"+strings.Repeat("canary", 7)+"/cra_canary/x?a=canary")).Body
	if strings.Contains(answer, "canary") || !strings.Contains(answer, "/*** (42 bytes)/*** (10 bytes)/x?***") {
		t.Errorf("a token in the path is shown: %s", answer)
	}
}
