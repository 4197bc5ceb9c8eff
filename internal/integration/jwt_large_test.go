// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/idptest"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/revocation"
)

// TestJWT_large has a token with more groups than the cache remembers for one
// user: it is good all the same, each time, and is revoked as any other is.
func TestJWT_large(t *testing.T) {
	idp := idptest.New(t)
	s := serve(t, jwtSite(idp, "group_claim groups"))
	s.seed()
	var groups []string
	for n := range 150 {
		groups = append(groups, fmt.Sprintf("8f4b6b5e-0000-4000-8000-%012d", n))
	}
	token := bearerToken(idp.Sign(map[string]any{"sub": "u", "aud": "api", "jti": "large", "groups": groups}))
	const oversized = "caddy_rest_auth_cache_oversized_total"
	before := s.metrics()[oversized]
	for range 3 {
		s.get("/", token).expect(t, 200, "-", "*")
	}
	if got := s.metrics()[oversized] - before; got != 3 {
		t.Errorf("%s rose by %v, want 3", oversized, got)
	}
	if err := s.store().Revoke(t.Context(), revocation.JWT(idp.Issuer(), "large"), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	s.get("/", token).expect(t, 401, bearerError("The access token is revoked."), invalidToken)
}
