// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"net"
	"net/http"
	"net/http/fcgi"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

// Every placeholder, as text and as a value for CEL.
func TestPlaceholders(t *testing.T) {
	s := serve(t, `{{site}} {
		route {
		rest_auth {
			authenticate token
			authenticate test_foreign {
				user_prefix idp:
				claims "{\"tier\":\"gold\",\"roles\":[\"a\",\"b\"],\"nested\":{\"deep\":true},\"a.b\":1}"
			}
			require allow_any
		}
		@editors expression "'editors' in {http.auth.user.groups}"
		@staff expression "{http.auth.user.staff} == true"
		@role expression "'b' in {http.auth.user.claims.roles}"
		header @editors X-Editors yes
		header @staff X-Staff yes
		header @role X-Role yes
		respond /user "{http.auth.user.id}|{http.auth.user.name}|{http.auth.user.email}|{http.auth.user.source}|{http.auth.user.staff}|{http.auth.user.superuser}|{http.auth.user.groups}|{http.auth.user.scopes}|{http.auth.user.client}|{http.auth.method}|{http.auth.credential}"
		respond /claims "{http.auth.user.claims.tier}|{http.auth.user.claims.roles}|{http.auth.user.claims.nested.deep}|{http.auth.user.claims.a.b}|{http.auth.user.claims.none}"
		}
	}`)
	s.seed()
	alice, err := s.store().UserByName(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	s.putToken(alice, "scoped", "books.read", "books.write")
	for name, test := range map[string]struct{ path, line, body string }{
		"anonymous": {"/user", "X-None: 1", "||||false|false|||||"},
		"known":     {"/user", token("token-alice"), "alice|Alice Liddell|alice@example.com|store|false|false|editors,readers|||token|id-token-alice"},
		"scopes":    {"/user", token("scoped"), "alice|Alice Liddell|alice@example.com|store|false|false|editors,readers|books.read,books.write||token|id-scoped"},
		"foreign":   {"/user", "X-Foreign: alice", "idp:alice|||https://issuer.example|false|false|alice|||test_foreign|"},
		"claims":    {"/claims", "X-Foreign: alice", "gold|a,b|true|1|"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := s.get(test.path, test.line).Body; got != test.body {
				t.Errorf("body is %q, want %q", got, test.body)
			}
		})
	}
	for line, want := range map[string][3]string{
		token("token-alice"): {"yes", "", ""},
		token("token-bob"):   {"", "yes", ""},
		"X-Foreign: x":       {"", "", "yes"},
		"X-None: 1":          {"", "", ""},
	} {
		header := s.get("/user", line).Header
		if got := [3]string{header.Get("X-Editors"), header.Get("X-Staff"), header.Get("X-Role")}; got != want {
			t.Errorf("CEL for %q: %v, want %v", line, got, want)
		}
	}
}

// Several handlers: all must allow, the last identity counts, and nothing of
// an identity outlives its handler, another's refusal, or another user.
func TestSeveralHandlers(t *testing.T) {
	hash, err := bcrypt.GenerateFromPassword([]byte("pw"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, `{{site}} {
		route {
			rest_auth {
				authenticate token
			}
			rest_auth /second* {
				authenticate test_foreign {
					user_prefix off
				}
				require user bob
			}
			basic_auth /core* {
				carol `+string(hash)+`
			}
			rest_auth /core/ours* {
				authenticate off
				require allow_any
			}
			respond "{http.auth.user.id}|{http.auth.user.groups}|{http.auth.method}|{http.auth.credential}"
		}
		handle_errors {
			respond "{err.status_code}|{http.auth.user.id}|{http.auth.user.groups}|{http.auth.candidate.id}"
		}
	}`)
	s.seed()
	tests := map[string]struct {
		path  string
		lines []string
		body  string
	}{
		"one handler":               {"/", []string{token("token-alice")}, "alice|editors,readers|token|id-token-alice"},
		"the last counts":           {"/second", []string{token("token-alice"), "X-Foreign: bob"}, "bob|bob|test_foreign|"},
		"the first refuses":         {"/second", []string{token("bad"), "X-Foreign: bob"}, "401|||"},
		"the second refuses a user": {"/second", []string{token("token-alice"), "X-Foreign: eve"}, "403|||eve"},
		"the second refuses nobody": {"/second", []string{token("token-alice")}, "403|||"},
		"seen before, and another":  {"/second", []string{token("token-alice"), "X-Foreign: bob"}, "bob|bob|test_foreign|"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := s.get(test.path, test.lines...).Body; got != test.body {
				t.Errorf("body is %q, want %q", got, test.body)
			}
		})
	}
}

// Caddy's own basic_auth names a user by static placeholders, which hide ours.
func TestOtherHandlersUsers(t *testing.T) {
	hash, err := bcrypt.GenerateFromPassword([]byte("pw"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, `{{site}} {
		route {
			rest_auth {
				authenticate test_foreign {
					user_prefix off
				}
				require allow_any
			}
			basic_auth /core* {
				carol `+string(hash)+`
			}
			rest_auth /core/ours* {
				authenticate off
				require allow_any
			}
			respond "{http.auth.user.id}|{http.auth.user.groups}|{http.auth.method}"
		}
	}`)
	for path, want := range map[string]string{
		"/":          "dora|dora|test_foreign",
		"/core":      "carol||",
		"/core/ours": "||",
	} {
		if got := s.get(path, "X-Foreign: dora", basic("carol", "pw")).Body; got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// FastCGI's REMOTE_USER comes from {http.auth.user.id}, never from a header.
func TestFastCGI(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		_ = fcgi.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			env := fcgi.ProcessEnv(r)
			_, _ = w.Write([]byte(env["REMOTE_USER"] + "|" + r.Header.Get("Remote-User")))
		}))
	}()
	s := serve(t, `{{site}} {
		rest_auth {
			authenticate token
			require allow_any
			header_up Remote-User {http.auth.user.id}
		}
		reverse_proxy `+listener.Addr().String()+` {
			transport fastcgi
		}
	}`)
	s.seed()
	for line, want := range map[string]string{
		token("token-alice"):   "alice|alice",
		"Remote-User: mallory": "|",
		"Remote_User: mallory": "|",
		"Remote.User: mallory": "|",
	} {
		if got := s.get("/", line).Body; got != want {
			t.Errorf("%q reached the upstream as %q, want %q", line, got, want)
		}
	}
}
