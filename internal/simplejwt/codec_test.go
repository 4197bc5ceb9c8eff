// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package simplejwt

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/signing"
)

const testKey = "k3y-of-a-pr0ject!m8x#v2q@r7t$w5y^u1i&o4p*a6s(d9f)g0"

// newCodec returns a codec of settings, which asks no store.
func newCodec(t testing.TB, s *Settings) *Codec {
	t.Helper()
	if err := s.complete(nil); err != nil {
		t.Fatal(err)
	}
	keys, err := newKeys(s, signing.New(&certmagic.FileStorage{Path: t.TempDir()}, zap.NewNop()), zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	return &Codec{settings: *s, keys: keys, now: time.Now}
}

// TestCodec writes a pair and reads it, with keys of all origins.
func TestCodec(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ecDER, err := x509.MarshalECPrivateKey(ecKey)
	if err != nil {
		t.Fatal(err)
	}
	text := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	publicDER, err := x509.MarshalPKIXPublicKey(rsaKey.Public())
	if err != nil {
		t.Fatal(err)
	}
	for name, settings := range map[string]*Settings{
		"a project's secret": {SigningKey: testKey},
		"HS384":              {Algorithm: "HS384", SigningKey: testKey},
		"PKCS #1":            {Algorithm: "RS512", SigningKey: text("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey))},
		"PSS":                {Algorithm: "PS256", SigningKey: text("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey)), VerifyingKey: text("PUBLIC KEY", publicDER)},
		"SEC 1":              {Algorithm: "ES384", SigningKey: text("EC PRIVATE KEY", ecDER)},
		"generated":          {Algorithm: "EdDSA"},
		"generated secret":   {},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCodec(t, settings)
			family := NewFamily()
			refresh := c.New(Refresh, "7", family, "v1")
			access, err := c.Encode(t.Context(), c.AccessOf(refresh, family))
			if err != nil {
				t.Fatal(err)
			}
			token, err := c.Decode(t.Context(), access, Sliding, Access)
			if err != nil {
				t.Fatal(err)
			}
			if id, known := c.UserIDOf(token); id != "7" || !known || token.Family() != family || !token.Ours() || token.ID() == "" {
				t.Errorf("%s", token.Raw())
			}
			if _, err := c.Decode(t.Context(), access, Refresh); message(err) != WrongType {
				t.Errorf("as a refresh token: %v", err)
			}
			set, err := c.JWKS(t.Context())
			if c.Publishes() != (err == nil && strings.Contains(string(set), `"kid"`)) {
				t.Errorf("published: %t, %s, %v", c.Publishes(), set, err)
			}
			if strings.Contains(string(set), `"d"`) || strings.Contains(string(set), `"k"`) {
				t.Errorf("a secret is published: %s", set)
			}
		})
	}
}

func message(err error) string {
	if bad, ok := errors.AsType[*Error](err); ok {
		return bad.Message
	}
	return ""
}

// TestGiven refuses keys that sign nothing or for everybody.
func TestGiven(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	weak := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(small)}))
	for name, row := range map[string]struct {
		settings Settings
		want     string
	}{
		"short":                {Settings{SigningKey: "secret"}, "signing_key: the secret is weak"},
		"short for HS512":      {Settings{Algorithm: "HS512", SigningKey: testKey}, "signing_key: the secret is weak"},
		"PEM as a secret":      {Settings{SigningKey: "-----BEGIN PUBLIC KEY-----\n" + testKey}, "takes a secret"},
		"a secret as PEM":      {Settings{Algorithm: "RS256", SigningKey: testKey}, "not a private key in PEM"},
		"a small RSA key":      {Settings{Algorithm: "RS256", SigningKey: weak}, "too weak"},
		"RSA for ES256":        {Settings{Algorithm: "ES256", SigningKey: weak}, "signing_key"},
		"encrypted":            {Settings{Algorithm: "RS256", SigningKey: "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"}, "encrypted"},
		"a public key signs":   {Settings{Algorithm: "RS256", SigningKey: "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"}, "not a private key"},
		"damaged":              {Settings{Algorithm: "RS256", SigningKey: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}, "cannot be read"},
		"verifying a secret":   {Settings{SigningKey: testKey, VerifyingKey: "x"}, "verifying_key"},
		"jwk_url and a secret": {Settings{SigningKey: testKey, JWKURL: "https://id.example.com/jwks"}, "jwk_url"},
	} {
		t.Run(name, func(t *testing.T) {
			s := row.settings
			if err := s.complete(nil); err != nil {
				t.Fatal(err)
			}
			_, err := parseGiven(&s)
			if err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "pr0ject") {
				t.Errorf("%v, want %s", err, row.want)
			}
		})
	}
}

