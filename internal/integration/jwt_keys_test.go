// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// signWith returns a token of the issuer "local" that is signed by a key of ours.
func signWith(t *testing.T, alg string, key any, changes ...any) string {
	t.Helper()
	claims := jwt.MapClaims{"iss": "local", "sub": "u", "aud": "api", "exp": time.Now().Add(time.Hour).Unix()}
	for i := 0; i+1 < len(changes); i += 2 {
		if claims[changes[i].(string)] = changes[i+1]; changes[i+1] == nil {
			delete(claims, changes[i].(string))
		}
	}
	signed, err := jwt.NewWithClaims(jwt.GetSigningMethod(alg), claims).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func publicPEM(t *testing.T, private crypto.Signer) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func ellipticKey(t *testing.T, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func rsaKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

const (
	localSecret   = "a-secret-of-the-tests-that-is-longer-than-any-hash-which-is-64-bytes"
	unnamedIssuer = "optional iss\naudience api\n"
)

// TestJWT_keys has keys from each place, for each algorithm.
func TestJWT_keys(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	r := rsaKey(t)
	p256, p384, p521 := ellipticKey(t, elliptic.P256()), ellipticKey(t, elliptic.P384()), ellipticKey(t, elliptic.P521())
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("REST_AUTH_TEST_SECRET", localSecret)
	all := write("all.pem", publicPEM(t, r)+publicPEM(t, p256)+publicPEM(t, p384)+publicPEM(t, p521)+publicPEM(t, ed))
	secretFile := write("secret", localSecret+"\n")
	inline := "<<PEM\n" + publicPEM(t, p256) + "PEM"
	for name, test := range map[string]struct {
		line    string
		signed  map[string]any // keys by algorithm
		refused map[string]any
	}{
		"PEM file": {
			"key_file " + all,
			map[string]any{"RS256": r, "RS384": r, "RS512": r, "PS256": r, "PS384": r, "PS512": r, "ES256": p256, "ES384": p384, "ES512": p521, "EdDSA": ed},
			map[string]any{"HS256": []byte(localSecret)},
		},
		"narrowed":    {"key_file " + all + "\nalgorithms PS256", map[string]any{"PS256": r}, map[string]any{"RS256": r, "ES256": p256, "EdDSA": ed}},
		"inline":      {"key " + inline, map[string]any{"ES256": p256}, map[string]any{"ES256": ellipticKey(t, elliptic.P256()), "RS256": r}},
		"secret":      {"secret {env.REST_AUTH_TEST_SECRET}", map[string]any{"HS256": []byte(localSecret), "HS384": []byte(localSecret), "HS512": []byte(localSecret)}, map[string]any{"RS256": r}},
		"secret file": {"secret_file " + secretFile, map[string]any{"HS256": []byte(localSecret)}, map[string]any{"HS384": []byte(localSecret + "\n")}},
		"placeholder": {"secret {file." + secretFile + "}", map[string]any{"HS512": []byte(localSecret)}, nil},
		"one hash":    {"secret_file " + secretFile + "\nalgorithms HS256", map[string]any{"HS256": []byte(localSecret)}, map[string]any{"HS512": []byte(localSecret)}},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, whoamiSite("authenticate jwt {\nissuer local\naudience api\n"+test.line+"\n}"))
			for alg, key := range test.signed {
				got := s.get("/", bearerToken(signWith(t, alg, key)))
				if got.Status != http.StatusOK || !strings.HasPrefix(got.Body, "u|local|u|") {
					t.Errorf("%s: %d %q", alg, got.Status, got.Body)
				}
			}
			for alg, key := range test.refused {
				if got := s.get("/", bearerToken(signWith(t, alg, key))); got.Status != http.StatusUnauthorized {
					t.Errorf("%s: %d %q, want it refused", alg, got.Status, got.Body)
				}
			}
		})
	}
}

