// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package permissions

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestRefusedJSON(t *testing.T) {
	t.Setenv("REST_AUTH_EMPTY", "")
	tests := map[string]string{
		`{"permission":"staff","users":["a"]}`:                                 `unknown field "users"`,
		`{"permission":"staff","mesage":"a"}`:                                  `unknown field "mesage"`,
		`{"permission":"nothing"}`:                                             "unknown module: rest_auth.permissions.nothing",
		`{"permission":"user"}`:                                                "user needs at least one of users",
		`{"permission":"user","users":[""]}`:                                   "is empty",
		`{"permission":"user","users":["{env.REST_AUTH_EMPTY}"]}`:              "expanding '{env.REST_AUTH_EMPTY}'",
		`{"permission":"user","users":["{nowhere}"]}`:                          "expanding '{nowhere}'",
		`{"permission":"group","groups":[]}`:                                   "group needs at least one of groups",
		`{"permission":"client"}`:                                              "client needs at least one of clients",
		`{"permission":"scope"}`:                                               "scope needs at least one of scopes",
		`{"permission":"resource_scope"}`:                                      "resource_scope needs at least one of scopes",
		`{"permission":"resource_scope","scopes":["a"],"read_scope":"{none}"}`: "expanding '{none}'",
		`{"permission":"read_write_scope","scopes":[""]}`:                      "is empty",
		`{"permission":"authenticated_or_scope"}`:                              "authenticated_or_scope needs at least one of scopes",
		`{"permission":"method_scopes"}`:                                       "method_scopes needs at least one of methods",
		`{"permission":"method_scopes","methods":{"get":[["a"]]}}`:             "method 'get' is not a word in capitals",
		`{"permission":"method_scopes","methods":{"GET":[]}}`:                  "method GET needs at least one alternative",
		`{"permission":"method_scopes","methods":{"GET":[[]]}}`:                "method GET has an alternative without scopes",
		`{"permission":"method_scopes","methods":{"GET":[["a",""]]}}`:          "method GET: word 1 is empty",
		`{"permission":"match"}`:                                               "at least one matcher",
		`{"permission":"match","match":[]}`:                                    "at least one matcher",
		`{"permission":"match","match":[{"not":[]}]}`:                          "'not' is empty",
		`{"permission":"match","match":[{"path":["/"]},{"query":{}}]}`:         "set 1: 'query' is empty",
		`{"permission":"match","match":[{"path":["/"],"header": { } }]}`:       "'header' is empty",
		`{"permission":"match","match":[{"path":["/x"]},{}]}`:                  "set 1 is empty",
		`{"permission":"match","match":[null]}`:                                "set 0 is empty",
		`{"permission":"match","match":[{"nothing":{}}]}`:                      "unknown module: http.matchers.nothing",
		`{"permission":"match","match":[{"expression":"1 +"}]}`:                "loading matchers",
		`{"permission":"any"}`:                                                 "at least one permission",
		`{"permission":"any","permissions":[]}`:                                "at least one permission",
		`{"permission":"any","permissions":[null]}`:                            "module name not specified",
		`{"permission":"all","permissions":[{}]}`:                              "module name not specified",
		`{"permission":"all","permissions":[{"permission":"staff","x":1}]}`:    `unknown field "x"`,
		`{"permission":"all","permissions":[{"permission":"test_stranger"}]}`:  "is not a permission",
		`{"permission":"not"}`:                                                 "it needs a permission",
		`{"permission":"not","negated":null}`:                                  "module name not specified",
		`{"permission":"not","negated":{"permission":"test_stranger"}}`:        "is not a permission",
		`{"permission":"not","negated":[{"permission":"staff"}]}`:              "loading permission",
		`{"permission":"staff","body":"text"}`:                                 "it must be a JSON object",
		`{"permission":"staff","body":["a"]}`:                                  "it must be a JSON object",
		`{"permission":"staff","body":null}`:                                   "it must be a JSON object",
		`{"permission":"staff","body":{}}`:                                     "it must be a JSON object",
		`{"permission":"any","body":1,"permissions":[{"permission":"staff"}]}`: "reading body: it must be a JSON object",
		`{"permission":"match","body":1,"match":[{"path":["/x"]}]}`:            "reading body: it must be a JSON object",
		`{"permission":"not","body":1,"negated":{"permission":"staff"}}`:       "reading body: it must be a JSON object",
		`{"permission":"read_write_scope","body":1}`:                           "reading body: it must be a JSON object",
	}
	for raw, want := range tests {
		p, err := load(t, raw)
		if err == nil {
			t.Errorf("loading %s = %T, want an error with %q", raw, p, want)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("loading %s: %v, want an error with %q", raw, err, want)
		}
	}
}

// TestPlaceholders holds that names may come from the environment.
func TestPlaceholders(t *testing.T) {
	t.Setenv("REST_AUTH_ADMIN", "alice")
	p := mustParse(t, "user {env.REST_AUTH_ADMIN}")
	if !allow(t, p, "GET", people["plain"]) || allow(t, p, "GET", people["staff"]) {
		t.Error("the placeholder does not name alice alone")
	}
}

func TestStringLeaves(t *testing.T) {
	tests := map[string]string{
		`{"error":"x","n":1}`:                        `{"error":"x","n":"1"}`,
		`{"a":true,"b":false,"c":null}`:              `{"a":"True","b":"False","c":"None"}`,
		` {"a" : {"b" : [1.50, "<&>", {"c": -2}]} }`: `{"a":{"b":["1.50","<&>",{"c":"-2"}]}}`,
		`{"a":12345678901234567890}`:                 `{"a":"12345678901234567890"}`,
		`{"a":{},"b":[]}`:                            `{"a":{},"b":[]}`,
		`{"a":"é"}`:                                  `{"a":"é"}`,
	}
	for raw, want := range tests {
		got, err := stringLeaves([]byte(raw))
		if err != nil || string(got) != want {
			t.Errorf("stringLeaves(%s) = %s, %v, want %s", raw, got, err, want)
		}
		if again, err := stringLeaves(got); err != nil || string(again) != want {
			t.Errorf("stringLeaves(%s) = %s, %v, want it unchanged", got, again, err)
		}
		if !json.Valid(got) {
			t.Errorf("stringLeaves(%s) is no JSON: %s", raw, got)
		}
	}
	for _, raw := range []string{"", "{", "1", `"x"`, "[]", "null", "{}", `{"a":1} {}`, `{"a":1}x`, `{"a":}`} {
		if got, err := stringLeaves([]byte(raw)); err == nil {
			t.Errorf("stringLeaves(%q) = %s, want an error", raw, got)
		}
	}
}
