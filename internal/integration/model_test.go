// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// TestModelRows is Django REST framework's table of model permissions, methods
// and people. The permissions are a user's own or those of a group.
func TestModelRows(t *testing.T) {
	s := serve(t, `{
		{{global}}
		rest_auth {
			{{store}}
			user eve `+wordHash+` {
				permissions blog.delete_post
			}
		}
	}
	{{site}} {
		handle /plain {
			rest_auth {
				authenticate token
				authenticate basic
				require model blog.post
			}
			respond ok
		}
		handle /anonymous {
			rest_auth {
				authenticate token
				authenticate basic
				require model blog.post anonymous_read
			}
			respond ok
		}
		handle /view {
			rest_auth {
				authenticate token
				authenticate basic
				require model blog.post view
			}
			respond ok
		}
		handle /any {
			rest_auth {
				authenticate token
				authenticate basic
				require any {
					staff
					model blog.post {
						message "Authors only."
					}
				}
			}
			respond ok
		}
		handle /not {
			rest_auth {
				authenticate token
				authenticate basic
				require authenticated
				require not model blog.post
			}
			respond ok
		}
	}`)
	s.seed()
	ctx := t.Context()
	if err := s.store().PutGroup(ctx, tokenstore.Group{Name: "authors", Permissions: []string{"blog.change_post", "blog.view_post"}}); err != nil {
		t.Fatal(err)
	}
	s.putToken(s.putUser(tokenstore.User{Name: "adder", Active: true, Permissions: []string{"blog.add_post"}}), "adder")
	s.putToken(s.putUser(tokenstore.User{Name: "author", Active: true, Groups: []string{"authors"}}), "author")
	s.putToken(s.putUser(tokenstore.User{Name: "shopper", Active: true, Permissions: []string{"shop.add_post", "blog.add_comment"}}), "shopper")
	people := map[string]string{
		"anonymous": "X-None: 1",
		"plain":     token("token-alice"),
		"staff":     token("token-bob"),
		"superuser": token("token-root"),
		"adder":     token("adder"),
		"author":    token("author"),
		"shopper":   token("shopper"),
		"eve":       basic("eve", "word"),
	}
	methods := []string{"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"}
	for _, row := range []struct {
		path, person string
		want         [9]int
	}{
		{"/plain", "anonymous", [9]int{401, 401, 401, 401, 401, 401, 401, 401, 401}},
		{"/plain", "plain", [9]int{200, 200, 200, 403, 403, 403, 403, 403, 403}},
		{"/plain", "staff", [9]int{200, 200, 200, 403, 403, 403, 403, 403, 403}},
		{"/plain", "superuser", [9]int{200, 200, 200, 200, 200, 200, 200, 403, 403}},
		{"/plain", "adder", [9]int{200, 200, 200, 200, 403, 403, 403, 403, 403}},
		{"/plain", "author", [9]int{200, 200, 200, 403, 200, 200, 403, 403, 403}},
		{"/plain", "shopper", [9]int{200, 200, 200, 403, 403, 403, 403, 403, 403}},
		{"/plain", "eve", [9]int{200, 200, 200, 403, 403, 403, 200, 403, 403}},
		{"/anonymous", "anonymous", [9]int{200, 200, 200, 401, 401, 401, 401, 401, 401}},
		{"/anonymous", "plain", [9]int{200, 200, 200, 403, 403, 403, 403, 403, 403}},
		{"/anonymous", "superuser", [9]int{200, 200, 200, 200, 200, 200, 200, 403, 403}},
		{"/anonymous", "author", [9]int{200, 200, 200, 403, 200, 200, 403, 403, 403}},
		{"/view", "anonymous", [9]int{401, 401, 401, 401, 401, 401, 401, 401, 401}},
		{"/view", "adder", [9]int{403, 403, 200, 200, 403, 403, 403, 403, 403}},
		{"/view", "author", [9]int{200, 200, 200, 403, 200, 200, 403, 403, 403}},
		{"/any", "staff", [9]int{200, 200, 200, 200, 200, 200, 200, 200, 200}},
		{"/any", "adder", [9]int{200, 200, 200, 200, 403, 403, 403, 403, 403}},
		{"/not", "anonymous", [9]int{401, 401, 401, 401, 401, 401, 401, 401, 401}},
		{"/not", "adder", [9]int{403, 403, 403, 403, 200, 200, 200, 200, 200}},
	} {
		for i, method := range methods {
			got := s.do(method, row.path, people[row.person])
			if got.Status != row.want[i] {
				t.Errorf("%s %s by %s: %d %s, want %d", method, row.path, row.person, got.Status, got.Body, row.want[i])
			}
		}
	}
	s.do("POST", "/plain", people["plain"]).expect(t, 403, "-", deniedBody)
	s.do("POST", "/any", people["plain"]).expect(t, 403, "-", detail("Authors only."))
	s.do("POST", "/anonymous").expect(t, 401, "Token", notAuthenticated)
}

// TestModelPermissionsGiven gives and takes permissions as an operator does, by
// the admin API, and has them count at once.
func TestModelPermissionsGiven(t *testing.T) {
	s := serve(t, `{{site}} {
		rest_auth {
			authenticate token
			require model blog.post
		}
		respond ok
	}`)
	s.seed()
	for _, step := range []struct {
		method, path, body string
		post, put          int
	}{
		{"PATCH", "users/alice", `{"permissions": ["blog.add_post"]}`, 200, 403},
		{"PUT", "groups/readers", `{"permissions": ["blog.change_post"]}`, 200, 200},
		{"PATCH", "users/alice", `{"groups": ["editors"]}`, 200, 403},
		{"PUT", "groups/editors", `{"permissions": ["blog.change_post"]}`, 200, 200},
		{"PATCH", "users/alice", `{"permissions": []}`, 403, 200},
		{"DELETE", "groups/editors", "", 403, 403},
		{"PATCH", "users/alice", `{"superuser": true}`, 200, 200},
	} {
		got := s.send(step.method, "http://"+s.Admin+"/rest_auth/"+step.path, strings.NewReader(step.body), "Content-Type: application/json")
		if got.Status >= 300 {
			t.Fatalf("%s %s: %d %s", step.method, step.path, got.Status, got.Body)
		}
		for method, want := range map[string]int{http.MethodPost: step.post, http.MethodPut: step.put} {
			if got := s.do(method, "/", token("token-alice")); got.Status != want {
				t.Errorf("after %s %s %s, %s: %d, want %d", step.method, step.path, step.body, method, got.Status, want)
			}
		}
	}
}