// TestJWT_keyFile replaces the keys in a file while the site runs: the new key's
// tokens are accepted, and the old one's refused although they are remembered.
func TestJWT_keyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key.pem")
	first, second := ellipticKey(t, elliptic.P256()), ellipticKey(t, elliptic.P256())
	write := func(text string) {
		if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	write(publicPEM(t, first))
	s := serve(t, whoamiSite("authenticate jwt {\nissuer local\naudience api\nkey_file "+path+"\n}"))
	old, fresh := bearerToken(signWith(t, "ES256", first)), bearerToken(signWith(t, "ES256", second))
	s.get("/", old).expect(t, 200, "-", "*")
	s.get("/", fresh).expect(t, 401, bearerInvalid, invalidToken)
	write(publicPEM(t, second))
	s.await("the new key", func() bool { return s.get("/", fresh).Status == http.StatusOK })
	s.get("/", old).expect(t, 401, bearerInvalid, invalidToken)
	// What cannot be read leaves the last keys that could.
	write("-----BEGIN NONSENSE-----")
	s.get("/", fresh).expect(t, 200, "-", "*")
}

// TestJWT_secretFile changes a secret and reloads: what was signed by the old one,
// and remembered, is refused.
func TestJWT_secretFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	write := func(secret string) {
		if err := os.WriteFile(path, []byte(secret), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	site := whoamiSite("authenticate jwt {\nissuer local\naudience api\nsecret_file " + path + "\n}")
	write(localSecret)
	s := serve(t, site)
	old := bearerToken(signWith(t, "HS256", []byte(localSecret)))
	s.get("/", old).expect(t, 200, "-", "*")
	write("another " + localSecret)
	s.reload(site)
	s.get("/", old).expect(t, 401, bearerInvalid, invalidToken)
	s.get("/", bearerToken(signWith(t, "HS256", []byte("another "+localSecret)))).expect(t, 200, "-", "*")
}

// TestJWT_optional has tokens without the claims that the site says they may do
// without, and what they say wrong nevertheless.
func TestJWT_optional(t *testing.T) {
	secret := []byte(localSecret)
	s := serve(t, whoamiSite("authenticate jwt {\noptional exp aud iss\nsecret "+localSecret+"\naudience api\nuser_claim user_id\n}"))
	for name, test := range map[string]struct {
		changes []any
		ok      bool
	}{
		"nothing but the user": {[]any{"iss", nil, "aud", nil, "exp", nil, "sub", nil, "user_id", 42}, true},
		"all of them":          {[]any{"user_id", "42"}, true},
		"expired":              {[]any{"user_id", "42", "exp", 1}, false},
		"for others":           {[]any{"user_id", "42", "aud", "other"}, false},
		"exp null":             {[]any{"user_id", "42", "exp", map[string]any{}}, false},
		"no user":              {[]any{"iss", nil}, false},
	} {
		got := s.get("/", bearerToken(signWith(t, "HS256", secret, test.changes...)))
		if (got.Status == http.StatusOK) != test.ok || test.ok && !strings.HasPrefix(got.Body, "42|jwt:") {
			t.Errorf("%s: %d %q", name, got.Status, got.Body)
		}
	}
	named := serve(t, whoamiSite("authenticate jwt {\nissuer local\n"+unnamedIssuer+"secret "+localSecret+"\n}"))
	for issuer, want := range map[any]int{nil: 200, "local": 200, "other": 401} {
		if got := named.get("/", bearerToken(signWith(t, "HS256", secret, "iss", issuer))); got.Status != want {
			t.Errorf("iss %v: %d %q, want %d", issuer, got.Status, got.Body, want)
		}
	}
	bounded := serve(t, whoamiSite("authenticate jwt {\nissuer local\naudience api\nsecret "+localSecret+"\nmax_lifetime 1h\ntyp at+jwt JWT\n}"))
	now := time.Now().Unix()
	for name, test := range map[string]struct {
		changes   []any
		challenge string
	}{
		"an hour": {[]any{"iat", now, "exp", now + 3600}, ""},
		"longer":  {[]any{"iat", now, "exp", now + 3601}, bearerError("The access token is valid for too long.")},
		"no iat":  {nil, bearerInvalid},
	} {
		got := bounded.get("/", bearerToken(signWith(t, "HS256", secret, test.changes...)))
		if test.challenge == "" && got.Status != 200 || test.challenge != "" && got.Header.Get("WWW-Authenticate") != test.challenge {
			t.Errorf("%s: %d %q %q", name, got.Status, got.Body, got.Header.Get("WWW-Authenticate"))
		}
	}
}
