// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package permissions

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

func TestScopes(t *testing.T) {
	const methods = `method_scopes {
		GET read
		POST write groups | introspection
		PUT a|b c
		PUT d
	}`
	tests := []struct {
		permission, method, scopes string
		want                       bool
	}{
		{"scope a b", "GET", "a b c", true},
		{"scope a b", "GET", "b a", true},
		{"scope a b", "GET", "a", false},
		{"scope a b", "GET", "", false},
		{"scope read", "GET", "readers", false},
		{"scope read", "GET", "Read", false},

		{"read_write_scope", "GET", "read", true},
		{"read_write_scope", "HEAD", "read", true},
		{"read_write_scope", "OPTIONS", "write", false},
		{"read_write_scope", "GET", "write", false},
		{"read_write_scope", "POST", "write", true},
		{"read_write_scope", "TRACE", "read", false},
		{"read_write_scope", "POST", "read", false},
		{"read_write_scope books", "GET", "read", false},
		{"read_write_scope books", "GET", "books", false},
		{"read_write_scope books", "GET", "read books", true},
		{"read_write_scope books", "DELETE", "write books", true},
		{"read_write_scope {\nread_scope r\nwrite_scope w\n}", "GET", "r", true},
		{"read_write_scope {\nread_scope r\nwrite_scope w\n}", "GET", "read", false},
		{"read_write_scope {\nread_scope r\nwrite_scope w\n}", "PUT", "w", true},
		{"read_write_scope {\nread_scope r\n}", "PUT", "write", true},

		{"resource_scope music", "GET", "music:read", true},
		{"resource_scope music", "POST", "music:read", false},
		{"resource_scope music", "POST", "music:write", true},
		{"resource_scope music", "GET", "music:write", false},
		{"resource_scope music", "GET", "music read", false},
		{"resource_scope music film", "GET", "music:read", false},
		{"resource_scope music film", "GET", "music:read film:read", true},
		{"resource_scope music {\nread_scope r\n}", "GET", "music:r", true},

		{methods, "GET", "read", true},
		{methods, "HEAD", "read", false},
		{methods, "OPTIONS", "read write groups introspection", false},
		{methods, "POST", "write", false},
		{methods, "POST", "write groups", true},
		{methods, "POST", "introspection", true},
		{methods, "POST", "read", false},
		{methods, "PUT", "a", true},
		{methods, "PUT", "b", false},
		{methods, "PUT", "c b", true},
		{methods, "PUT", "d", true},
		{methods, "get", "read", false},
	}
	for _, tt := range tests {
		p := mustParse(t, tt.permission)
		id := &auth.Identity{ID: "root", Method: "oauth2", Superuser: true, Scopes: strings.Fields(tt.scopes)}
		if got := allow(t, p, tt.method, id); got != tt.want {
			t.Errorf("%s: %s with scopes %q = %v, want %v", tt.permission, tt.method, tt.scopes, got, tt.want)
		}
	}
}

func TestAuthenticatedOrScope(t *testing.T) {
	claims := json.RawMessage(`{"sub":"x"}`)
	tests := map[string]struct {
		id   auth.Identity
		want bool
	}{
		"session":                     {auth.Identity{ID: "a", Method: "session"}, true},
		"basic":                       {auth.Identity{ID: "a", Method: "basic"}, true},
		"token of a client":           {auth.Identity{ID: "a", Method: "token", Client: "cli"}, true},
		"token with other scopes":     {auth.Identity{ID: "a", Method: "token", Scopes: []string{"x"}}, false},
		"token with the scopes":       {auth.Identity{ID: "a", Method: "token", Scopes: []string{"s", "t"}}, true},
		"simplejwt":                   {auth.Identity{ID: "a", Method: "simplejwt", Claims: claims}, true},
		"oauth2 without scopes":       {auth.Identity{ID: "a", Method: "oauth2"}, false},
		"oauth2 with one scope":       {auth.Identity{ID: "a", Method: "oauth2", Scopes: []string{"s"}}, false},
		"oauth2 with the scopes":      {auth.Identity{ID: "a", Method: "oauth2", Scopes: []string{"t", "s"}}, true},
		"client with the scopes":      {auth.Identity{Method: "oauth2", Client: "c", Scopes: []string{"t", "s"}}, true},
		"introspection":               {auth.Identity{ID: "a", Method: "introspection"}, false},
		"jwt":                         {auth.Identity{ID: "a", Method: "jwt"}, false},
		"entra":                       {auth.Identity{ID: "a", Method: "entra"}, false},
		"elsewhere":                   {auth.Identity{ID: "a", Method: "ldap"}, true},
		"elsewhere with claims":       {auth.Identity{ID: "a", Method: "okta", Claims: claims}, false},
		"elsewhere of a client":       {auth.Identity{ID: "a", Method: "okta", Client: "c"}, false},
		"client certificate, no user": {auth.Identity{Method: "client_cert"}, false},
		"anonymous":                   {auth.Identity{}, false},
	}
	p := mustParse(t, "authenticated_or_scope s t")
	for name, tt := range tests {
		if got := allow(t, p, "GET", &tt.id); got != tt.want {
			t.Errorf("%s = %v, want %v", name, got, tt.want)
		}
	}
}
