// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"strings"
	"testing"
)

const secureSite = `{
	{{global}}
	servers {
		trusted_proxies static %s
	}
	rest_auth {
		{{store}}
	}
}
{{site}} {
	rest_auth_endpoints {
		session /auth/
	}
}`

// TestSessionSecure marks both cookies of a login that came over TLS, if who
// says so is trusted.
func TestSessionSecure(t *testing.T) {
	for name, test := range map[string]struct {
		proxies, proto string
		secure         bool
	}{
		"trusted, https": {"127.0.0.1/32", "https", true},
		"trusted, http":  {"127.0.0.1/32", "http", false},
		"a stranger":     {"192.0.2.0/24", "https", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, strings.Replace(secureSite, "%s", test.proxies, 1))
			s.seed()
			origin := s.URL
			if test.secure {
				origin = strings.Replace(origin, "http:", "https:", 1)
			}
			body := strings.NewReader(`{"username": "alice", "password": "pw"}`)
			got := s.send("POST", s.URL+"/auth/login/", body, "Content-Type: application/json", "Accept: application/json", "X-Forwarded-Proto: "+test.proto,
				"Origin: "+origin, "Cookie: csrftoken="+csrfSecret, "X-CSRFToken: "+csrfSecret)
			cookies := got.Header["Set-Cookie"]
			if got.Status != 200 || len(cookies) != 2 {
				t.Fatalf("%d %s %q", got.Status, got.Body, cookies)
			}
			for _, line := range cookies {
				if strings.Contains(line, "; Secure") != test.secure || !strings.Contains(line, "; SameSite=Lax") || !strings.Contains(line, "; Path=/;") {
					t.Errorf("%s", line)
				}
			}
		})
	}
}
