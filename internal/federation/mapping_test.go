// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package federation

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

func TestMapping_Identity(t *testing.T) {
	roles := []string{"realm_access.roles"}
	admin := &Flag{Claim: "realm_access.roles", Values: []string{"admin"}}
	tests := map[string]struct {
		mapping Mapping
		claims  string
		want    auth.Identity
		problem string // in the cause of the failure
	}{
		"defaults": {
			claims: `{"sub":"u1","name":"Alice A.","email":"a@example.com","scope":"read  write read","azp":"app","jti":"j1"}`,
			want:   auth.Identity{ID: "u1", Name: "Alice A.", Email: "a@example.com", Scopes: []string{"read", "write"}, Client: "app", Credential: "j1"},
		},
		"scopes of both claims":     {claims: `{"sub":"u","scope":"a b","scp":["b","c"]}`, want: auth.Identity{ID: "u", Scopes: []string{"a", "b", "c"}}},
		"roles when they are named": {mapping: Mapping{ScopeClaim: []string{"roles"}}, claims: `{"sub":"u","scope":"a","roles":["x"]}`, want: auth.Identity{ID: "u", Scopes: []string{"x"}}},
		"no roles otherwise":        {claims: `{"sub":"u","roles":["x"]}`, want: auth.Identity{ID: "u"}},
		"scope null":                {claims: `{"sub":"u","scope":null}`, want: auth.Identity{ID: "u"}},
		"scope a number":            {claims: `{"sub":"u","scope":7}`, problem: "'scope' is neither a text nor a list"},
		"scope a list of numbers":   {claims: `{"sub":"u","scp":["a",7]}`, problem: "'scp' has an element"},
		"groups": {
			mapping: Mapping{GroupClaim: []string{"groups", "realm_access.roles"}},
			claims:  `{"sub":"u","groups":"Team admin","realm_access":{"roles":["x","","x"]}}`,
			want:    auth.Identity{ID: "u", Groups: []string{"Team admin", "x"}},
		},
		"groups an object": {mapping: Mapping{GroupClaim: []string{"g"}}, claims: `{"sub":"u","g":{}}`, problem: "'g' is neither"},
		"whole name first": {
			mapping: Mapping{GroupClaim: []string{"https://example.com/roles", "a.b"}},
			claims:  `{"sub":"u","https://example.com/roles":["r"],"a.b":"dotted","a":{"b":"nested"}}`,
			want:    auth.Identity{ID: "u", Groups: []string{"r", "dotted"}},
		},
		"permissions": {mapping: Mapping{PermissionClaim: []string{"p"}}, claims: `{"sub":"u","p":["shop.add_order"]}`, want: auth.Identity{ID: "u", Permissions: []string{"shop.add_order"}}},

		"user by another claim": {mapping: Mapping{UserClaim: "preferred_username"}, claims: `{"sub":"u","preferred_username":"alice"}`, want: auth.Identity{ID: "alice"}},
		"user by a number":      {mapping: Mapping{UserClaim: "user_id"}, claims: `{"user_id":9007199254740993}`, want: auth.Identity{ID: "9007199254740993"}},
		"user by a nested one":  {mapping: Mapping{UserClaim: "user.id"}, claims: `{"user":{"id":"n"}}`, want: auth.Identity{ID: "n"}},
		"user by an address":    {mapping: Mapping{UserClaim: "email"}, claims: `{"sub":"u","email":"a@x","email_verified":true}`, want: auth.Identity{ID: "a@x", Email: "a@x"}},
		"user by one, not said": {mapping: Mapping{UserClaim: "email"}, claims: `{"sub":"u","email":"a@x"}`, want: auth.Identity{ID: "a@x", Email: "a@x"}},
		"user by one, false":    {mapping: Mapping{UserClaim: "email"}, claims: `{"sub":"u","email":"a@x","email_verified":false}`, problem: "has not verified"},
		"user by one, 'false'":  {mapping: Mapping{UserClaim: "email"}, claims: `{"sub":"u","email":"a@x","email_verified":"false"}`, problem: "has not verified"},
		"user missing":          {mapping: Mapping{UserClaim: "upn"}, claims: `{"sub":"u"}`, problem: "'upn' is missing"},
		"user null":             {claims: `{"sub":null}`, problem: "'sub' is missing"},
		"user empty":            {mapping: Mapping{UserClaim: "upn"}, claims: `{"upn":""}`, problem: "'upn' is empty"},
		"user a fraction":       {claims: `{"sub":1.5}`, problem: "neither a text nor a whole number"},
		"user true":             {claims: `{"sub":true}`, problem: "neither a text nor a whole number"},
		"user a list":           {claims: `{"sub":["root"]}`, problem: "neither a text nor a whole number"},
		"user an object":        {claims: `{"sub":{"a":1}}`, problem: "neither a text nor a whole number"},
		"user in another case":  {claims: `{"Sub":"u"}`, problem: "'sub' is missing"},
		"user with a blank":     {claims: `{"sub":" root"}`, problem: "blank"},
		"user with a line end":  {claims: `{"sub":"a\r\nX: y"}`, problem: "control character"},
		"user with NUL":         {claims: `{"sub":"a\u0000b"}`, problem: "control character"},
		"user too long":         {claims: `{"sub":"` + strings.Repeat("a", 513) + `"}`, problem: "too long"},

		"client for itself":            {claims: `{"sub":"app","client_id":"app","scope":"read"}`, want: auth.Identity{Client: "app", Scopes: []string{"read"}}},
		"client without a subject":     {claims: `{"client_id":"app"}`, want: auth.Identity{Client: "app"}},
		"client as a user, when asked": {mapping: Mapping{UserClaim: "sub"}, claims: `{"sub":"app","client_id":"app"}`, want: auth.Identity{ID: "app", Client: "app"}},
		"client of another user":       {claims: `{"sub":"u","appid":"app"}`, want: auth.Identity{ID: "u", Client: "app"}},

		"address not verified":  {claims: `{"sub":"u","email":"a@example.com","email_verified":false}`, want: auth.Identity{ID: "u"}},
		"address verified":      {claims: `{"sub":"u","email":"a@example.com","email_verified":"true"}`, want: auth.Identity{ID: "u", Email: "a@example.com"}},
		"name of another type":  {claims: `{"sub":"u","name":{"first":"A"}}`, want: auth.Identity{ID: "u"}},
		"name with a line end":  {claims: `{"sub":"u","name":"a\nb"}`, want: auth.Identity{ID: "u"}},
		"names by other claims": {mapping: Mapping{NameClaim: "n", EmailClaim: "m"}, claims: `{"sub":"u","n":"N","m":"m@example.com","name":"x"}`, want: auth.Identity{ID: "u", Name: "N", Email: "m@example.com"}},

		"staff":                     {mapping: Mapping{StaffClaim: &Flag{Claim: "s"}}, claims: `{"sub":"u","s":true}`, want: auth.Identity{ID: "u", Staff: true}},
		"staff as a text":           {mapping: Mapping{StaffClaim: &Flag{Claim: "s"}}, claims: `{"sub":"u","s":"true"}`, want: auth.Identity{ID: "u", Staff: true}},
		"not staff":                 {mapping: Mapping{StaffClaim: &Flag{Claim: "s"}}, claims: `{"sub":"u","s":"false"}`, want: auth.Identity{ID: "u"}},
		"staff absent":              {mapping: Mapping{StaffClaim: &Flag{Claim: "s"}}, claims: `{"sub":"u"}`, want: auth.Identity{ID: "u"}},
		"staff a number":            {mapping: Mapping{StaffClaim: &Flag{Claim: "s"}}, claims: `{"sub":"u","s":1}`, problem: "'s' is neither true nor false"},
		"staff a list":              {mapping: Mapping{StaffClaim: &Flag{Claim: "s"}}, claims: `{"sub":"u","s":[true]}`, problem: "'s' is neither true nor false"},
		"superuser by a role":       {mapping: Mapping{SuperuserClaim: admin}, claims: `{"sub":"u","realm_access":{"roles":["x","admin"]}}`, want: auth.Identity{ID: "u", Superuser: true}},
		"superuser by a text":       {mapping: Mapping{SuperuserClaim: &Flag{"role", []string{"admin"}}}, claims: `{"sub":"u","role":"admin"}`, want: auth.Identity{ID: "u", Superuser: true}},
		"no superuser by a word":    {mapping: Mapping{SuperuserClaim: &Flag{"role", []string{"admin"}}}, claims: `{"sub":"u","role":"not admin"}`, want: auth.Identity{ID: "u"}},
		"superuser by another type": {mapping: Mapping{SuperuserClaim: admin}, claims: `{"sub":"u","realm_access":{"roles":{"admin":true}}}`, problem: "neither a text nor a list"},
		"other groups of roles":     {mapping: Mapping{GroupClaim: roles}, claims: `{"sub":"u","realm_access":"x"}`, want: auth.Identity{ID: "u"}},
		"no object":                 {claims: `["sub"]`, problem: "decoding the claims"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if err := test.mapping.Check(); err != nil {
				t.Fatal(err)
			}
			got, err := test.mapping.Identity(json.RawMessage(test.claims))
			if failure, _ := errors.AsType[*auth.Failure](err); test.problem != "" {
				if failure == nil || failure.Code != "invalid_token" || !strings.Contains(failure.Err.Error(), test.problem) {
					t.Fatalf("Identity(%s) = %v, %v, want a failure for '%s'", test.claims, got, err, test.problem)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			test.want.Claims = json.RawMessage(test.claims)
			if !reflect.DeepEqual(*got, test.want) {
				t.Errorf("Identity(%s) =\n%+v, want\n%+v", test.claims, *got, test.want)
			}
		})
	}
}

func TestMapping_Inherit(t *testing.T) {
	m := Mapping{UserClaim: "upn", GroupClaim: []string{"g"}}
	m.Inherit(&Mapping{
		UserClaim: "x", NameClaim: "n", EmailClaim: "e", GroupClaim: []string{"x"}, PermissionClaim: []string{"p"},
		StaffClaim: &Flag{Claim: "s"}, SuperuserClaim: &Flag{Claim: "su"}, ScopeClaim: []string{"sc"},
	})
	want := Mapping{
		UserClaim: "upn", NameClaim: "n", EmailClaim: "e", GroupClaim: []string{"g"}, PermissionClaim: []string{"p"},
		StaffClaim: &Flag{Claim: "s"}, SuperuserClaim: &Flag{Claim: "su"}, ScopeClaim: []string{"sc"},
	}
	if !reflect.DeepEqual(m, want) {
		t.Errorf("%+v, want %+v", m, want)
	}
}

func TestMapping_Check(t *testing.T) {
	for name, m := range map[string]Mapping{
		"staff": {StaffClaim: new(Flag)}, "superuser": {SuperuserClaim: new(Flag)},
		"groups": {GroupClaim: []string{""}}, "permissions": {PermissionClaim: []string{""}}, "scopes": {ScopeClaim: []string{"a", ""}},
	} {
		if m.Check() == nil {
			t.Errorf("%s: a claim without a name is accepted", name)
		}
	}
}

// FuzzMapping looks for claims that a user could be somebody else by: a name
// that is not in them, or one that a header would change.
func FuzzMapping(f *testing.F) {
	for _, seed := range []string{
		`{"sub":"u"}`, `{"sub":7,"scope":"a b","groups":["x"],"s":true}`, `{"sub":" u"}`, `{"sub":"a\u0000"}`, `{"a":{"b":{"c":"x"}},"sub":"y"}`, `[]`, `{`,
	} {
		f.Add(seed)
	}
	m := Mapping{UserClaim: "sub", GroupClaim: []string{"groups", "a.b.c"}, StaffClaim: &Flag{Claim: "s"}, SuperuserClaim: &Flag{"groups", []string{"root"}}}
	f.Fuzz(func(t *testing.T, claims string) {
		id, err := m.Identity(json.RawMessage(claims))
		if err != nil {
			if _, ok := errors.AsType[*auth.Failure](err); !ok {
				t.Fatalf("Identity(%q): %v is no refusal", claims, err)
			}
			return
		}
		if id.ID == "" || strings.TrimSpace(id.ID) != id.ID || strings.ContainsAny(id.ID, "\r\n\x00") {
			t.Fatalf("Identity(%q) is named %q", claims, id.ID)
		}
	})
}
