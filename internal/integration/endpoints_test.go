// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"strings"
	"testing"
)

const endpointsSite = `{{site}} {
	rest_auth_endpoints {
		origin https://api.example.com
		test_api /api/auth/
	}
	handle_path /under/* {
		rest_auth_endpoints {
			test_api /inner
		}
		respond "below"
	}
	handle {
		try_files {path} /index.html
		rest_auth {
			authenticate token
		}
		reverse_proxy {{echo}}
	}
}
`

func TestEndpointsPaths(t *testing.T) {
	s := serve(t, endpointsSite)
	s.seed()
	own := `{"user":"","method":"POST","id":"","base":"/api/auth/","origin":"https://api.example.com"}`
	for _, test := range []struct {
		method, path string
		lines        []string
		status       int
		body         string // a part of it
	}{
		{"POST", "/api/auth/", nil, 200, own},
		{"POST", "/api/auth", nil, 200, own},
		{"POST", "//api/./x/../auth//", nil, 200, own},
		{"POST", "/api/auth/?next=/", nil, 200, own},
		{"GET", "/api/auth/things/7/", nil, 200, `"id":"7"`},
		{"GET", "/api/auth//things//7", nil, 200, `"id":"7"`},
		{"DELETE", "/api/auth/things/a%20b", nil, 200, `"id":"a b"`},
		{"GET", "/api/auth/things/all/", nil, 200, `"id":""`},
		{"DELETE", "/api/auth/things/all/", nil, 405, `{"detail":"Method \"DELETE\" not allowed."}`},
		{"GET", "/under/inner/open/", nil, 200, `"base":"/under/inner/"`},
		{"GET", "/under/other", nil, 200, "below"},
		// Others are not ours.
		{"GET", "/api/auth/things/", nil, 401, "not provided"},
		{"GET", "/api/auth/things/7/8/", nil, 401, "not provided"},
		{"GET", "/api/authx/", nil, 401, "not provided"},
		{"GET", "/api/", nil, 401, "not provided"},
		{"GET", "/API/auth/open/", nil, 401, "not provided"},
		{"GET", "/", nil, 401, "not provided"},
	} {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			got := s.do(test.method, test.path, test.lines...)
			if got.Status != test.status || !strings.Contains(got.Body, test.body) {
				t.Errorf("%d %s, want %d %s", got.Status, got.Body, test.status, test.body)
			}
		})
	}
}

