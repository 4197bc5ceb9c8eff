// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/idptest"
)

// rsaPEM returns a new key in PEM.
func rsaPEM(t *testing.T) (private, public string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// TestSimpleJWT_projectPair signs with the key pair of a project, and publishes it.
func TestSimpleJWT_projectPair(t *testing.T) {
	private, public := rsaPEM(t)
	t.Setenv("JWT_PRIVATE", private)
	t.Setenv("JWT_PUBLIC", public)
	s := serve(t, simplejwtSite("algorithm RS256", "signing_key {env.JWT_PRIVATE}", "verifying_key {env.JWT_PUBLIC}"))
	s.seed()
	pair := s.obtain("alice")
	if header := headerOf(t, pair.Access); header["alg"] != "RS256" || header["kid"] != nil {
		t.Errorf("header %v", header)
	}
	s.refreshWith(pair.Refresh).pair(t)
	s.get("/api/token/jwks.json").matchesKeys(t)
	// The public key as a secret is the classic forgery.
	s.refreshWith(signHS256(t, public, refreshClaims(nil))).expect(t, 401, jwtBearer, notValid("Token is invalid"))
	if err := s.tryReload(simplejwtSite("algorithm RS256", "verifying_key {env.JWT_PUBLIC}")); err == nil {
		t.Error("an endpoint without a key that signs is loaded")
	}
}

// TestSimpleJWT_replacedOwnKey replaces a key of the configuration: what the former one
// signed is accepted until it is taken away.
func TestSimpleJWT_replacedOwnKey(t *testing.T) {
	const key = "another-k3y-of-a-pr0ject!m8x#v2q@r7t$w5y^u1i&o4p"
	s := serve(t, projectSite())
	s.seed()
	before := s.obtain("alice")
	s.reload(simplejwtSite("signing_key `"+key+"`", "verifying_key `"+projectKey+"`"))
	after := s.refreshWith(before.Refresh).pair(t)
	s.post("/api/token/verify/", `{"token":"`+before.Access+`"}`).expect(t, 200, "-", `{}`)
	s.reload(simplejwtSite("signing_key `" + key + "`"))
	s.post("/api/token/verify/", `{"token":"`+after.Access+`"}`).expect(t, 200, "-", `{}`)
	s.refreshWith(before.Refresh).expect(t, 401, jwtBearer, notValid("Token is invalid"))

	first, firstPublic := rsaPEM(t)
	second, secondPublic := rsaPEM(t)
	for name, text := range map[string]string{"JWT_FIRST": first, "JWT_SECOND": second, "JWT_OLD": firstPublic, "JWT_BOTH": secondPublic + firstPublic} {
		t.Setenv(name, text)
	}
	s.reload(simplejwtSite("algorithm RS256", "signing_key {env.JWT_FIRST}"))
	before = s.obtain("alice")
	s.reload(simplejwtSite("algorithm RS256", "signing_key {env.JWT_SECOND}", "verifying_key {env.JWT_BOTH}"))
	for _, token := range []string{before.Access, s.obtain("alice").Access} {
		s.post("/api/token/verify/", `{"token":"`+token+`"}`).expect(t, 200, "-", `{}`)
	}
	for option, want := range map[string]string{
		"algorithm RS256\nsigning_key {env.JWT_SECOND}\nverifying_key {env.JWT_OLD}": "verifying_key: it does not verify what the signing_key signs",
		"signing_key `" + key + "`\nverifying_key {env.JWT_OLD}":                     "verifying_key: this is PEM, and HS256 takes a secret",
		"signing_key `" + key + "`\nverifying_key short":                             "verifying_key: ",
		"verifying_key `" + key + "`":                                                "there is no signing_key",
	} {
		if err := s.tryReload(simplejwtSite(option)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", option, err, want)
		}
	}
}

// TestSimpleJWT_jwkURL refreshes tokens by the keys of another server.
func TestSimpleJWT_jwkURL(t *testing.T) {
	idp := idptest.New(t)
	private, _ := rsaPEM(t)
	t.Setenv("JWT_PRIVATE", private)
	idp.Fail(idptest.Error)
	s := serve(t, simplejwtSite("algorithm RS256", "signing_key {env.JWT_PRIVATE}", "jwk_url "+idp.JWKSURL()+" {\nallow_http\nallow_internal loopback\n}"))
	s.awaitStore()
	s.putImported("carol", "7")
	token := idp.Sign(refreshClaims(nil))
	if got := s.refreshWith(token); got.Status != 503 || got.Header.Get("Retry-After") == "" {
		t.Errorf("while the server is down: %d %s", got.Status, got.Body)
	}
	s.refreshWith("a.b.c").expect(t, 401, jwtBearer, notValid("Token is invalid"))
	idp.Heal()
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		got := s.refreshWith(token)
		if got.Status == 200 {
			break
		}
		if got.Status != 503 || time.Since(began) > 40*time.Second {
			t.Fatalf("after it healed: %d %s", got.Status, got.Body)
		}
	}
	s.refreshWith(idp.Sign(refreshClaims(map[string]any{"jti": "x"}), idptest.Alg("ES256"))).expect(t, 401, jwtBearer, notValid("Token is invalid"))
}
