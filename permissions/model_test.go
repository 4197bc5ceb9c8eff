// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package permissions

import (
	"slices"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// TestModel is the permission map of DjangoModelPermissions for people who hold
// none, one or all of the permissions, or those of another model.
func TestModel(t *testing.T) {
	holders := map[string]*auth.Identity{
		"anonymous": auth.Anonymous,
		"machine":   {Method: "oauth2", Client: "robot", Permissions: []string{"blog.add_post"}},
		"plain":     {ID: "alice", Method: "token"},
		"staff":     {ID: "bob", Method: "token", Staff: true},
		"superuser": {ID: "root", Method: "token", Superuser: true},
		"add":       {ID: "u", Method: "token", Permissions: []string{"blog.add_post"}},
		"change":    {ID: "u", Method: "token", Permissions: []string{"blog.change_post"}},
		"delete":    {ID: "u", Method: "token", Permissions: []string{"blog.delete_post"}},
		"view":      {ID: "u", Method: "token", Permissions: []string{"blog.view_post"}},
		"others": {ID: "u", Method: "token", Permissions: []string{
			"blog.add_posts", "shop.add_post", "add_post", "blog.post", "blog.ADD_post", "blog.change_comment",
		}},
	}
	const (
		safe    = "GET HEAD OPTIONS"
		methods = safe + " POST PUT PATCH DELETE"
	)
	tests := map[string]map[string]string{
		"model blog.post": {
			"plain": safe, "staff": safe, "superuser": methods, "view": safe, "others": safe,
			"add": safe + " POST", "change": safe + " PUT PATCH", "delete": safe + " DELETE",
		},
		"model blog.post anonymous_read": {
			"anonymous": safe, "machine": safe,
			"plain": safe, "staff": safe, "superuser": methods, "view": safe, "others": safe,
			"add": safe + " POST", "change": safe + " PUT PATCH", "delete": safe + " DELETE",
		},
		"model blog.post view": {
			"plain": "OPTIONS", "staff": "OPTIONS", "superuser": methods, "view": safe, "others": "OPTIONS",
			"add": "OPTIONS POST", "change": "OPTIONS PUT PATCH", "delete": "OPTIONS DELETE",
		},
	}
	unknown := []string{"TRACE", "CONNECT", "PROPFIND", "get", "post", "POST ", ""}
	for input, want := range tests {
		p := mustParse(t, input)
		for name, id := range holders {
			allowed := strings.Fields(want[name])
			for _, method := range slices.Concat(strings.Fields(methods), unknown) {
				r := request(t, "GET", "/")
				r.Method = method
				got, err := p.Allow(r, id)
				if err != nil || got != slices.Contains(allowed, method) {
					t.Errorf("%s: %q by %s = %v, %v", input, method, name, got, err)
				}
			}
		}
	}
}

func TestModelNames(t *testing.T) {
	tests := map[string]string{
		`{"permission":"model"}`:                                                                             "model needs a model",
		`{"permission":"model","model":"blog"}`:                                                              "expected app_label.model_name",
		`{"permission":"model","model":"blog.Post"}`:                                                         "write blog.post",
		`{"permission":"model","model":"{env.REST_AUTH_TEST_MODEL}"}`:                                        "",
		`{"permission":"model","model":"{env.REST_AUTH_TEST_NO_MODEL}"}`:                                     "expanding",
		`{"permission":"model","model":"Blog.post"}`:                                                         "",
		`{"permission":"model","model":"blog.bücher_2"}`:                                                     "",
		`{"permission":"model","model":"blog.post","view":true,"anonymous_read":true}`:                       "contradict",
		`{"permission":"any","permissions":[{"permission":"model","model":"x y.z"},{"permission":"staff"}]}`: "expected app_label.model_name",
	}
	t.Setenv("REST_AUTH_TEST_MODEL", "blog.post")
	for raw, want := range tests {
		_, err := load(t, raw)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", raw, err, want)
		}
	}
}