// What is decided first is what Django REST framework decides first: what the
// client accepts, who it is, then the method.
func TestEndpointsOrder(t *testing.T) {
	s := serve(t, endpointsSite)
	s.seed()
	const basicAlice = "Authorization: Basic YWxpY2U6cHc="
	for _, test := range []struct {
		name, method, path string
		lines              []string
		status             int
		challenge, body    string
	}{
		{"open, anonymous", "GET", "/api/auth/open/", nil, 200, "", `"user":""`},
		{"open, known", "GET", "/api/auth/open/", []string{basicAlice}, 200, "", `"user":"alice"`},
		{"open, bad", "GET", "/api/auth/open/", []string{"Authorization: Basic !"}, 401, `Basic realm="api"`, "base64"},
		{"login, anonymous", "POST", "/api/auth/login/", nil, 401, `Basic realm="api"`, "not provided"},
		{"login, known", "POST", "/api/auth/login/", []string{basicAlice}, 200, "", `"user":"alice"`},
		{"login, another scheme", "POST", "/api/auth/login/", []string{"Authorization: Token token-alice"}, 401, `Basic realm="api"`, "not provided"},
		{"logout, known", "POST", "/api/auth/logout/", []string{"Authorization: Token token-alice"}, 200, "", `"user":"alice"`},
		{"logout, anonymous", "POST", "/api/auth/logout/", nil, 401, "Token", "not provided"},
		{"method after the credentials", "GET", "/api/auth/logout/", nil, 401, "Token", "not provided"},
		{"method", "GET", "/api/auth/logout/", []string{"Authorization: Token token-alice"}, 405, "", `{"detail":"Method \"GET\" not allowed."}`},
		{"odd method", "BREW", "/api/auth/open/", nil, 405, "", `{"detail":"Method \"BREW\" not allowed."}`},
		{"accept before the credentials", "GET", "/api/auth/logout/", []string{"Accept: text/html"}, 406, "", `{"detail":"Could not satisfy the request Accept header."}`},
		{"accept of a page", "GET", "/api/auth/page/", []string{"Accept: text/html"}, 200, "", `"user":""`},
		{"described", "OPTIONS", "/api/auth/open/", nil, 200, "", `"name":"Open"`},
		{"described to nobody", "OPTIONS", "/api/auth/login/", nil, 401, `Basic realm="api"`, "not provided"},
		{"invalid", "GET", "/api/auth/fails/invalid/", nil, 400, "", `{"non_field_errors":["No."]}`},
		{"failure", "GET", "/api/auth/fails/failure/", nil, 403, "", `{"detail":"Bad."}`},
		{"denial", "GET", "/api/auth/fails/denial/", nil, 403, "", `{"detail":"Denied."}`},
		{"throttled", "GET", "/api/auth/fails/throttled/", nil, 429, "", `{"detail":"Request was throttled. Expected available in 1 second."}`},
		{"unavailable", "GET", "/api/auth/fails/unavailable/", nil, 503, "", `{"detail":"Service temporarily unavailable, try again later."}`},
		{"unforeseen", "GET", "/api/auth/fails/otherwise/", nil, 503, "", `{"detail":"Service temporarily unavailable, try again later."}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := s.do(test.method, test.path, test.lines...)
			if got.Status != test.status || !strings.Contains(got.Body, test.body) || got.Header.Get("Www-Authenticate") != test.challenge {
				t.Errorf("%d %q %s, want %d %q %s", got.Status, got.Header.Get("Www-Authenticate"), got.Body, test.status, test.challenge, test.body)
			}
			if store := got.Header.Get("Cache-Control"); store != "no-store" {
				t.Errorf("Cache-Control = %q", store)
			}
			if got.Header.Get("Allow") == "" {
				t.Error("Allow is missing")
			}
		})
	}
	if allow := s.get("/api/auth/open/").Header.Get("Allow"); allow != "GET, POST, HEAD, OPTIONS" {
		t.Errorf("Allow = %q", allow)
	}
	if head := s.do("HEAD", "/api/auth/open/"); head.Status != 200 || head.Body != "" {
		t.Errorf("HEAD: %d %q", head.Status, head.Body)
	}
}

// The lines of a mount stand in place of what the API requires, but for what
// accepts only what the API issued.
func TestEndpointsOwnLines(t *testing.T) {
	s := serve(t, `{
	{{global}}
	rest_auth {
		{{store}}
		authenticate token
	}
}
{{site}} {
	rest_auth_endpoints {
		test_api /api/ {
			word one
			authenticate token Bearer
			require staff
			cors https://app.example.com
			nested {
				a
				b
			}
			throttle test 2/day
			realm other
		}
		test_api /plain/
	}
	respond "next"
}
`)
	s.seed()
	for _, test := range []struct {
		name, method, path, line string
		status                   int
	}{
		{"not staff", "POST", "/api/login/", "Authorization: Bearer token-alice", 403},
		{"staff", "POST", "/api/login/", "Authorization: Bearer token-bob", 200},
		{"anonymous", "GET", "/api/open/", "X-Nothing: 1", 401},
		{"fixed, mount's keyword", "POST", "/api/logout/", "Authorization: Bearer token-bob", 401},
		{"fixed", "POST", "/api/logout/", "Authorization: Token token-alice", 200},
		{"fixed, throttled", "POST", "/api/logout/", "Authorization: Token token-bob", 200},
		{"throttled", "POST", "/api/login/", "Authorization: Bearer token-bob", 429},
		{"site's defaults", "GET", "/plain/site/", "Authorization: Token token-alice", 200},
		{"mount before the site's defaults", "GET", "/api/site/", "Authorization: Token token-root", 401},
		{"no throttle inherited", "POST", "/plain/", "X-Nothing: 1", 200},
	} {
		if got := s.do(test.method, test.path, test.line); got.Status != test.status {
			t.Errorf("%s: %d %s, want %d", test.name, got.Status, got.Body, test.status)
		}
	}
}

// Scripts of an allowed origin may read every answer, and ask beforehand.
func TestEndpointsCORS(t *testing.T) {
	s := serve(t, `{{site}} {
	rest_auth_endpoints {
		test_api /api/ {
			cors https://app.example.com
		}
	}
	respond "next"
}
`)
	const origin = "Origin: https://app.example.com"
	for _, path := range []string{"/api/open/", "/api/fails/invalid/", "/api/fails/failure/", "/api/fails/throttled/", "/api/logout/"} {
		got := s.get(path, origin)
		if got.Header.Get("Access-Control-Allow-Origin") != "https://app.example.com" ||
			got.Header.Get("Access-Control-Allow-Credentials") != "true" || len(got.Header["Vary"]) == 0 {
			t.Errorf("%s: %d %v", path, got.Status, got.Header)
		}
		if other := s.get(path, "Origin: https://evil.example").Header; other.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: another origin: %v", path, other)
		}
	}
	got := s.do("OPTIONS", "/api/logout/", origin, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization,content-type")
	if got.Status != 204 || got.Header.Get("Access-Control-Allow-Methods") != "POST, OPTIONS" ||
		got.Header.Get("Access-Control-Allow-Headers") != "authorization,content-type" || got.Body != "" {
		t.Errorf("preflight: %d %v %q", got.Status, got.Header, got.Body)
	}
	if got := s.do("OPTIONS", "/api/logout/", "Origin: https://evil.example", "Access-Control-Request-Method: POST"); got.Status != 401 {
		t.Errorf("preflight of another origin: %d", got.Status)
	}
}

// What is issued and revoked is in the log, without a secret.
func TestEndpointsAudit(t *testing.T) {
	s := serve(t, `{{site}} {
	rest_auth_endpoints {
		authtoken /authtoken/
		knox /knox/
	}
	respond "next"
}
`)
	s.seed()
	derived := s.send("POST", s.URL+"/authtoken/", strings.NewReader(`{"username":"bob","password":"pw"}`), ofJSON).Body
	made := s.do("POST", "/knox/login/", basic("alice", "pw")).Body
	secret := made[strings.LastIndex(made, `:"`)+2 : len(made)-2]
	if got := s.do("POST", "/knox/logout/", token(secret)); got.Status != 204 {
		t.Fatalf("logging out: %d %s", got.Status, got.Body)
	}
	log := s.logs.text()
	for said, want := range map[string]int{
		`"token created"`: 2, `"tokens revoked"`: 1, `rest_auth.endpoints.knox`: 2, `"kind":"authtoken"`: 1, `"revoked":1`: 1,
		secret: 0, derived[10 : len(derived)-2]: 0,
	} {
		if got := strings.Count(log, said); got < want || want == 0 && got > 0 {
			t.Errorf("the log says %s %d times, want %d:\n%s", said, got, want, log)
		}
	}
}

// Two handlers that meet the same requests cannot own one path either.
func TestEndpointsTwoHandlers(t *testing.T) {
	s := serve(t, "{{site}} {\nrespond ok\n}\n")
	for name, test := range map[string]struct {
		site string
		fine bool
	}{
		"one path":         {"rest_auth_endpoints {\ntest_api /api/\n}\nrest_auth_endpoints {\ntest_api /api\n}", false},
		"in a handle":      {"handle /x/* {\nrest_auth_endpoints {\ntest_api /x/\n}\nrest_auth_endpoints {\ntest_other /x/\n}\n}", false},
		"other paths":      {"rest_auth_endpoints {\ntest_api /a/\n}\nrest_auth_endpoints {\ntest_api /b/\n}", true},
		"told by matchers": {"@a header X a\n@b header X b\nrest_auth_endpoints @a {\ntest_api /a/\n}\nrest_auth_endpoints @b {\ntest_api /a/\n}", true},
	} {
		err := s.tryReload("{{site}} {\n" + test.site + "\nrespond ok\n}\n")
		if (err == nil) != test.fine {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && !strings.Contains(err.Error(), "are one path: mount one of them elsewhere") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
