// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"strings"
	"testing"
)

// TestPermissionRows is Django REST framework's table of permissions, methods
// and people, then what is added to it here. A cell is the status; a row that
// refuses the known says with which text.
func TestPermissionRows(t *testing.T) {
	const denied = "You do not have permission to perform this action."
	type cells [8]int // anonymous GET, POST; plain GET, POST; staff GET, POST; superuser GET, POST
	rows := []struct {
		require string // separated by semicolons
		cells
		text string
		body string // in place of the text
	}{
		{require: "allow_any", cells: cells{200, 200, 200, 200, 200, 200, 200, 200}},
		{require: "authenticated", cells: cells{401, 401, 200, 200, 200, 200, 200, 200}},
		{require: "staff", cells: cells{401, 401, 403, 403, 200, 200, 403, 403}, text: denied},
		{require: "superuser", cells: cells{401, 401, 403, 403, 403, 403, 200, 200}, text: denied},
		{require: "read_only", cells: cells{200, 401, 200, 403, 200, 403, 200, 403}, text: denied},
		{require: "authenticated_or_read_only", cells: cells{200, 401, 200, 200, 200, 200, 200, 200}},
		{require: "not authenticated", cells: cells{200, 200, 403, 403, 403, 403, 403, 403}, text: denied},
		{require: "any staff authenticated_or_read_only", cells: cells{200, 401, 200, 200, 200, 200, 200, 200}},
		{require: "not allow_any {\nmessage \"custom message\"\n}", cells: cells{401, 401, 403, 403, 403, 403, 403, 403}, text: "custom message"},
		{require: "not allow_any {\nmessage \"second message\"\n}; not allow_any {\nmessage \"custom message\"\n}", cells: cells{401, 401, 403, 403, 403, 403, 403, 403}, text: "second message"},
		{require: "not not allow_any {\nmessage x\n}", cells: cells{200, 200, 200, 200, 200, 200, 200, 200}},
		{require: "not allow_any {\nbody `{\"error\":\"x\",\"n\":1}`\n}", cells: cells{401, 401, 403, 403, 403, 403, 403, 403}, body: `{"error":"x","n":"1"}`},
		// A deliberate difference: the message of the operand that decided.
		{require: "all {\nauthenticated\nnot allow_any {\nmessage \"kept\"\n}\n}", cells: cells{401, 401, 403, 403, 403, 403, 403, 403}, text: "kept"},
		{require: "any {\nnot allow_any {\nmessage \"first\"\n}\nnot allow_any {\nmessage \"last\"\n}\n}", cells: cells{401, 401, 403, 403, 403, 403, 403, 403}, text: "last"},
		{require: "user alice root", cells: cells{401, 401, 200, 200, 403, 403, 200, 200}, text: denied},
		{require: "group editors nobody", cells: cells{401, 401, 200, 200, 403, 403, 403, 403}, text: denied},
		{require: "not group editors", cells: cells{200, 200, 403, 403, 200, 200, 200, 200}, text: denied},
		{require: "match method GET", cells: cells{200, 401, 200, 403, 200, 403, 200, 403}, text: denied},
		{require: "match expression `'editors' in {http.auth.user.groups}`", cells: cells{401, 401, 200, 200, 403, 403, 403, 403}, text: denied},
		{require: "match expression `{http.auth.user.id}.size() > 3 && {http.auth.user.superuser} == false`", cells: cells{401, 401, 200, 200, 403, 403, 403, 403}, text: denied},
		// An error of a matcher denies; `not` does not turn it.
		{require: "match expression `{http.auth.user.id} + 1 == 2`", cells: cells{401, 401, 403, 403, 403, 403, 403, 403}, text: denied},
		{require: "not match expression `{http.auth.user.id} + 1 == 2`", cells: cells{401, 401, 403, 403, 403, 403, 403, 403}, text: denied},
		{require: "any {\nmatch method POST\nuser bob\n}; not user root", cells: cells{401, 200, 403, 200, 200, 200, 403, 403}, text: denied},
	}
	var caddyfile strings.Builder
	caddyfile.WriteString("{{site}} {\n")
	for i, row := range rows {
		fmt.Fprintf(&caddyfile, "handle /%d {\nrest_auth {\nauthenticate token\n", i)
		for require := range strings.SplitSeq(row.require, "; ") {
			caddyfile.WriteString("require " + require + "\n")
		}
		caddyfile.WriteString("}\nrespond ok\n}\n")
	}
	caddyfile.WriteString("}\n")
	s := serve(t, caddyfile.String())
	s.seed()
	people := []string{"X-None: 1", token("token-alice"), token("token-bob"), token("token-root")}
	for i, row := range rows {
		t.Run(row.require, func(t *testing.T) {
			for cell, want := range row.cells {
				method := []string{"GET", "POST"}[cell%2]
				got := s.do(method, fmt.Sprintf("/%d", i), people[cell/2])
				switch want {
				case 200:
					got.expect(t, 200, "-", "ok")
				case 401:
					got.expect(t, 401, "Token", notAuthenticated)
				case 403:
					body := row.body
					if body == "" {
						body = detail(row.text)
					}
					got.expect(t, 403, "-", body)
				}
				if t.Failed() {
					t.Fatalf("%s by %q", method, people[cell/2])
				}
			}
		})
	}
}

