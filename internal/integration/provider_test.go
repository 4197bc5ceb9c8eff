// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// The password is "word".
const wordHash = "$2y$04$.O5WOcaenZVfBtZYsbgXyevlK39PqJp8HjNz1VMF.T8Edoh8mGcPm"

// TestProvider_httpBasic has Caddy's own provider before and after a token, and
// alone.
func TestProvider_httpBasic(t *testing.T) {
	s := serve(t, `{{site}} {
		handle /alone {
			rest_auth {
				authenticate provider http_basic bcrypt "The shop" {
					alice `+wordHash+`
				}
				header_up Remote-User {http.auth.user.id}
			}
			reverse_proxy {{echo}}
		}
		handle /first {
			rest_auth {
				authenticate provider http_basic {
					alice `+wordHash+`
					user_prefix shop:
				}
				authenticate token
				header_up Remote-User {http.auth.user.id}
			}
			reverse_proxy {{echo}}
		}
		handle /second {
			rest_auth {
				authenticate token
				authenticate provider {
					http_basic {
						alice `+wordHash+`
					}
					user_prefix off
				}
				header_up Remote-User {http.auth.user.id}
			}
			reverse_proxy {{echo}}
		}
		handle /all {
			rest_auth {
				authenticate token
				authenticate provider http_basic {
					alice `+wordHash+`
					user_prefix off
				}
				challenge all
			}
			reverse_proxy {{echo}}
		}
		handle /lenient/known {
			rest_auth {
				authenticate provider http_basic {
					alice `+wordHash+`
				}
				invalid anonymous
			}
			respond ok
		}
		handle /lenient {
			rest_auth {
				authenticate provider http_basic {
					alice `+wordHash+`
				}
				invalid anonymous
				require allow_any
				header_up Remote-User {http.auth.user.id}
			}
			reverse_proxy {{echo}}
		}
	}`)
	s.seed()
	const (
		shop       = `Basic realm="The shop"`
		restricted = `Basic realm="restricted"`
		failed     = `{"detail":"Incorrect authentication credentials."}`
	)
	right, wrong := basic("alice", "word"), basic("alice", "x")
	for _, row := range []struct {
		path, credentials string
		status            int
		challenge, body   string // or the user
	}{
		{"/alone", right, 200, "-", "alice"},
		{"/alone", strings.Replace(right, "Basic", "bAsIc", 1), 200, "-", "alice"},
		{"/alone", wrong, 401, shop, failed},
		{"/alone", "Authorization: Basic", 401, shop, failed},
		{"/alone", "Authorization: Basic !", 401, shop, failed},
		{"/alone", "Authorization: Bearer x", 401, shop, notAuthenticated},
		{"/alone", "X-None: 1", 401, shop, notAuthenticated},
		{"/first", right, 200, "-", "shop:alice"},
		{"/first", wrong, 401, restricted, failed},
		{"/first", token("token-alice"), 200, "-", "alice"},
		{"/first", token("bad"), 401, restricted, invalidToken},
		{"/first", "X-None: 1", 401, restricted, notAuthenticated},
		{"/second", right, 200, "-", "alice"},
		{"/second", wrong, 401, "Token", failed},
		{"/second", token("token-alice"), 200, "-", "alice"},
		{"/second", token("bad"), 401, "Token", invalidToken},
		{"/second", "X-None: 1", 401, "Token", notAuthenticated},
		{"/lenient/known", wrong, 401, restricted, notAuthenticated},
		{"/lenient/known", "X-None: 1", 401, restricted, notAuthenticated},
		{"/lenient", right, 200, "-", "alice"},
		{"/lenient", wrong, 200, "-", ""},
		{"/lenient", "X-None: 1", 200, "-", ""},
	} {
		t.Run(row.path+" "+row.credentials, func(t *testing.T) {
			got := s.get(row.path, row.credentials)
			if row.status != 200 {
				got.expect(t, row.status, row.challenge, row.body)
				return
			}
			got.expect(t, 200, "-", "*")
			header := got.forwarded(t).Header
			if user := header.Get("Remote-User"); user != row.body {
				t.Errorf("the upstream was told %q, want %q", user, row.body)
			}
			if row.path == "/lenient" && row.body == "" && header.Get("Authorization") != "" {
				t.Error("credentials that were found bad went on")
			}
		})
	}
	if got := s.get("/all").Header.Values("WWW-Authenticate"); len(got) != 2 || got[0] != "Token" || got[1] != restricted {
		t.Errorf("challenges of all: %q", got)
	}
	if got := s.get("/all", token("bad")).Header.Values("WWW-Authenticate"); len(got) != 1 || got[0] != "Token" {
		t.Errorf("a provider that was not asked challenges: %q", got)
	}
}

