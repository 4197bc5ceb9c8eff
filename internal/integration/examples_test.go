// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// Every example is served as it is, on other ports, and asked what its first
// comment says.
func TestExamples(t *testing.T) {
	const (
		site        = "http://localhost:8080"
		staffOffice = `{"detail":"The office is for staff."}`
		staffWrite  = `{"detail":"Only staff may change this."}`

		methodRefused = `{"detail":"Not with this method."}`
		otherGroup    = `{"detail":"This part is for another group."}`
	)
	type row struct {
		method, url, credentials string
		status                   int
		challenge                string
		body                     string // or its beginning
	}
	tokenPolicy := []row{
		{"GET", site + "/orders", "", 401, "Token", notAuthenticated},
		{"GET", site + "/orders", token("bad"), 401, "Token", invalidToken},
		{"GET", site + "/orders", token("token-alice"), 200, "", "GET /orders by alice (editors,readers)"},
		{"GET", site + "/admin/x", token("token-alice"), 403, "", staffOffice},
		{"GET", site + "/admin/x", token("token-bob"), 200, "", "GET /admin/x by bob ()"},
		{"GET", site + "/admin/x", "", 401, "Token", notAuthenticated},
	}
	tests := map[string][]row{
		"api-tokens.Caddyfile": tokenPolicy,
		"policy.json":          tokenPolicy,
		"static-site.Caddyfile": {
			{"GET", site + "/", "", 401, `Basic realm="The site"`, notAuthenticated},
			{"GET", site + "/", basic("alice", "wrong"), 401, `Basic realm="The site"`, invalidLogin},
			{"GET", site + "/", basic("alice", "pw"), 200, "", "<!"},
			{"GET", site + "/", token("token-bob"), 200, "", "<!"},
			{"HEAD", site + "/", token("token-bob"), 200, "", ""},
		},
		"public-read.Caddyfile": {
			{"GET", site + "/news", "", 200, "", "GET /news by "},
			{"GET", site + "/news", token("bad"), 401, "Token", invalidToken},
			{"POST", site + "/news", "", 401, "Token", notAuthenticated},
			{"POST", site + "/news", token("token-alice"), 403, "", staffWrite},
			{"POST", site + "/news", token("token-bob"), 200, "", "POST /news by bob"},
		},
		"office-or-login.Caddyfile": {
			{"GET", site + "/wiki", "", 401, `Basic realm="api"`, notAuthenticated},
			{"GET", site + "/wiki", "X-Forwarded-For: 192.0.2.1", 401, `Basic realm="api"`, notAuthenticated},
			{"GET", site + "/wiki", basic("alice", "wrong"), 401, `Basic realm="api"`, invalidLogin},
			{"GET", site + "/wiki", basic("alice", "pw"), 200, "", "GET /wiki by alice"},
		},
		"behind-a-proxy.Caddyfile": {
			{"GET", site + "/feed", "", 401, "Token", notAuthenticated},
			{"GET", site + "/feed", "X-Forwarded-For: 203.0.113.9", 200, "", "GET /feed by "},
			{"GET", site + "/feed", "X-Forwarded-For: 198.51.100.1, 203.0.113.9", 200, "", "GET /feed by "},
			{"GET", site + "/feed", "X-Forwarded-For: 203.0.113.9, 198.51.100.1", 401, "Token", notAuthenticated},
			{"GET", site + "/feed", "X-Forwarded-For: 203.0.114.9", 401, "Token", notAuthenticated},
			{"GET", site + "/feed", token("token-alice"), 200, "", "GET /feed by alice"},
		},
		"single-sign-on.Caddyfile": {
			{"GET", site + "/", "", 403, "", notAuthenticated},
			{"GET", site + "/", `X-Remote-User: CORP\alice`, 200, "", "GET / by alice, alice"},
			{"GET", site + "/", "X-Remote-User: mallory", 403, "", notAuthenticated},
			{"GET", site + "/", "X-Remote-User: alice, bob", 403, "", detail("Invalid remote user.")},
			{"GET", site + "/", token("token-bob"), 200, "", "GET / by bob, bob"},
			{"GET", site + "/", token("bad"), 403, "", invalidToken},
		},
		"by-method.Caddyfile": {
			{"GET", site + "/news", "", 200, "", "GET /news by "},
			{"PUT", site + "/news", "", 401, "Token", notAuthenticated},
			{"PUT", site + "/news", token("token-alice"), 403, "", methodRefused},
			{"PUT", site + "/news", token("token-bob"), 200, "", "PUT /news by bob"},
			{"PUT", site + "/news", token("token-root"), 403, "", methodRefused},
			{"DELETE", site + "/news", token("token-bob"), 403, "", methodRefused},
			{"DELETE", site + "/news", token("token-root"), 200, "", "DELETE /news by root"},
			{"PURGE", site + "/news", token("token-root"), 403, "", methodRefused},
		},
		"by-group.Caddyfile": {
			{"GET", site + "/", "", 401, "Token", notAuthenticated},
			{"GET", site + "/", token("token-bob"), 200, "", "GET / by bob"},
			{"GET", site + "/drafts/1", token("token-alice"), 200, "", "GET /drafts/1 by alice"},
			{"GET", site + "/drafts/1", token("token-carol"), 403, "", otherGroup},
			{"GET", site + "/drafts", token("token-carol"), 403, "", otherGroup},
			{"GET", site + "//drafts/1", token("token-carol"), 403, "", otherGroup},
			{"GET", site + "/x/../drafts/1", token("token-carol"), 403, "", otherGroup},
			{"GET", site + "/%64rafts/1", token("token-carol"), 403, "", otherGroup},
			{"GET", site + "/drafts;a/1", token("token-carol"), 403, "", deniedBody},
			{"GET", site + "/drafts%3Ba/1", token("token-carol"), 403, "", deniedBody},
			{"GET", site + "/drafts%5C1", token("token-carol"), 403, "", deniedBody},
			{"GET", site + "/people/1", token("token-carol"), 200, "", "GET /people/1 by carol"},
			{"GET", site + "/people/1", token("token-root"), 403, "", otherGroup},
		},
		"authtoken.Caddyfile": {
			{"GET", site + "/hello/", "", 401, "Token", notAuthenticated},
			{"GET", site + "/hello/", token("bad"), 401, "Token", invalidToken},
			{"GET", site + "/hello/", token("token-alice"), 200, "", "Hello, alice!"},
			{"GET", site + "/api-token-auth/", "", 405, "", detail(`Method \"GET\" not allowed.`)},
			{"POST", site + "/api-token-auth", "", 400, "", `{"username":["This field is required."]`},
			{"GET", site + "/me/", "", 401, "Token", notAuthenticated},
		},
		"tokens.Caddyfile": {
			{"GET", site + "/orders", "", 401, "Token", notAuthenticated},
			{"GET", site + "/orders", token("token-alice"), 403, "", deniedBody},
			{"GET", site + "/account/tokens/", "", 403, "", notAuthenticated},
			{"GET", site + "/account/tokens/?limit=x", basic("alice", "pw"), 400, "", `{"limit":["`},
			{"GET", site + "/account/tokens/openapi.json", "", 200, "", `{"components":`},
			{"GET", site + "/account/tokens/", token("token-alice"), 403, "", notAuthenticated},
		},
		"spa.Caddyfile": {
			{"GET", site + "/", "", 200, "", "<!"},
			{"GET", site + "/app.js", "", 200, "", "//"},
			{"GET", site + "/config.json", "", 200, "", `{"api": "http://localhost:`},
		},
		"oidc.Caddyfile": {
			{"GET", site + "/", "", 403, "", notAuthenticated},
			{"GET", site + "/login/login/", "", 200, "", `{"authenticated":false`},
			{"GET", site + "/auth/logout/", "", 200, "", ""},
		},
		"knox.Caddyfile": {
			{"GET", site + "/orders", "", 401, "Token", notAuthenticated},
			{"GET", site + "/orders", token("token-alice"), 401, "Token", invalidToken},
			{"GET", site + "/api/auth/login/", "", 405, "", `{"detail":"Method \"GET\" not allowed."}`},
			{"POST", site + "/api/auth/login/", "", 400, "", `{"username":["This field is required."],"password":["This field is required."]}`},
			{"POST", site + "/api/auth/logout/", "", 401, "Token", notAuthenticated},
		},
		"simplejwt.Caddyfile": {
			{"GET", site + "/", "", 401, `Bearer realm="api"`, notAuthenticated},
			{"GET", site + "/", "Authorization: Bearer x", 401, `Bearer realm="api"`, jwtNotValid("Token is invalid")},
			{"GET", site + "/api/token/", "", 405, "", `{"detail":"Method \"GET\" not allowed."}`},
			{"POST", site + "/api/token/refresh/", "", 400, "", `{"refresh":["This field is required."]}`},
			{"GET", site + "/api/token/jwks.json", "", 200, "", `{"keys":[{"crv":"P-256","kty":"EC","x":"`},
		},
		"office-hours.Caddyfile": {
			{"GET", site + "/prices", "", 401, "Token", notAuthenticated},
			{"GET", site + "/prices", token("token-alice"), 200, "", "GET /prices by alice"},
			{"PUT", site + "/prices", "X-Change-Ticket: CHG-1", 401, "Token", notAuthenticated},
			{"PUT", site + "/prices", token("token-alice") + "\nX-Change-Ticket: CHG-1", 200, "", "PUT /prices by alice"},
		},
		"entra.Caddyfile": {
			{"GET", site + "/orders", "", 401, `Bearer realm="api"`, notAuthenticated},
			{"GET", site + "/orders", "Authorization: Bearer secret", 401, `Bearer realm="api", error="invalid_token", error_description="The access token is invalid."`, notAuthenticated},
			{"GET", site + "/orders", token("token-alice"), 401, `Bearer realm="api"`, notAuthenticated},
		},
		"mcp.Caddyfile": {
			{
				"POST", site + "/mcp", "", 401, `Bearer realm="api", scope="mcp:tools", resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp"`,
				notAuthenticated,
			},
			{
				"GET", site + "/.well-known/oauth-protected-resource/mcp", "", 200, "",
				`{"resource":"https://mcp.example.com/mcp","authorization_servers":["https://login.example.com"],"scopes_supported":["mcp:tools"],`,
			},
		},
		"many-sites.Caddyfile": {
			{"GET", "http://api.localhost:8080/", "", 401, "Token", notAuthenticated},
			{"GET", "http://api.localhost:8080/", token("token-alice"), 200, "", "GET / by alice"},
			{"GET", "http://office.localhost:8080/", token("token-alice"), 403, "", deniedBody},
			{"GET", "http://office.localhost:8080/", token("token-carol"), 200, "", "GET / by carol"},
			{"GET", "http://admin.localhost:8080/", token("token-bob"), 401, `Basic realm="The office"`, notAuthenticated},
			{"GET", "http://admin.localhost:8080/", basic("alice", "pw"), 403, "", deniedBody},
			{"GET", "http://admin.localhost:8080/", basic("bob", "pw"), 200, "", "GET / by bob"},
			{"GET", "http://open.localhost:8080/", "", 200, "", "Come in."},
		},
	}
	files, err := filepath.Glob("../../examples/*.*")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir("../..")
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			rows, ok := tests[name]
			if !ok {
				t.Fatal("nothing is asked of this example")
			}
			s := serveExample(t, filepath.Join("examples", name))
			s.seed()
			s.putToken(s.putUser(tokenstore.User{Name: "carol", Active: true, Groups: []string{"employees"}}), "token-carol")
			for _, row := range rows {
				got := s.ask(row.method, row.url, row.credentials)
				if got.Status != row.status || got.Header.Get("WWW-Authenticate") != row.challenge || !strings.HasPrefix(got.Body, row.body) {
					t.Errorf("%s %s with %q: %d %q %q, want %d %q %q", row.method, row.url, row.credentials,
						got.Status, got.Header.Get("WWW-Authenticate"), got.Body, row.status, row.challenge, row.body)
				}
				if row.status == http.StatusOK && strings.Contains(got.Body, "token-") {
					t.Errorf("%s %s: the upstream was told the secret: %q", row.method, row.url, got.Body)
				}
			}
		})
	}
}