// Scopes belong to the credential, whoever the user is.
func TestScopeRows(t *testing.T) {
	s := serve(t, `{{site}} {
		handle /scope {
			rest_auth {
				authenticate token
				require scope books.read books.list
			}
			respond ok
		}
		handle /read_write {
			rest_auth {
				authenticate token
				require read_write_scope books
			}
			respond ok
		}
		handle /resource {
			rest_auth {
				authenticate token
				require resource_scope books
			}
			respond ok
		}
		handle /methods {
			rest_auth {
				authenticate token
				require method_scopes {
					GET books.read | books.admin
					POST books.write books.read
				}
			}
			respond ok
		}
	}`)
	s.seed()
	for _, row := range []struct {
		path, method string
		scopes       []string
		status       int
	}{
		{"/scope", "GET", []string{"books.read", "books.list"}, 200},
		{"/scope", "GET", []string{"books.read"}, 403},
		{"/scope", "GET", nil, 403},
		{"/scope", "GET", []string{"books.READ", "books.list"}, 403},
		{"/read_write", "GET", []string{"books", "read"}, 200},
		{"/read_write", "POST", []string{"books", "read"}, 403},
		{"/read_write", "POST", []string{"books", "write"}, 200},
		{"/read_write", "GET", []string{"read"}, 403},
		{"/resource", "GET", []string{"books:read"}, 200},
		{"/resource", "DELETE", []string{"books:read"}, 403},
		{"/resource", "DELETE", []string{"books:write"}, 200},
		{"/methods", "GET", []string{"books.admin"}, 200},
		{"/methods", "GET", []string{"books.write"}, 403},
		{"/methods", "POST", []string{"books.read", "books.write"}, 200},
		{"/methods", "POST", []string{"books.write"}, 403},
		{"/methods", "DELETE", []string{"books.read", "books.write", "books.admin"}, 403},
	} {
		root, err := s.store().UserByName(t.Context(), "root")
		if err != nil {
			t.Fatal(err)
		}
		secret := fmt.Sprint(row.path, row.method, row.scopes)
		secret = strings.NewReplacer(" ", "_", "[", "", "]", "").Replace(secret)
		s.putToken(root, secret, row.scopes...)
		if got := s.do(row.method, row.path, token(secret)); got.Status != row.status {
			t.Errorf("%s %s with %q: %d %s, want %d", row.method, row.path, row.scopes, got.Status, got.Body, row.status)
		}
	}
}