// TestProvider_prefixIsItsOwn has a user of the store who is called as the
// provider's users are: nobody takes one for the other.
func TestProvider_prefixIsItsOwn(t *testing.T) {
	site := func(prefix string) string {
		return `{{site}} {
			rest_auth {
				authenticate token
				authenticate provider http_basic {
					alice ` + wordHash + `
					user_prefix ` + prefix + `
				}
				require user shop:alice
			}
			respond ok
		}`
	}
	s := serve(t, site("other:"))
	s.seed()
	s.putToken(s.putUser(tokenstore.User{Name: "shop:alice", Active: true}), "token-shop")
	s.get("/", token("token-shop")).expect(t, 200, "-", "ok")
	s.reload(site("shop:"))
	const failed = `{"detail":"Incorrect authentication credentials."}`
	s.get("/", basic("alice", "word")).expect(t, 200, "-", "ok")
	s.get("/", token("token-shop")).expect(t, 401, "Token", failed)
	s.get("/", token("token-alice")).expect(t, 403, "-", deniedBody)
}

// TestProvider_redirects sends people to where they log in, and nobody else.
func TestProvider_redirects(t *testing.T) {
	s := serve(t, `{{site}} {
		handle /token/* {
			rest_auth {
				authenticate token
				authenticate provider test_portal /login {
					group_claim roles
					user_prefix portal:
				}
				require any {
					group editors
					match path /token/public
				}
				header_up Remote-User {http.auth.user.id}
			}
			reverse_proxy {{echo}}
		}
		handle /error/* {
			rest_auth {
				authenticate provider test_portal https://login.example.com/ {
					err
				}
				require match path /error/public
			}
			reverse_proxy {{echo}}
		}
		handle /abstain/* {
			rest_auth {
				authenticate provider test_portal /login {
					err
					errors abstain
					user_prefix off
				}
				authenticate token
				refusals error
			}
			reverse_proxy {{echo}}
		}
		handle /two {
			route {
				rest_auth {
					authenticate provider test_portal /first
					require allow_any
				}
				rest_auth {
					authenticate provider test_portal /login
				}
			}
		}
		handle /staff {
			rest_auth {
				authenticate provider test_portal /login
				require staff
			}
		}
		handle /down {
			rest_auth {
				authenticate provider test_portal /login {
					user_prefix portal:
				}
				authenticate test_broken
			}
		}
		handle_errors {
			respond "error route"
		}
	}`)
	s.seed()
	const html = "Accept: text/html"
	for _, row := range []struct {
		path, credentials, accept string
		status                    int
		location, challenge, body string
	}{
		{"/token/x", "X-None: 1", html, 303, "/login?next=/token/x", "-", notAuthenticated},
		{"/token/x", "X-None: 1", "Accept: */*", 303, "/login?next=/token/x", "-", notAuthenticated},
		{"/token/x", "X-None: 1", "Accept: application/json", 401, "", "Token", "error route"},
		{"/token/x", "Sec-Fetch-Mode: cors", html, 401, "", "Token", "error route"},
		{"/token/x", token("bad"), html, 401, "", "Token", "error route"},
		{"/token/x", token("token-bob"), html, 403, "", "-", "error route"},
		{"/token/x", token("token-alice"), html, 200, "", "-", "alice"},
		{"/token/x", "Cookie: portal=alice", html, 200, "", "-", "portal:alice"},
		{"/token/x", "Cookie: portal=bob", html, 303, "/login?next=/token/x", "-", notAuthenticated},
		{"/token/public", "X-None: 1", html, 200, "", "-", ""},
		{"/error/x", "X-None: 1", html, 303, "https://login.example.com/?next=/error/x", "-", "*"},
		{"/error/public", "X-None: 1", html, 303, "https://login.example.com/?next=/error/public", "-", "*"},
		{"/error/x", "X-None: 1", "Accept: application/json", 403, "", "-", "error route"},
		{"/error/public", "Cookie: portal=alice", html, 200, "", "-", ""},
		{"/abstain/x", "X-None: 1", html, 303, "/login?next=/abstain/x", "-", notAuthenticated},
		{"/abstain/x", token("token-alice"), html, 200, "", "-", ""},
		{"/abstain/x", token("bad"), html, 403, "", "-", "error route"},
		{"/two", "X-None: 1", html, 303, "/login?next=/two", "-", notAuthenticated},
		{"/staff", "Cookie: portal=alice", html, 403, "", "-", "error route"},
		{"/down", "X-None: 1", html, 503, "", "-", "error route"},
	} {
		t.Run(row.path+" "+row.credentials+" "+row.accept, func(t *testing.T) {
			got := s.get(row.path, row.credentials, row.accept)
			body := row.body
			if row.status == 200 {
				body = "*"
			}
			if got.Status != row.status || got.Header.Get("Location") != row.location || body != "*" && got.Body != body {
				t.Errorf("%d %q %q, want %d %q %q", got.Status, got.Header.Get("Location"), got.Body, row.status, row.location, body)
			}
			if challenge := strings.Join(got.Header.Values("WWW-Authenticate"), ", "); challenge != strings.Trim(row.challenge, "-") {
				t.Errorf("WWW-Authenticate %q, want %q", challenge, row.challenge)
			}
			for _, name := range []string{"X-Portal", "Set-Cookie"} {
				if got.Header.Get(name) != "" {
					t.Errorf("%s of the provider was sent", name)
				}
			}
			if row.status >= 300 && got.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("Cache-Control %q", got.Header.Get("Cache-Control"))
			}
			if row.status == 200 && row.body != "" && got.forwarded(t).Header.Get("Remote-User") != row.body {
				t.Errorf("the upstream was told of %q", got.forwarded(t).Header)
			}
		})
	}
	if got := s.do(http.MethodHead, "/token/x"); got.Status != 303 || got.Body != "" {
		t.Errorf("HEAD: %d %q", got.Status, got.Body)
	}
}

