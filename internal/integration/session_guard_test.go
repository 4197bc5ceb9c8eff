// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const guardedSite = `{{site}} {
	rest_auth {
		authenticate session
		require any authenticated read_only
	}
	reverse_proxy {{echo}}
}`

const aliceCookies = "Cookie: sessionid=" + aliceKey + "; csrftoken=" + csrfSecret

// serveAlice is a site with a session of alice's.
func serveAlice(t *testing.T, caddyfile string) (*server, tokenstore.User) {
	t.Helper()
	s := serve(t, caddyfile)
	s.seed()
	alice, err := s.store().UserByName(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	s.putSession(alice, aliceKey)
	return s, alice
}

// TestSessionBody sends forms whose token is in the body, which the upstream
// gets as it was sent, however long it is and however it arrives.
func TestSessionBody(t *testing.T) {
	s, _ := serveAlice(t, guardedSite)
	field := "csrfmiddlewaretoken=" + csrfSecret
	long := "&long=" + strings.Repeat("%41+&=", 50_000)
	for name, test := range map[string]struct {
		kind, body string
		passes     bool
	}{
		"short":            {formType, "a=1&" + field + "&b=%zz", true},
		"long":             {formType, field + long, true},
		"long, at its end": {formType, "x" + long[:70_000] + "&" + field, false},
		"parts":            {partsType, parts("csrfmiddlewaretoken", csrfSecret), true},
		"upload":           {partsType, strings.TrimSuffix(parts("csrfmiddlewaretoken", csrfSecret), "--xx--\r\n") + "--xx\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\n" + strings.Repeat("\x00\xff\r\n", 100_000) + "--xx--\r\n", true},
	} {
		for _, chunked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, chunked %v", name, chunked), func(t *testing.T) {
				var body io.Reader = strings.NewReader(test.body)
				if chunked {
					body = struct{ io.Reader }{body}
				}
				before := s.echo.hits.Load()
				got := s.send(http.MethodPost, s.URL+"/", body, aliceCookies, "Content-Type: "+test.kind)
				if !test.passes {
					if got.Status != 403 || got.Body != `{"detail":"CSRF Failed: CSRF token missing."}` || s.echo.hits.Load() != before {
						t.Errorf("%d %.100s, and the upstream was asked %d times", got.Status, got.Body, s.echo.hits.Load()-before)
					}
					return
				}
				// The echo is JSON, in which other bytes than UTF-8 are one rune.
				want, _ := json.Marshal(test.body)
				var text string
				_ = json.Unmarshal(want, &text)
				if echoed := got.forwarded(t); got.Status != 200 || echoed.Body != text || echoed.Header.Get("Content-Type") != test.kind {
					t.Errorf("%d, %d bytes of %d", got.Status, len(echoed.Body), len(text))
				}
			})
		}
	}
}

// TestSessionWebSocket opens WebSockets, of which browsers only say where they are
// from.
func TestSessionWebSocket(t *testing.T) {
	s, _ := serveAlice(t, strings.ReplaceAll(guardedSite, "authenticate session", "authenticate session {\ntrusted_origins https://app.example.com\n}"))
	open := []string{"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="}
	for origin, reason := range map[string]string{
		"":                        "",
		s.URL:                     "",
		"https://app.example.com": "",
		"http://evil.example":     "Origin checking failed - http://evil.example does not match any trusted origins.",
	} {
		lines := append([]string{aliceCookies}, open...)
		if origin != "" {
			lines = append(lines, "Origin: "+origin)
		}
		got := s.get("/", lines...)
		if reason == "" && got.Status != 200 || reason != "" && (got.Status != 403 || got.Body != detail("CSRF Failed: "+reason)) {
			t.Errorf("from %q: %d %s", origin, got.Status, got.Body)
		}
	}
	if got := s.get("/", append(open, "Origin: http://evil.example")...); got.Status != 200 {
		t.Errorf("of nobody: %d %s", got.Status, got.Body)
	}
}

// TestSessionRenewed has an answer that everybody's caches may keep, and that
// sets a cookie.
func TestSessionRenewed(t *testing.T) {
	s := serve(t, `{{site}} {
		rest_auth {
			authenticate session {
				save_every_request on
			}
		}
		reverse_proxy {{site2}}
	}
	{{site2}} {
		header Cache-Control "public, max-age=60"
		header Vary Accept
		respond x
	}`)
	s.seed()
	alice, err := s.store().UserByName(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	s.putSession(alice, aliceKey, func(c *tokenstore.Credential) { c.LastUsed = c.LastUsed.Add(-time.Hour) })
	first, second := s.get("/", aliceCookies), s.get("/", aliceCookies)
	if cookies := first.Header["Set-Cookie"]; len(cookies) != 1 || !strings.HasPrefix(cookies[0], "sessionid="+aliceKey+"; ") {
		t.Errorf("cookies %q", cookies)
	}
	for got, want := range map[*reply]string{&first: "private, public, max-age=60", &second: "public, max-age=60"} {
		if control, vary := strings.Join(got.Header["Cache-Control"], ", "), strings.Join(got.Header["Vary"], ", "); got.Status != 200 || control != want || vary != "Cookie, Accept" {
			t.Errorf("%d, Cache-Control %q, Vary %q, want %q", got.Status, control, vary, want)
		}
	}
	if len(second.Header["Set-Cookie"]) > 0 {
		t.Errorf("cookies %q", second.Header["Set-Cookie"])
	}
}

// TestSessionEnds is what ends a session that is remembered, at once.
func TestSessionEnds(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, s *server, alice tokenstore.User){
		"password": func(_ *testing.T, s *server, alice tokenstore.User) {
			alice.PasswordHash = "!another"
			s.putUser(alice)
		},
		"disabled": func(_ *testing.T, s *server, alice tokenstore.User) {
			alice.Active = false
			s.putUser(alice)
		},
		"user deleted, and the name taken again": func(t *testing.T, s *server, alice tokenstore.User) {
			if err := s.store().DeleteUser(t.Context(), alice.Key); err != nil {
				t.Fatal(err)
			}
			s.putUser(tokenstore.User{Name: "alice", Active: true})
		},
		"ended": func(t *testing.T, s *server, alice tokenstore.User) {
			filter := tokenstore.Filter{UserKey: alice.Key, Kind: tokenstore.KindSession}
			if n, err := s.store().Delete(t.Context(), filter); n != 1 || err != nil {
				t.Fatalf("%d sessions ended, %v", n, err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, alice := serveAlice(t, "{{site}} {\nrest_auth {\nauthenticate session\n}\nrespond {http.auth.user.id}\n}")
			for range 2 {
				if got := s.get("/", aliceCookies); got.Status != 200 || got.Body != "alice" {
					t.Fatalf("%d %s", got.Status, got.Body)
				}
			}
			end(t, s, alice)
			s.get("/", aliceCookies).expect(t, 403, "-", notAuthenticated)
		})
	}
}

// TestSessionState leaves nothing behind for requests without a session.
func TestSessionState(t *testing.T) {
	s, _ := serveAlice(t, guardedSite)
	for _, lines := range [][]string{nil, {"Cookie: sessionid=" + strings.Repeat("z", 32)}, {"Cookie: csrftoken=" + csrfSecret}} {
		for _, method := range []string{"GET", "POST"} {
			if got := s.do(method, "/", lines...); len(got.Header["Set-Cookie"]) > 0 {
				t.Errorf("%s %q sets %q", method, lines, got.Header["Set-Cookie"])
			}
		}
	}
	page, _, err := s.store().List(t.Context(), tokenstore.Filter{Kind: tokenstore.KindSession}, "", 10)
	if err != nil || len(page) != 1 {
		t.Errorf("%d sessions, %v, want alice's", len(page), err)
	}
}

// TestSessionHostile echoes what a client sent as Origin in a body that is JSON,
// and not more of it than that.
func TestSessionHostile(t *testing.T) {
	s, _ := serveAlice(t, guardedSite)
	for _, origin := range []string{"\xff\xfe", `"><script>`, "a\tb", strings.Repeat("x", 10_000), "\u2028\u0085", `\"`} {
		got := s.do("POST", "/", aliceCookies, "Origin: "+origin, "X-CSRFToken: "+csrfSecret)
		var body struct{ Detail string }
		if err := json.Unmarshal([]byte(got.Body), &body); got.Status != 403 || err != nil || len(got.Body) > 1000 || !strings.HasPrefix(body.Detail, "CSRF Failed: Origin checking failed - ") {
			t.Errorf("%.50q: %d %.300s", origin, got.Status, got.Body)
		}
	}
	for _, cookie := range []string{strings.Repeat("sessionid="+strings.Repeat("a", 31)+"b; ", 200), strings.Repeat(";", 10_000), "sessionid=" + strings.Repeat("a", 10_000), "\xff=\xff"} {
		s.do("POST", "/", "Cookie: "+cookie).expect(t, 403, "-", notAuthenticated)
	}
}