// The command lines of docs/rest_auth.md change the policy of policy.json.
func TestExamplePolicyChangedLive(t *testing.T) {
	t.Chdir("../..")
	s := serveExample(t, "examples/policy.json")
	s.seed()
	steps := []struct {
		method, path, body string
		alice              int
	}{
		{"PATCH", "/id/policy/permissions", `[{"permission": "staff"}]`, 403},
		{"PATCH", "/id/policy/permissions", `[{"permission": "authenticated"}]`, 200},
		{"POST", "/id/policy/permissions", `{"permission": "read_only"}`, 200},
		{"DELETE", "/id/policy/permissions/1", "", 200},
		{"POST", "/id/policy/permissions", `{"permission": "group", "groups": ["office"]}`, 403},
	}
	documented, err := os.ReadFile("docs/rest_auth.md")
	if err != nil {
		t.Fatal(err)
	}
	asking := &load{t: t}
	for i, step := range steps {
		got := s.send(step.method, "http://"+s.Admin+step.path, strings.NewReader(step.body), "Content-Type: application/json")
		if got.Status != http.StatusOK {
			t.Fatalf("step %d: %d %s", i, got.Status, got.Body)
		}
		asking.settled(s.visitor(), "http://localhost:8080/orders", step.alice)
	}
	for _, step := range steps[:3] {
		if !strings.Contains(string(documented), step.path) || !strings.Contains(string(documented), step.body) {
			t.Errorf("the documentation does not show %s %s", step.path, step.body)
		}
	}
}

