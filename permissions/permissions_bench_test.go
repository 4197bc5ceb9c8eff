// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package permissions

import (
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// The permissions of a typical site, each met by every request.
var everyday = []string{
	"authenticated", "staff", "read_only", "authenticated_or_read_only", "user bob alice",
	"group writers editors", "client app", "scope read", "read_write_scope", "resource_scope music",
	"authenticated_or_scope read", "method_scopes {\nGET read\n}",
	"any staff authenticated", "all authenticated read_only", "not group suspended", "match path /api/*",
}

var everydayUser = &auth.Identity{
	ID: "alice", Method: "token", Staff: true, Client: "app",
	Groups: []string{"readers", "editors"}, Scopes: []string{"read", "music:read"},
}

// BenchmarkAllow stands for one permission of one admitted request.
func BenchmarkAllow(b *testing.B) {
	for _, input := range everyday {
		b.Run(input, func(b *testing.B) {
			p := mustParse(b, input)
			r := request(b, "GET", "/api/orders")
			b.ReportAllocs()
			for b.Loop() {
				if allowed, err := p.Allow(r, everydayUser); !allowed || err != nil {
					b.Fatalf("Allow() = %v, %v", allowed, err)
				}
			}
		})
	}
}

// TestAllowAllocatesNothing holds that decisions leave nothing to the garbage
// collector. Matchers are Caddy's, and may.
func TestAllowAllocatesNothing(t *testing.T) {
	for _, input := range everyday[:len(everyday)-1] {
		p := mustParse(t, input)
		r := request(t, "GET", "/api/orders")
		if allocations := testing.AllocsPerRun(100, func() { _, _ = p.Allow(r, everydayUser) }); allocations != 0 {
			t.Errorf("%s: %v allocations", input, allocations)
		}
	}
}
