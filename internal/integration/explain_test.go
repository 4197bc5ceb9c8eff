// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// explainSite has one path for each way in which routes lead to a handler.
const explainSite = `{
	{{global}}
	order test_mystery first
	rest_auth {
		{{store}}
		user admin $argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$L3i6sYqX2uI6wn0Cm7NnUzVrkLPDLqLYTzmZeTzBzHQ
	}
}
(guard) {
	rest_auth {
		authenticate token
		require {args[0]}
	}
}
&(shared) {
	route {
		rest_auth {
			authenticate token
			require staff
		}
		reverse_proxy {{echo}}
	}
}
{{site}} {
	handle /plain* {
		rest_auth {
			authenticate token
			authenticate basic
			header_up Remote-User {http.auth.user.id}
			header_up X-Key canary-upstream-key
			header_up -Authorization
		}
		reverse_proxy {{echo}}
	}
	handle_path /stripped/* {
		rest_auth {
			authenticate token
			require match path /inner
		}
		reverse_proxy {{echo}}
	}
	handle /snippet* {
		import guard staff
		reverse_proxy {{echo}}
	}
	handle /named* {
		invoke shared
	}
	route /rewritten* {
		rewrite /elsewhere
		rest_auth /rewritten* {
			authenticate token
		}
		rest_auth /elsewhere {
			authenticate token
			require group editors
		}
		reverse_proxy {{echo}}
	}
	handle /vars* {
		vars tier gold
		map {path} {needed} {
			/vars/open nobody
			default gold
		}
		rest_auth {
			authenticate token
			require match vars tier {needed}
		}
		reverse_proxy {{echo}}
	}
	handle /matched* {
		rest_auth /matched/private* {
			authenticate token
			header_up Remote-User {http.auth.user.id}
		}
		reverse_proxy {{echo}}
	}
	route /two* {
		rest_auth {
			authenticate token
		}
		rest_auth {
			authenticate token
			require not group editors
		}
		reverse_proxy {{echo}}
	}
	handle /lenient* {
		rest_auth {
			authenticate token
			invalid anonymous
			require read_only
		}
		reverse_proxy {{echo}}
	}
	handle /tree* {
		rest_auth {
			authenticate token
			require authenticated
			require any {
				staff
				all {
					read_only
					not group editors
				}
				scope orders.write orders.read
			}
			require user alice
		}
		respond "in" 202
	}
	handle /broken* {
		rest_auth {
			authenticate test_broken
		}
		respond "in"
	}
	handle /silent* {
		rest_auth {
			authenticate test_silent
		}
		respond "in"
	}
	handle /off* {
		rest_auth {
			authenticate off
			require user alice {
				message "members only"
				code members
			}
		}
		respond "in"
	}
	handle /cors* {
		rest_auth {
			authenticate token
			cors https://app.example
		}
		respond "in"
	}
	handle /foreign* {
		rest_auth {
			authenticate test_foreign
			require not user mallory
		}
		respond "in"
	}
	handle /open {
		respond "open" 203
	}
	handle /client {
		rest_auth {
			authenticate off
			require match client_ip 127.0.0.1
		}
		respond "in"
	}
	handle /missing {
		rest_auth {
			authenticate token
			require allow_any
		}
		error 410
	}
	handle /mystery {
		test_mystery
		rest_auth {
			authenticate token
		}
		respond "in"
	}
}
{{site2}} {
	handle_errors 401 {
		respond "log in" 418
	}
	rest_auth {
		authenticate token
		require authenticated
		require not group editors
	}
	respond "in"
}`

