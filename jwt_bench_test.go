// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	gojose "github.com/go-jose/go-jose/v4"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
)

// BenchmarkJWT_hit is an access token of 739 bytes that was seen before, beside
// BenchmarkHandler_tokenHit.
func BenchmarkJWT_hit(b *testing.B) {
	handler, token := benchJWT(b)
	benchmarkRequests(b, handler, "Bearer "+token, http.StatusOK)
}

// BenchmarkJWT_badSignature is one that somebody has tampered with: it is
// verified every time.
func BenchmarkJWT_badSignature(b *testing.B) {
	handler, token := benchJWT(b)
	at := strings.LastIndexByte(token, '.') + 1
	benchmarkRequests(b, handler, "Bearer "+token[:at]+strings.Repeat("A", len(token)-at), http.StatusUnauthorized)
}

// BenchmarkJWT_expired is refused before its signature is looked at.
func BenchmarkJWT_expired(b *testing.B) {
	handler, _ := benchJWT(b)
	token := signBenchJWT(b, time.Now().Add(-24*time.Hour))
	benchmarkRequests(b, handler, "Bearer "+token, http.StatusUnauthorized)
}

// benchRSA signs for all of them.
var benchRSA, _ = rsa.GenerateKey(rand.Reader, 2048)

// benchJWT provisions a handler that accepts the token it returns.
func benchJWT(b *testing.B) (*Handler, string) {
	b.Helper()
	set, err := json.Marshal(gojose.JSONWebKeySet{Keys: []gojose.JSONWebKey{{Key: benchRSA.Public(), KeyID: "1", Algorithm: "RS256", Use: "sig"}}})
	if err != nil {
		b.Fatal(err)
	}
	file := filepath.Join(b.TempDir(), "jwks.json")
	if err := os.WriteFile(file, set, 0o600); err != nil {
		b.Fatal(err)
	}
	benchHandler(b, `"memory", "name": "`+b.Name()+`"`, "authenticated", "")
	handler, err := caddy.ActiveContext().LoadModuleByID("http.handlers.rest_auth", fmt.Appendf(nil, `{
		"authenticators": [{
			"authenticator": "jwt", "issuer": "https://login.example.com", "audience": ["https://api.example.com"],
			"jwks_file": %q, "group_claim": ["groups"], "email_claim": "email"
		}],
		"permissions": [{"permission": "authenticated"}]
	}`, file))
	if err != nil {
		b.Fatal(err)
	}
	return handler.(*Handler), signBenchJWT(b, time.Now())
}

// signBenchJWT returns a token of 739 bytes.
func signBenchJWT(b *testing.B, now time.Time) string {
	b.Helper()
	payload := fmt.Appendf(nil, `{"iss":"https://login.example.com","sub":"248289761001","aud":"https://api.example.com",`+
		`"exp":%d,"iat":%d,"jti":"d8b2f6a0c1e94b7f","client_id":"orders-web",`+
		`"scope":"openid profile orders.read","groups":["editors"],"email":"a@example.com"}`, now.Unix()+3600, now.Unix())
	token, err := jose.Sign(jose.SigningKey{ID: "1", Algorithm: "RS256", Private: benchRSA}, jose.Header{Type: "at+jwt"}, payload)
	if err != nil {
		b.Fatal(err)
	}
	return token
}