// TestSessionLenient shows that `invalid anonymous` is not for CSRF, and who was
// refused.
func TestSessionLenient(t *testing.T) {
	s, _ := serveAlice(t, `{
		{{global}}
		rest_auth {
			{{store}}
		}
	}
	{{site}} {
		log
		rest_auth {
			authenticate token
			authenticate session
			invalid anonymous
			require allow_any
		}
		respond "{http.auth.user.id}"
	}`)
	const missing = `{"detail":"CSRF Failed: CSRF token missing."}`
	s.do("POST", "/", aliceCookies).expect(t, 403, "-", missing)
	s.do("POST", "/", aliceCookies, token("bad")).expect(t, 403, "-", missing)
	s.do("POST", "/", aliceCookies, token("token-bob")).expect(t, 200, "-", "bob")
	s.do("POST", "/", token("bad")).expect(t, 200, "-", "")
	for _, line := range s.logs.await("handled request", 4)[:2] {
		if line["auth_code"] != "csrf_failed" || line["auth_candidate"] != "alice" {
			t.Errorf("logged %v and %v", line["auth_code"], line["auth_candidate"])
		}
	}
}

// TestSessionLogin sends people to where they log in, and programs nowhere.
func TestSessionLogin(t *testing.T) {
	s, _ := serveAlice(t, `{{site}} {
		handle_path /app/* {
			rest_auth {
				authenticate token
				authenticate session {
					login_url /login/
				}
				require staff
			}
			respond "{http.auth.user.id}"
		}
	}`)
	got := s.get("/app/a%2Fb?c=d&e", "Accept: text/html")
	if got.Status != 302 || got.Header.Get("Location") != "/login/?next=%2Fapp%2Fa%252Fb%3Fc%3Dd%26e" || got.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v", got.Status, got.Header)
	}
	if got := s.get("/app/", "Sec-Fetch-Mode: navigate"); got.Status != 302 {
		t.Errorf("a navigation was answered %d", got.Status)
	}
	s.get("/app/", "Accept: application/json").expect(t, 401, "Token", notAuthenticated)
	s.get("/app/", "Accept: text/html", "Sec-Fetch-Mode: cors").expect(t, 401, "Token", notAuthenticated)
	s.get("/app/", "Accept: text/html", token("bad")).expect(t, 401, "Token", invalidToken)
	s.do("POST", "/app/", "Accept: text/html").expect(t, 401, "Token", notAuthenticated)
	s.get("/app/", "Accept: text/html", aliceCookies).expect(t, 403, "-", deniedBody)
	s.do("POST", "/app/", "Accept: text/html", "Cookie: sessionid="+aliceKey).expect(t, 403, "-", `{"detail":"CSRF Failed: CSRF cookie not set."}`)
}

