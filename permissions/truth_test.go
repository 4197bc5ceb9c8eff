// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package permissions

import (
	"slices"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// TestTruthTable is the table of what Django REST framework's permissions allow,
// for people and methods. A method in capitals is allowed.
func TestTruthTable(t *testing.T) {
	all := []string{"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "get", "PROPFIND"}
	safe := []string{"GET", "HEAD", "OPTIONS"}
	tests := []struct {
		permission string
		want       map[string][]string
	}{
		{"allow_any", map[string][]string{"anon": all, "plain": all, "staff": all, "superuser": all, "both": all, "machine": all}},
		{"authenticated", map[string][]string{"plain": all, "staff": all, "superuser": all, "both": all}},
		{"staff", map[string][]string{"staff": all, "both": all}},
		{"superuser", map[string][]string{"superuser": all, "both": all}},
		{"read_only", map[string][]string{"anon": safe, "plain": safe, "staff": safe, "superuser": safe, "both": safe, "machine": safe}},
		{"authenticated_or_read_only", map[string][]string{"anon": safe, "plain": all, "staff": all, "superuser": all, "both": all, "machine": safe}},
		{"not authenticated", map[string][]string{"anon": all, "machine": all}},
		{"not not authenticated", map[string][]string{"plain": all, "staff": all, "superuser": all, "both": all}},
		{"any staff authenticated_or_read_only", map[string][]string{"anon": safe, "plain": all, "staff": all, "superuser": all, "both": all, "machine": safe}},
		{"all authenticated read_only", map[string][]string{"plain": safe, "staff": safe, "superuser": safe, "both": safe}},
		{"user alice carol", map[string][]string{"plain": all, "superuser": all}},
		{"client robot other", map[string][]string{"machine": all}},
		{"scope read", map[string][]string{"machine": all}},
		{"not staff", map[string][]string{"anon": all, "plain": all, "superuser": all, "machine": all}},
	}
	for _, tt := range tests {
		t.Run(tt.permission, func(t *testing.T) {
			p := mustParse(t, tt.permission)
			for name, id := range people {
				for _, method := range all {
					want := slices.Contains(tt.want[name], method)
					if got := allow(t, p, method, id); got != want {
						t.Errorf("%s by %s = %v, want %v", method, name, got, want)
					}
				}
			}
		})
	}
}

func TestNamesAreComparedExactly(t *testing.T) {
	id := &auth.Identity{ID: "alice", Method: "basic", Groups: []string{"editors", "writers"}, Client: "app"}
	tests := map[string]bool{
		"user alice":            true,
		"user bob alice":        true,
		"user Alice":            false,
		"user alic":             false,
		`user "alice "`:         false,
		"group editors":         true,
		"group none writers":    true,
		"group Editors":         false,
		"group editor":          false,
		"group editors,writers": false,
		"client app":            true,
		"client other app":      true,
		"client App":            false,
		"client alice":          false,
		"user editors":          false,
		"group alice":           false,
	}
	for input, want := range tests {
		if got := allow(t, mustParse(t, input), "GET", id); got != want {
			t.Errorf("%s = %v, want %v", input, got, want)
		}
	}
}

// TestNobodyAnonymous holds identities without an authenticator that carry what
// permissions ask for: only the method says that somebody answered for them.
func TestNobodyAnonymous(t *testing.T) {
	forged := &auth.Identity{
		ID: "alice", Staff: true, Superuser: true, Client: "app",
		Groups: []string{"editors"}, Scopes: []string{"read", "write", "a:read"},
	}
	for _, input := range []string{
		"authenticated", "staff", "superuser", "user alice", "group editors", "client app",
		"scope read", "read_write_scope", "resource_scope a", "authenticated_or_scope read",
		"method_scopes {\nGET read\n}", "model blog.post", "any authenticated staff", "all authenticated staff",
	} {
		p := mustParse(t, input)
		for _, id := range []*auth.Identity{forged, auth.Anonymous} {
			if allow(t, p, "GET", id) {
				t.Errorf("%q allows %+v", input, id)
			}
		}
	}
}

// TestZeroValueDenies holds every module of the namespace without Provision.
func TestZeroValueDenies(t *testing.T) {
	id := &auth.Identity{Method: "token", Scopes: []string{"read"}, Groups: []string{""}}
	open := []string{"allow_any", "read_only", "authenticated_or_read_only"}
	for _, info := range caddy.GetModules(namespace) {
		if slices.Contains(open, info.ID.Name()) || strings.HasPrefix(info.ID.Name(), "test_") {
			continue
		}
		p := info.New().(auth.Permission)
		if allow(t, p, "GET", id) {
			t.Errorf("%s allows before it was provisioned", info.ID)
		}
		if denial := p.(auth.Explainer).Explain(request(t, "GET", "/"), id); denial != nil {
			t.Errorf("%s explains %v before it was provisioned", info.ID, denial)
		}
	}
}