// TestProvider_leavesNoTrace holds that nothing remains of what a provider did
// to the response, the request, its placeholders and its variables.
func TestProvider_leavesNoTrace(t *testing.T) {
	s := serve(t, `{{site}} {
		rest_auth {
			authenticate provider test_cookies {
				user_prefix c:
			}
			authenticate token
			require any {
				authenticated
				match path /open
			}
			header_up Remote-User {http.auth.user.id}
			header_up X-Key {http.auth.user.key}
			header_up X-Source {http.auth.user.source}
			header_up X-Method {http.auth.method}
			header_up X-Team {http.auth.user.claims.team}
			header_up X-Leftover {http.auth.user.leftover}
			header_up X-Var {http.vars.left}
			header_up X-Seen {http.auth.user.claims.seen}
			header_up X-Original {http.request.orig_uri.path}
		}
		reverse_proxy {{echo}}
	}`)
	s.seed()
	for _, row := range []struct {
		path, credentials string
		status            int
		user, key, team   string
	}{
		{"/x", "X-Cookie-User: carol", 200, "c:carol", "provider:test_cookies|c:carol", "red"},
		{"/x", token("token-alice"), 200, "alice", "", ""},
		{"/open", "X-None: 1", 200, "", "", ""},
		{"/x", "X-None: 1", 403, "", "", ""},
		{"/x", token("bad"), 403, "", "", ""},
	} {
		got := s.send(http.MethodPost, s.URL+row.path, strings.NewReader("the body"), row.credentials)
		if got.Status != row.status {
			t.Fatalf("%s %s: %d %q", row.path, row.credentials, got.Status, got.Body)
		}
		for _, name := range []string{"Set-Cookie", "Retry-After"} {
			if got.Header.Get(name) != "" {
				t.Errorf("%s %s: %s was sent", row.path, row.credentials, name)
			}
		}
		if strings.Contains(got.Body, "<h1>") {
			t.Errorf("%s %s: the provider's page was sent", row.path, row.credentials)
		}
		if row.status != 200 {
			continue
		}
		e := got.forwarded(t)
		if e.Header.Get("Remote-User") != row.user || e.Header.Get("X-Team") != row.team ||
			row.key != "" && (e.Header.Get("X-Key") != row.key || e.Header.Get("X-Source") != "provider:test_cookies" || e.Header.Get("X-Method") != "provider") {
			t.Errorf("%s %s: the upstream was told %q", row.path, row.credentials, e.Header)
		}
		if e.Header.Get("X-Seen") != "" {
			t.Errorf("%s %s: the provider saw the body %q", row.path, row.credentials, e.Header.Get("X-Seen"))
		}
		if e.Header.Get("X-Leftover") != "" || e.Header.Get("X-Var") != "" || e.Header.Get("X-Original") != row.path || e.Body != "the body" || e.URI != row.path {
			t.Errorf("%s %s: the provider's changes went on: %+v", row.path, row.credentials, e)
		}
	}
}