// serveExample runs an example with its ports replaced.
func serveExample(t *testing.T, file string) *server {
	t.Helper()
	config, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Ext(file) != ".json" {
		if config, err = adapt(string(config)); err != nil {
			t.Fatal(err)
		}
	}
	site, second, upstream, admin := freeAddress(t), freeAddress(t), freeAddress(t), freeAddress(t)
	dir := t.TempDir()
	var root map[string]any
	if err := json.Unmarshal(isolate(t, config, dir), &root); err != nil {
		t.Fatal(err)
	}
	root["admin"] = map[string]any{"listen": admin, "config": map[string]any{"persist": false}}
	object(object(root, "apps"), "rest_auth")["store"] = map[string]any{"driver": "sqlite", "path": filepath.Join(dir, "rest_auth.db")}
	if config, err = json.Marshal(root); err != nil {
		t.Fatal(err)
	}
	config = bytes.ReplaceAll(config, []byte(`":8080"`), []byte(`"`+site+`"`))
	config = bytes.ReplaceAll(config, []byte(`":8081"`), []byte(`"`+second+`"`))
	config = bytes.ReplaceAll(config, []byte(`"localhost:9000"`), []byte(`"`+upstream+`"`))
	// A browser is told where it is, and where the other site is.
	config = bytes.ReplaceAll(config, []byte("http://localhost:8080"), []byte("http://localhost:"+port(site)))
	config = bytes.ReplaceAll(config, []byte("http://localhost:8081"), []byte("http://localhost:"+port(second)))
	if err := caddy.Load(config, true); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := caddy.Stop(); err != nil {
			t.Errorf("stopping Caddy: %v", err)
		}
	})
	return &server{t: t, URL: "http://" + site, Admin: admin}
}

// ask sends a request to the site whatever address its URL names. Credentials
// are header lines.
func (s *server) ask(method, url, credentials string) reply {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, url, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for line := range strings.SplitSeq(credentials, "\n") {
		if name, value, ok := strings.Cut(line, ": "); ok {
			r.Header.Set(name, value)
		}
	}
	response, err := s.visitor().Do(r)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, url, err)
	}
	return readReply(s.t, response)
}

// visitor comes to the site over a new connection for each request, whatever
// address a URL names.
func (s *server) visitor() *http.Client {
	visiting := client(s.t)
	visiting.Transport = &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, strings.TrimPrefix(s.URL, "http://"))
		},
	}
	return visiting
}