// TestExplain compares what is said would happen with what happens.
func TestExplain(t *testing.T) {
	s := serve(t, explainSite)
	s.seed()
	s.putExpired()
	s.putToken(s.putUser(tokenstore.User{Name: "scoped", Active: true}), "token-scoped", "orders.read", "orders.write")

	site2 := "http://127.0.0.1:" + strings.TrimPrefix(s.vars["{{site2}}"], "http://:")
	alice, bob, root := token("token-alice"), token("token-bob"), token("token-root")
	for _, row := range []struct {
		method, path string
		lines        []string
		verdict      string
	}{
		{"GET", "/plain", nil, "unauthenticated"},
		{"GET", "/plain", []string{alice}, "allowed"},
		{"GET", "/plain", []string{"Authorization: Token token-alice", "Remote-User: root", "Remote.User: root"}, "allowed"},
		{"GET", "/plain", []string{token("wrong")}, "failed"},
		{"GET", "/plain", []string{token("token-gone")}, "failed"},
		{"GET", "/plain", []string{token("token-expired")}, "failed"},
		{"GET", "/plain", []string{alice, bob}, "failed"},
		{"GET", "/plain", []string{basic("alice", "pw")}, "allowed"},
		{"GET", "/plain", []string{basic("alice", "wrong")}, "failed"},
		{"GET", "/plain", []string{basic("nobody", "wrong")}, "failed"},
		{"GET", "/plain", []string{basic("gone", "pw")}, "failed"},
		{"GET", "/plain", []string{basic("admin", "wrong")}, "failed"},
		{"GET", "/plain", []string{"Authorization: Bearer x"}, "unauthenticated"},
		{"HEAD", "/plain", nil, "unauthenticated"},
		{"GET", "/stripped/inner", []string{alice}, "allowed"},
		{"GET", "/stripped/outer", []string{alice}, "denied"},
		{"GET", "/snippet", []string{alice}, "denied"},
		{"GET", "/snippet", []string{bob}, "allowed"},
		{"GET", "/snippet", nil, "unauthenticated"},
		{"GET", "/named", []string{alice}, "denied"},
		{"GET", "/named", []string{bob}, "allowed"},
		{"GET", "/rewritten", []string{alice}, "allowed"},
		{"GET", "/rewritten", []string{bob}, "denied"},
		{"GET", "/vars/open", []string{alice}, "denied"},
		{"GET", "/vars/x", []string{alice}, "allowed"},
		{"GET", "/matched/public", []string{"Remote-User: root"}, "unguarded"},
		{"GET", "/matched/private", nil, "unauthenticated"},
		{"GET", "/matched/private", []string{alice}, "allowed"},
		{"GET", "/two", []string{bob}, "allowed"},
		{"GET", "/two", []string{alice}, "denied"},
		{"GET", "/lenient", []string{token("wrong")}, "anonymous"},
		{"POST", "/lenient", []string{token("wrong")}, "unauthenticated"},
		{"POST", "/lenient", []string{alice}, "denied"},
		{"GET", "/tree", []string{alice}, "denied"},
		{"GET", "/tree", []string{root}, "denied"},
		{"GET", "/tree", []string{token("token-scoped")}, "denied"},
		{"GET", "/broken", nil, "unavailable"},
		{"GET", "/silent", nil, "unauthenticated"},
		{"GET", "/off", nil, "denied"},
		{"GET", "/cors", []string{"Origin: https://app.example"}, "unauthenticated"},
		{"OPTIONS", "/cors", []string{"Origin: https://app.example", "Access-Control-Request-Method: GET"}, "anonymous"},
		{"OPTIONS", "/cors", []string{"Origin: https://evil.example", "Access-Control-Request-Method: GET"}, "unauthenticated"},
		{"GET", "/foreign", []string{"X-Foreign: eve"}, "allowed"},
		{"GET", "/foreign", []string{"X-Foreign: mallory"}, "denied"},
		{"GET", "/open", nil, "unguarded"},
		{"GET", "/nowhere", nil, "unguarded"},
		{"GET", "/client", nil, "anonymous"},
		{"GET", "/missing", nil, "anonymous"},
		{"GET", site2 + "/", nil, "unauthenticated"},
		{"GET", site2 + "/", []string{bob}, "allowed"},
		{"GET", site2 + "/", []string{alice}, "denied"},
	} {
		url := row.path
		if strings.HasPrefix(url, "/") {
			url = s.URL + url
		}
		name := row.method + " " + row.path + " " + strings.Join(row.lines, ", ")
		// First, so that nothing that the request leaves behind can help.
		x := s.explanation(s.question(row.method, url, row.lines...))
		before := s.echo.hits.Load()
		got := s.send(row.method, url, nil, row.lines...)
		if proxied := strings.HasPrefix(x.Answered.By, "reverse_proxy "); proxied != (s.echo.hits.Load() > before) {
			t.Errorf("%s: explained as answered by %s", name, x.Answered.By)
		}
		if x.Verdict != row.verdict {
			t.Errorf("%s: verdict %s, want %s: %s", name, x.Verdict, row.verdict, x.Summary)
		}
		if x.Status != got.Status && (x.Status != 0 || got.Status != http.StatusOK) {
			t.Errorf("%s: explained as %d, and answered %d; %s", name, x.Status, got.Status, x.Summary)
		}
		if len(x.Judged) == 0 {
			continue
		}
		if refusal := x.Judged[len(x.Judged)-1].Refusal; refusal != nil && !refusal.ErrorRoutes {
			if refusal.Body != got.Body {
				t.Errorf("%s: body %q, want %q", name, refusal.Body, got.Body)
			}
			if !slices.Equal(refusal.Challenges, got.Header.Values("WWW-Authenticate")) {
				t.Errorf("%s: challenges %q, want %q", name, refusal.Challenges, got.Header.Values("WWW-Authenticate"))
			}
		}
		if set := x.Judged[len(x.Judged)-1].Headers.Set; got.Status == http.StatusOK && len(set) > 0 {
			forwarded := got.forwarded(t).Header
			if user := forwarded["Remote-User"]; set[0].Value != strings.Join(user, "") {
				t.Errorf("%s: Remote-User %q, and the upstream got %q", name, set[0].Value, user)
			}
		}
	}
}
