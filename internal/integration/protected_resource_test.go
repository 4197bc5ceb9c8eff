// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/idptest"
)

// TestProtectedResource goes the way of a client of the Model Context Protocol: it
// is refused, finds out where to get a token, gets one, and is let in.
func TestProtectedResource(t *testing.T) {
	idp := idptest.New(t)
	s := serve(t, `{{site}} {
		rest_auth_endpoints {
			protected_resource /.well-known/oauth-protected-resource/mcp {
				resource http://127.0.0.1:{{port}}/mcp
				authorization_servers `+idp.Issuer()+`
				scopes_supported read
			}
		}
		rest_auth {
			authenticate jwt {
				issuer `+idp.Issuer()+`
				audience http://127.0.0.1:{{port}}/mcp
				resource_metadata http://127.0.0.1:{{port}}/.well-known/oauth-protected-resource/mcp
				`+local+`
			}
			require scope read
		}
		`+printUser+`
	}`)
	refused := s.do(http.MethodPost, "/mcp")
	if refused.Status != 401 {
		t.Fatalf("%d %s", refused.Status, refused.Body)
	}
	found := regexp.MustCompile(`^Bearer .*resource_metadata="([^"]+)"`).FindStringSubmatch(refused.Header.Get("WWW-Authenticate"))
	if found == nil {
		t.Fatalf("no resource_metadata in %q", refused.Header)
	}
	answer := s.send(http.MethodGet, found[1], nil, "Origin: https://inspector.example.com", "Accept: text/html")
	var metadata struct {
		Resource string   `json:"resource"`
		Servers  []string `json:"authorization_servers"`
		Scopes   []string `json:"scopes_supported"`
	}
	if err := json.Unmarshal([]byte(answer.Body), &metadata); err != nil || answer.Status != 200 {
		t.Fatalf("%d %s: %v", answer.Status, answer.Body, err)
	}
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=300", "Content-Type": "application/json",
	} {
		if got := answer.Header.Get(name); got != want {
			t.Errorf("%s %q, want %q", name, got, want)
		}
	}
	// RFC 9728 section 3.3: the resource is what the client asked for.
	if metadata.Resource != s.URL+"/mcp" || len(metadata.Servers) != 1 {
		t.Fatalf("%+v", metadata)
	}
	discovered := s.send(http.MethodGet, metadata.Servers[0]+"/.well-known/openid-configuration", nil)
	if discovered.Status != 200 || !strings.Contains(discovered.Body, idp.Issuer()) {
		t.Fatalf("%d %s", discovered.Status, discovered.Body)
	}
	claims := map[string]any{"sub": "u1", "aud": metadata.Resource, "scope": strings.Join(metadata.Scopes, " ")}
	s.do(http.MethodPost, "/mcp", bearerToken(idp.Sign(claims))).expect(t, 200, "-", "u1|"+idp.Issuer()+"|u1|read|||jwt")
	claims["scope"] = ""
	s.do(http.MethodPost, "/mcp", bearerToken(idp.Sign(claims))).expect(t, 403, `Bearer realm="api", error="insufficient_scope", `+
		`error_description="The request requires higher privileges than provided by the access token.", scope="read", resource_metadata="`+found[1]+`"`, deniedBody)
}

// TestProtectedResource_requests is who may ask, and how.
func TestProtectedResource_requests(t *testing.T) {
	const path = "/.well-known/oauth-protected-resource"
	s := serve(t, `{{site}} {
		rest_auth_endpoints {
			origin https://api.example.com
			protected_resource `+path+` {
				cors https://app.example.com
				throttle metadata 8/minute
			}
			protected_resource `+path+`/mcp
		}
		rest_auth {
			authenticate token
		}
		respond ok
	}`)
	const document = `{"resource":"https://api.example.com","bearer_methods_supported":["header"]}` + "\n"
	for _, lines := range [][]string{
		{path},
		{path + "/"},
		{path, "Authorization: Bearer x", "Cookie: sessionid=x"},
		{path, "Host: evil.example.com"},
		{path, "Accept: image/png"},
	} {
		got := s.get(lines[0], lines[1:]...)
		got.expect(t, 200, "-", document)
	}
	app := s.get(path, "Origin: https://app.example.com")
	if app.Header.Get("Access-Control-Allow-Origin") != "*" || app.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("%v", app.Header)
	}
	if got := s.get(path + "/mcp"); !strings.Contains(got.Body, `"resource":"https://api.example.com/mcp"`) {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	head := s.do(http.MethodHead, path+"/mcp")
	if head.Status != 200 || head.Body != "" || head.Header.Get("Content-Length") == "" {
		t.Errorf("HEAD: %d %v", head.Status, head.Header)
	}
	preflight := s.do(http.MethodOptions, path+"/mcp", "Origin: https://x.example.com", "Access-Control-Request-Method: GET",
		"Access-Control-Request-Headers: mcp-protocol-version")
	if preflight.Status != 204 || preflight.Header.Get("Access-Control-Allow-Origin") != "*" || preflight.Header.Get("Access-Control-Allow-Headers") != "*" {
		t.Errorf("OPTIONS: %d %v", preflight.Status, preflight.Header)
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete} {
		s.do(method, path+"/mcp").expect(t, 405, "-", detail(`Method \"`+method+`\" not allowed.`))
	}
	// Other paths below are the next handler's.
	s.get(path+"/mcp/other").expect(t, 401, "Token", notAuthenticated)
	s.awaitAnswer(429, path)
}

// TestProtectedResource_client has an independent client derive the path, and
// compare the resource with what it has asked for.
func TestProtectedResource_client(t *testing.T) {
	s := serve(t, `{{site}} {
		rest_auth_endpoints {
			protected_resource /.well-known/oauth-protected-resource {
				resource http://127.0.0.1:{{port}}
				authorization_servers https://login.example.com
			}
			protected_resource /.well-known/oauth-protected-resource/a/mcp {
				resource http://127.0.0.1:{{port}}/a/mcp
				scopes_supported tools.call
			}
		}
		respond ok
	}`)
	for path, want := range map[string]string{
		"":       `{"resource":"` + s.URL + `","authorization_servers":["https://login.example.com"],"bearer_methods_supported":["header"]}`,
		"/a/mcp": `{"resource":"` + s.URL + `/a/mcp","scopes_supported":["tools.call"],"bearer_methods_supported":["header"]}`,
	} {
		if got := strings.TrimSpace(peer(t, "resource-metadata.js", s.URL+path)); got != want {
			t.Errorf("%q: %s, want %s", path, got, want)
		}
	}
}
