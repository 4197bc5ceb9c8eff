// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/idptest"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/revocation"
)

// TestJWT_revoked revokes single tokens by their jti: whether the site has seen
// the token before or not, no request is let through afterwards.
func TestJWT_revoked(t *testing.T) {
	idp, other := idptest.New(t), idptest.New(t)
	s := serve(t, jwtSite(idp))
	s.seed()
	sign := func(jti any) string {
		return bearerToken(idp.Sign(map[string]any{"sub": "u", "aud": "api", "jti": jti}))
	}
	refused := bearerError("The access token is revoked.")
	seen, fresh, another, nameless := sign("seen"), sign("fresh"), sign("another"), sign(nil)
	for _, line := range []string{seen, seen, another, nameless} {
		s.get("/", line).expect(t, 200, "-", "*")
	}
	until := time.Now().Add(time.Hour)
	for _, jti := range []string{"seen", "fresh"} {
		if err := s.store().Revoke(t.Context(), revocation.JWT(idp.Issuer(), jti), until); err != nil {
			t.Fatal(err)
		}
	}
	// Another issuer's token of that name is another one.
	if err := s.store().Revoke(t.Context(), revocation.JWT(other.Issuer(), "another"), until); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s.get("/", seen).expect(t, 401, refused, invalidToken)
		s.get("/", fresh).expect(t, 401, refused, invalidToken)
		s.get("/", another).expect(t, 200, "-", "*")
		s.get("/", nameless).expect(t, 200, "-", "*")
	}
}

// TestJWT_expires lets a token end while it is remembered.
func TestJWT_expires(t *testing.T) {
	idp := idptest.New(t)
	s := serve(t, jwtSite(idp, "leeway 0s"))
	ends := time.Now().Add(2 * time.Second)
	line := bearerToken(idp.Sign(map[string]any{"sub": "u", "aud": "api", "exp": ends.Unix()}))
	for {
		before := time.Now()
		got := s.get("/", line)
		if got.Status == 401 {
			got.expect(t, 401, bearerExpired, expiredToken)
			return
		}
		if got.Status != 200 || before.Unix() >= ends.Unix() {
			t.Fatalf("%d %q, %v after the token was issued for two seconds", got.Status, got.Body, time.Until(ends))
		}
	}
}
