// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package protectedresource

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-rest-auth/caddy-rest-auth/endpoints"
)

// mounted returns an endpoint as its Caddyfile sets it up.
func mounted(t *testing.T, origin, path, lines string) (*Endpoint, error) {
	t.Helper()
	e := new(Endpoint)
	if err := e.UnmarshalCaddyfile(caddyfile.NewTestDispenser("protected_resource {\n" + lines + "\n}")); err != nil {
		return nil, err
	}
	if err := e.resolve(); err != nil {
		return nil, err
	}
	return e, e.Mount(endpoints.Mount{Path: path + "/", Origin: origin})
}

func TestEndpoint(t *testing.T) {
	t.Setenv("ISSUER", "https://login.example.com/realm")
	tests := map[string]struct{ origin, path, lines, want string }{
		"least": {
			path: wellKnown, lines: "resource https://api.example.com",
			want: `{"resource":"https://api.example.com","bearer_methods_supported":["header"]}`,
		},
		"a final slash": {
			path: wellKnown, lines: "resource https://api.example.com/",
			want: `{"resource":"https://api.example.com/","bearer_methods_supported":["header"]}`,
		},
		"a path": {
			path: wellKnown + "/mcp", lines: "resource https://api.example.com/mcp",
			want: `{"resource":"https://api.example.com/mcp","bearer_methods_supported":["header"]}`,
		},
		"by origin": {
			origin: "https://api.example.com", path: wellKnown, lines: "bearer_methods_supported none",
			want: `{"resource":"https://api.example.com","bearer_methods_supported":[]}`,
		},
		"by origin, with a path": {
			origin: "https://api.example.com", path: wellKnown + "/a/b",
			want: `{"resource":"https://api.example.com/a/b","bearer_methods_supported":["header"]}`,
		},
		"development": {
			path: wellKnown, lines: "resource http://127.0.0.1:8080\nauthorization_servers http://localhost:9000",
			want: `{"resource":"http://127.0.0.1:8080","authorization_servers":["http://localhost:9000"],"bearer_methods_supported":["header"]}`,
		},
		"all": {
			path: wellKnown, lines: `resource https://api.example.com
				authorization_servers {env.ISSUER} https://other.example.com
				jwks_uri https://api.example.com/jwks.json
				scopes_supported read write
				bearer_methods_supported header query
				resource_signing_alg_values_supported ES256
				resource_name "The <API>"
				resource_documentation https://api.example.com/docs
				resource_policy_uri https://api.example.com/policy
				resource_tos_uri https://api.example.com/terms
				tls_client_certificate_bound_access_tokens
				authorization_details_types_supported payment
				dpop_signing_alg_values_supported ES256 EdDSA
				dpop_bound_access_tokens_required on`,
			want: `{"resource":"https://api.example.com",` +
				`"authorization_servers":["https://login.example.com/realm","https://other.example.com"],` +
				`"jwks_uri":"https://api.example.com/jwks.json","scopes_supported":["read","write"],` +
				`"bearer_methods_supported":["header","query"],"resource_signing_alg_values_supported":["ES256"],` +
				`"resource_name":"The \u003cAPI\u003e","resource_documentation":"https://api.example.com/docs",` +
				`"resource_policy_uri":"https://api.example.com/policy","resource_tos_uri":"https://api.example.com/terms",` +
				`"tls_client_certificate_bound_access_tokens":true,"authorization_details_types_supported":["payment"],` +
				`"dpop_signing_alg_values_supported":["ES256","EdDSA"],"dpop_bound_access_tokens_required":true}`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e, err := mounted(t, tt.origin, tt.path, tt.lines)
			if err != nil {
				t.Fatal(err)
			}
			w := httptest.NewRecorder()
			if err := e.Routes()[0].Actions[http.MethodGet](w, httptest.NewRequest(http.MethodGet, tt.path, nil), nil); err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimSpace(w.Body.String()); got != tt.want {
				t.Errorf("%s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestEndpoint_errors(t *testing.T) {
	const good = "resource https://api.example.com\n"
	tests := map[string]struct{ path, lines, want string }{
		"no resource":      {wellKnown, "", "resource: say what clients know the resource as"},
		"relative":         {wellKnown, "resource /api", "resource: '/api' is not a URL"},
		"http":             {wellKnown, "resource http://api.example.com", "resource: 'http://api.example.com' is not a URL"},
		"user":             {wellKnown, "resource https://a@api.example.com", "is not a URL"},
		"fragment":         {wellKnown, "resource https://api.example.com#a", "is not a URL"},
		"empty fragment":   {wellKnown, `resource "https://api.example.com#"`, "is not a URL"},
		"query":            {wellKnown, "resource https://api.example.com?a=b", "has a query"},
		"elsewhere":        {"/metadata", good, "write `protected_resource /.well-known/oauth-protected-resource`"},
		"path too much":    {wellKnown + "/mcp", good, "write `protected_resource /.well-known/oauth-protected-resource`"},
		"path missing":     {wellKnown, "resource https://api.example.com/mcp", "at /.well-known/oauth-protected-resource/mcp: write"},
		"issuer":           {wellKnown, good + "authorization_servers login", "authorization_servers: 'login' is not a URL"},
		"issuer's query":   {wellKnown, good + "authorization_servers https://a/?b", "authorization_servers: 'https://a/?b' has a query"},
		"page":             {wellKnown, good + "resource_tos_uri terms", "resource_tos_uri: 'terms' is not a URL"},
		"scope":            {wellKnown, good + `scopes_supported "a b"`, "scopes_supported: 'a b' is not a scope"},
		"body":             {wellKnown, good + "bearer_methods_supported body", "tokens in a body are not read"},
		"method":           {wellKnown, good + "bearer_methods_supported cookie", "'cookie' is not header, query or none"},
		"alg none":         {wellKnown, good + "resource_signing_alg_values_supported none", "'none' is not allowed"},
		"dpop by a secret": {wellKnown, good + "dpop_signing_alg_values_supported HS256", "asymmetric"},
		"dpop of no alg":   {wellKnown, good + "dpop_bound_access_tokens_required", "say dpop_signing_alg_values_supported"},
		"placeholder":      {wellKnown, "resource {nothing.of.the.kind}", "resource: unrecognized placeholder"},
		"twice":            {wellKnown, good + good, "resource is given twice"},
		"none":             {wellKnown, good + "scopes_supported", "wrong argument count"},
		"no method":        {wellKnown, good + "bearer_methods_supported", "expected header or query, or none"},
		"unknown":          {wellKnown, good + "signed_metadata x", "unrecognized subdirective 'signed_metadata'"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := mounted(t, "", tt.path, tt.lines); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}

func TestEndpoint_headers(t *testing.T) {
	e, err := mounted(t, "", wellKnown, "resource https://api.example.com")
	if err != nil {
		t.Fatal(err)
	}
	actions := e.Routes()[0].Actions
	w := httptest.NewRecorder()
	w.Header().Set("Access-Control-Allow-Credentials", "true")
	w.Header().Set("Cache-Control", "no-store")
	if err := actions[http.MethodGet](w, httptest.NewRequest(http.MethodHead, wellKnown, nil), nil); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json", "Cache-Control": "public, max-age=300",
		"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Credentials": "", "Content-Length": "77",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s %q, want %q", name, got, want)
		}
	}
	if w.Code != 200 || w.Body.Len() != 0 {
		t.Errorf("HEAD: %d %q", w.Code, w.Body)
	}
	w = httptest.NewRecorder()
	if err := actions[http.MethodOptions](w, httptest.NewRequest(http.MethodOptions, wellKnown, nil), nil); err != nil {
		t.Fatal(err)
	}
	if w.Code != 204 || w.Header().Get("Access-Control-Allow-Origin") != "*" || w.Header().Get("Access-Control-Allow-Headers") != "*" {
		t.Errorf("OPTIONS: %d %v", w.Code, w.Header())
	}
}
