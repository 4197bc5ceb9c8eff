// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package auth_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

func TestIdentity_Claim(t *testing.T) {
	const claims = `{
		"sub": "alice", "age": 7, "none": null,
		"realm_access": {"roles": ["a", "b"], "deep": {"er": true}},
		"https://example.com/roles": {"x": ["c"]},
		"a.b": "dotted", "a": {"b": "nested"}
	}`
	tests := map[string]struct {
		claims, path string
		want         any
		ok           bool
	}{
		"string":                 {claims, "sub", "alice", true},
		"number":                 {claims, "age", int64(7), true},
		"large number":           {`{"id":9007199254740993}`, "id", int64(9007199254740993), true},
		"fraction":               {`{"n":[1.5,{"m":2}]}`, "n", []any{1.5, map[string]any{"m": int64(2)}}, true},
		"null":                   {claims, "none", nil, true},
		"nested":                 {claims, "realm_access.roles", []any{"a", "b"}, true},
		"deeper":                 {claims, "realm_access.deep.er", true, true},
		"object":                 {claims, "realm_access.deep", map[string]any{"er": true}, true},
		"whole name first":       {claims, "a.b", "dotted", true},
		"below a name with dots": {`{"kubernetes.io":{"namespace":"shop"},"kubernetes":{"io":1}}`, "kubernetes.io.namespace", "shop", true},
		"dots on every level":    {`{"a.b":{"c.d":{"e":1}}}`, "a.b.c.d.e", int64(1), true},
		"only dots":              {claims, "...", nil, false},
		"name with dots":         {claims, "https://example.com/roles", map[string]any{"x": []any{"c"}}, true},
		"exact case":             {claims, "SUB", nil, false},
		"absent":                 {claims, "email", nil, false},
		"absent below":           {claims, "realm_access.groups", nil, false},
		"below a string":         {claims, "sub.x", nil, false},
		"below nothing":          {claims, "email.x", nil, false},
		"empty path":             {claims, "", nil, false},
		"no claims":              {"", "sub", nil, false},
		"claims not an object":   {`["sub"]`, "sub", nil, false},
		"claims not JSON":        {`{"sub":`, "sub", nil, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			id := &auth.Identity{Claims: json.RawMessage(test.claims)}
			got, ok := id.Claim(test.path)
			if ok != test.ok || !reflect.DeepEqual(got, test.want) {
				t.Errorf("Claim(%q) = %v, %v, want %v, %v", test.path, got, ok, test.want, test.ok)
			}
		})
	}
}

func TestIdentity_kinds(t *testing.T) {
	tests := map[string]struct {
		id                     *auth.Identity
		authenticated, hasUser bool
	}{
		"nil":                {nil, false, false},
		"anonymous":          {auth.Anonymous, false, false},
		"user":               {&auth.Identity{ID: "alice", Method: "token"}, true, true},
		"client credentials": {&auth.Identity{Client: "app", Method: "token"}, true, false},
		"candidate":          {&auth.Identity{ID: "alice"}, false, true},
	}
	for name, test := range tests {
		if got := test.id.Authenticated(); got != test.authenticated {
			t.Errorf("%s: Authenticated() = %v, want %v", name, got, test.authenticated)
		}
		if got := test.id.HasUser(); got != test.hasUser {
			t.Errorf("%s: HasUser() = %v, want %v", name, got, test.hasUser)
		}
	}
}

func TestIdentity_has(t *testing.T) {
	id := &auth.Identity{Groups: []string{"g"}, Scopes: []string{"s"}, Permissions: []string{"shop.add_order"}}
	super := &auth.Identity{Superuser: true}
	tests := map[string]struct{ got, want bool }{
		"group":                       {id.InGroup("g"), true},
		"group in other case":         {id.InGroup("G"), false},
		"no group":                    {id.InGroup(""), false},
		"scope":                       {id.HasScope("s"), true},
		"scope is not a group":        {id.HasScope("g"), false},
		"permission":                  {id.HasPermission("shop.add_order"), true},
		"other permission":            {id.HasPermission("shop.delete_order"), false},
		"superuser's permission":      {super.HasPermission("shop.delete_order"), true},
		"superuser is in no group":    {super.InGroup("g"), false},
		"superuser has no scope":      {super.HasScope("s"), false},
		"anonymous has no permission": {auth.Anonymous.HasPermission("shop.add_order"), false},
	}
	for name, test := range tests {
		if test.got != test.want {
			t.Errorf("%s: %v, want %v", name, test.got, test.want)
		}
	}
}

func TestUserPrefix(t *testing.T) {
	const issuer = "https://login.example.com"
	tests := map[string]auth.Source{
		"":        {Name: issuer},
		"off":     {Name: issuer, Told: true},
		"github:": {Name: issuer, Prefix: "github:", Told: true},
	}
	for word, want := range tests {
		if got := (auth.UserPrefix{UserPrefix: word}).Source(issuer); got != want {
			t.Errorf("user_prefix %q: Source = %+v, want %+v", word, got, want)
		}
	}
}