// TestInherit takes a key over with its algorithm alone.
func TestInherit(t *testing.T) {
	app := &Settings{Algorithm: "ES256", SigningKey: "pem", Audience: []string{"a"}, JTIClaim: None}
	s := &Settings{SigningKey: testKey}
	s.inherit(app)
	if s.Algorithm != "" || s.SigningKey != testKey || s.Audience[0] != "a" || s.JTIClaim != None {
		t.Errorf("%+v", s)
	}
	s = &Settings{}
	s.inherit(app)
	if s.Algorithm != "ES256" || s.SigningKey != "pem" {
		t.Errorf("%+v", s)
	}
	s.Audience[0] = "b"
	if app.Audience[0] != "a" {
		t.Error("the app's list was written to")
	}
}

// TestClaims keeps what is not ours as it was written.
func TestClaims(t *testing.T) {
	const text = `{"b":1.50,"a":"<é\u0041>","n":{"x":[null,12345678901234567890]}}`
	compact, err := jose.Sign(jose.SigningKey{Algorithm: "HS256", Private: []byte(testKey)}, jose.Header{}, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jose.Parse(compact)
	if err != nil {
		t.Fatal(err)
	}
	claims := claimsOf(parsed)
	if got, _ := claims.with("c", "<").with("a", "z").MarshalJSON(); string(got) != `{"b":1.50,"a":"z","n":{"x":[null,12345678901234567890]},"c":"<"}` {
		t.Errorf("%s", got)
	}
	if got, _ := claims.MarshalJSON(); string(got) != text {
		t.Errorf("%s, want %s", got, text)
	}
}

// TestNewID is a uuid4 in hexadecimal digits, another one each time.
func TestNewID(t *testing.T) {
	a, b := newID(), newID()
	if a == b || len(a) != 32 || a[12] != '4' || !strings.Contains("89ab", a[16:17]) {
		t.Errorf("%s, %s", a, b)
	}
}

// FuzzVerify reads what a client sends. Nothing but a token of the key is accepted,
// and nothing is anybody else's fault.
func FuzzVerify(f *testing.F) {
	c := newCodec(f, &Settings{SigningKey: testKey})
	good, err := c.Encode(f.Context(), c.New(Refresh, "7", NewFamily(), ""))
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{good, good + "A", "", "a.b.c", good[:len(good)-1], strings.Repeat(".", 1000), "eyJhbGciOiJub25lIn0.e30."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, compact string) {
		token, err := c.Decode(t.Context(), compact, Refresh)
		if err != nil {
			if _, bad := errors.AsType[*Error](err); !bad {
				t.Fatalf("%q: %v", compact, err)
			}
			return
		}
		parsed, err := jose.Parse(compact)
		if err != nil || compact != good && parsed.Alg != "HS256" {
			t.Fatalf("%q is accepted: %s", compact, token.Raw())
		}
	})
}

// FuzzClaims reads payloads that a project's key has signed: whatever is in them,
// the tokens that come after can be written.
func FuzzClaims(f *testing.F) {
	c := newCodec(f, &Settings{SigningKey: testKey})
	for _, seed := range []string{
		`{}`, `{"user_id":1,"exp":1}`, `{"exp":99999999999,"jti":"a","token_type":"refresh","user_id":[]}`,
		`{"refresh_exp":1e400}`, `{"refresh_exp":"x"}`, `{"aud":[],"iss":{}}`, `{"sid":7,"jti":null}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, payload string) {
		compact, err := jose.Sign(jose.SigningKey{Algorithm: "HS256", Private: []byte(testKey)}, jose.Header{}, []byte(payload))
		if err != nil || len(compact) > jose.MaxSize/2 {
			return
		}
		token, err := c.Verify(t.Context(), compact)
		if err != nil {
			if message(err) == "" {
				t.Fatalf("%s: %v", payload, err)
			}
			return
		}
		c.UserIDOf(token)
		_ = c.CheckRefreshExp(token)
		for _, claims := range []Claims{c.AccessOf(token.Claims, "f"), c.Successor(token.Claims, "f"), c.Slid(token.Claims)} {
			next, err := c.Encode(t.Context(), claims)
			if err != nil {
				t.Fatalf("%s: %v", payload, err)
			}
			if _, err := c.Verify(t.Context(), next); err != nil {
				t.Fatalf("%s: %s: %v", payload, next, err)
			}
		}
	})
}
