// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package permissions

import (
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// API clients of durin have names; all others have IDs alone.
func TestClient_names(t *testing.T) {
	for _, test := range []struct {
		named, client string
		want          bool
	}{
		{"web", "web", true},
		{"web", "durin:web", true},
		{"durin:web", "durin:web", true},
		{"durin:web", "web", false},
		{"web", "durin:durin:web", false},
		{"web", "other:web", false},
		{"web", "durin:", false},
		{"web", "", false},
		{"durin:", "durin:", true},
	} {
		p := &Client{Clients: []string{test.named}}
		if err := p.Provision(caddy.Context{}); err != nil {
			t.Fatal(err)
		}
		got, err := p.Allow(nil, &auth.Identity{ID: "alice", Method: "token", Client: test.client})
		if got != test.want || err != nil {
			t.Errorf("require client %s lets %q pass: %t, %v", test.named, test.client, got, err)
		}
	}
}