// TestSessionExplained tells an operator of the guard, and what is wrong with
// a cookie.
func TestSessionExplained(t *testing.T) {
	s, _ := serveAlice(t, guardedSite)
	for name, test := range map[string]struct {
		method        string
		lines         []string
		verdict, text string
	}{
		"refused":    {"POST", []string{aliceCookies}, "denied", "CSRF Failed: CSRF token missing."},
		"allowed":    {"POST", []string{aliceCookies, "X-CSRFToken: " + csrfSecret}, "allowed", ""},
		"no session": {"GET", []string{"Cookie: sessionid=" + strings.Repeat("z", 32)}, "anonymous", "no credentials: no live session"},
	} {
		t.Run(name, func(t *testing.T) {
			report := s.explain(test.method, "/", test.lines...)
			encoded, _ := json.Marshal(report)
			if len(report.Judged) != 1 || report.Judged[0].Verdict != test.verdict || !strings.Contains(string(encoded), test.text) {
				t.Errorf("explained by %s", encoded)
			}
			if strings.Contains(string(encoded), aliceKey) || strings.Contains(string(encoded), csrfSecret) {
				t.Errorf("a secret is shown: %s", encoded)
			}
		})
	}
}

// TestSessionFirstIsToldOf warns where a cookie outranks what a program sends.
func TestSessionFirstIsToldOf(t *testing.T) {
	for name, test := range map[string]struct {
		site string
		told int
	}{
		"session, token": {"rest_auth {\nauthenticate session\nauthenticate token\n}", 1},
		"token, session": {"rest_auth {\nauthenticate token\nauthenticate session\n}", 0},
		"session":        {"rest_auth {\nauthenticate session\n}", 0},
		// What an API does unless it is told otherwise is nobody's mistake.
		"APIs":    {"rest_auth_endpoints {\nknox /knox/\ntokens /tokens/\n}", 0},
		"a mount": {"rest_auth_endpoints {\nwhoami /me/ {\nauthenticate session\nauthenticate basic\n}\n}", 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, "{{site}} {\n"+test.site+"\n}")
			if got := strings.Count(s.logs.text(), "an authenticator with CSRF protection comes before"); got != test.told {
				t.Errorf("told %d times, want %d", got, test.told)
			}
		})
	}
}
