// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package introspection

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

func TestServer_Resolve(t *testing.T) {
	t.Setenv("THE_SECRET", "s3\n")
	s := Server{Endpoint: "https://a/introspect", ClientID: "edge", ClientSecret: "{env.THE_SECRET}"}
	if err := s.Resolve(outbound.Settings{}); err != nil || s.ClientSecret != "s3" || s.ClientAuth != "basic" {
		t.Errorf("%+v, %v", s, err)
	}
	name := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(name, []byte("s4\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s = Server{Endpoint: "https://a/introspect", ClientID: "edge", ClientSecret: "{file." + name + "}"}
	if err := s.Resolve(outbound.Settings{}); err != nil || s.ClientSecret != "s4" {
		t.Errorf("%+v, %v", s, err)
	}
	for want, s := range map[string]Server{
		"say which server is asked":                     {},
		"endpoint 'http://a': expected an https":        {Endpoint: "http://a"},
		"endpoint 'https://a/i': the URL names a user":  {Endpoint: "https://c4n4ry:c4n4ry@a/i?key=c4n4ry"},
		"endpoint 'introspect':":                        {Endpoint: "introspect"},
		"issuer: \"https://a b\" has a character":       {Issuer: "https://a b"},
		"issuer: 'store' is not a URL":                  {Issuer: "store"},
		"say how this server authenticates":             {Issuer: "https://a"},
		"client_id: is missing":                         {Issuer: "https://a", ClientSecret: "s"},
		"client_auth: 'none' is not one of":             {Issuer: "https://a", ClientAuth: "none"},
		"private_key_jwt takes client_key_file":         {Issuer: "https://a", ClientID: "c", ClientAuth: "private_key_jwt", ClientSecret: "s"},
		"private_key_jwt takes client_key_file, and no": {Issuer: "https://a", ClientID: "c", ClientKeyFile: "k", ClientSecret: "s"},
		"client_key_file: is for private_key_jwt, not":  {Issuer: "https://a", ClientID: "c", ClientKeyFile: "k", ClientSecret: "s", ClientAuth: "post"},
		"client_key_id, client_key_algorithm and":       {Issuer: "https://a", ClientID: "c", ClientSecret: "s", ClientKeyID: "k"},
		"token: stands in place of":                     {Issuer: "https://a", BearerToken: "t", ClientID: "c"},
		"token: has a character that no token has":      {Issuer: "https://a", BearerToken: "a b"},
		"client_secret: unrecognized placeholder {no.":  {Issuer: "https://a", ClientSecret: "{no.such}"},
	} {
		if err := s.Resolve(outbound.Settings{}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", s, err, want)
		}
	}
}

// TestClient_authenticate is each way to say who asks.
func TestClient_authenticate(t *testing.T) {
	s := newServer(t)
	var got *http.Request
	s.does(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		got = r
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(active))
	})
	introspect := func(with Server) {
		t.Helper()
		with.Endpoint = s.URL + "/introspect"
		c, _ := newClient(t, with)
		if _, err := c.Introspect(t.Context(), "token"); err != nil {
			t.Fatal(err)
		}
	}

	introspect(Server{ClientID: "a b:c", ClientSecret: "p%+ö"})
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte("a+b%3Ac:p%25%2B%C3%B6"))
	if line := got.Header.Get("Authorization"); line != want || got.PostForm.Has("client_id") {
		t.Errorf("basic: %s, want %s; %v", line, want, got.PostForm)
	}

	introspect(Server{ClientID: "edge", ClientSecret: "s", ClientAuth: "post"})
	if got.PostForm.Get("client_id") != "edge" || got.PostForm.Get("client_secret") != "s" || got.Header["Authorization"] != nil {
		t.Errorf("post: %v %v", got.PostForm, got.Header)
	}

	introspect(Server{BearerToken: "abc"})
	if got.Header.Get("Authorization") != "Bearer abc" || len(got.PostForm) != 2 {
		t.Errorf("token: %v %v", got.PostForm, got.Header)
	}
}

// TestClient_assertion verifies assertions with another implementation.
func TestClient_assertion(t *testing.T) {
	s := newServer(t)
	var form map[string][]string
	s.does(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		form = r.PostForm
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(active))
	})
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p256, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	p521, _ := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	_, edwards, _ := ed25519.GenerateKey(rand.Reader)
	seen := make(map[any]bool)
	for name, tt := range map[string]struct {
		key      crypto.Signer
		settings Server
		alg, aud string
	}{
		"RSA":      {rsaKey, Server{}, "RS256", s.URL + "/introspect"},
		"PSS":      {rsaKey, Server{ClientKeyAlgorithm: "PS384", ClientKeyID: "k1"}, "PS384", s.URL + "/introspect"},
		"P-256":    {p256, Server{Issuer: "https://login.example.com"}, "ES256", "https://login.example.com"},
		"P-384":    {p384, Server{AssertionAudience: "urn:x", Issuer: "https://login.example.com"}, "ES384", "urn:x"},
		"P-521":    {p521, Server{}, "ES512", s.URL + "/introspect"},
		"Ed25519":  {edwards, Server{}, "EdDSA", s.URL + "/introspect"},
		"Ed25519'": {edwards, Server{}, "EdDSA", s.URL + "/introspect"},
	} {
		t.Run(name, func(t *testing.T) {
			tt.settings.ClientKeyFile = writeKey(t, tt.key)
			tt.settings.ClientID, tt.settings.Endpoint = "edge", s.URL+"/introspect"
			c, _ := newClient(t, tt.settings)
			if _, err := c.Introspect(t.Context(), "token"); err != nil {
				t.Fatal(err)
			}
			if form["client_assertion_type"][0] != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" || form["client_id"][0] != "edge" {
				t.Errorf("the form %v", form)
			}
			claims := jwt.MapClaims{}
			parsed, err := jwt.ParseWithClaims(form["client_assertion"][0], claims, func(*jwt.Token) (any, error) { return tt.key.Public(), nil },
				jwt.WithValidMethods([]string{tt.alg}), jwt.WithIssuer("edge"), jwt.WithSubject("edge"), jwt.WithAudience(tt.aud),
				jwt.WithIssuedAt(), jwt.WithExpirationRequired())
			if err != nil {
				t.Fatal(err)
			}
			if expires, _ := claims.GetExpirationTime(); time.Until(expires.Time) > time.Minute {
				t.Errorf("it is good until %v", expires)
			}
			if kid, _ := parsed.Header["kid"].(string); kid != tt.settings.ClientKeyID {
				t.Errorf("kid %q", kid)
			}
			if claims["jti"] == "" || seen[claims["jti"]] {
				t.Errorf("jti %v", claims["jti"])
			}
			seen[claims["jti"]] = true
		})
	}
}

func TestAcquire_keyFile(t *testing.T) {
	weak, _ := rsa.GenerateKey(rand.Reader, 1024)
	p256, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p224, _ := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	public, _ := x509.MarshalPKIXPublicKey(p256.Public())
	empty := filepath.Join(t.TempDir(), "public.pem")
	if err := os.WriteFile(empty, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, s := range map[string]Server{
		"no such file":                            {ClientKeyFile: filepath.Join(t.TempDir(), "none")},
		"not a private key in PEM":                {ClientKeyFile: empty},
		"an RSA key of 1024 bits":                 {ClientKeyFile: writeKey(t, weak)},
		"the key is neither RSA":                  {ClientKeyFile: writeKey(t, p224)},
		"the key is not one of RS256":             {ClientKeyFile: writeKey(t, p256), ClientKeyAlgorithm: "RS256"},
		"'none' is not an algorithm":              {ClientKeyFile: writeKey(t, p256), ClientKeyAlgorithm: "none"},
		"the key is not one of HS256":             {ClientKeyFile: writeKey(t, p256), ClientKeyAlgorithm: "HS256"},
		"the key is not one of ES384":             {ClientKeyFile: writeKey(t, p256), ClientKeyAlgorithm: "ES384"},
		"client_key_file: signing a token: 'abc'": {ClientKeyFile: writeKey(t, p256), ClientKeyAlgorithm: "abc"},
	} {
		s.ClientID, s.Endpoint = "edge", "https://a/introspect"
		if err := s.Resolve(outbound.Settings{}); err != nil {
			t.Fatal(err)
		}
		if _, err := Acquire(s, outbound.Settings{}, 0, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", s, err, want)
		}
	}
}

// writeKey returns a file with the key, in the form that openssl prefers for it.
func writeKey(t *testing.T, key crypto.Signer) string {
	t.Helper()
	block := &pem.Block{Type: "PRIVATE KEY"}
	var err error
	switch key := key.(type) {
	case *rsa.PrivateKey:
		block = &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	case *ecdsa.PrivateKey:
		block.Type = "EC PRIVATE KEY"
		block.Bytes, err = x509.MarshalECPrivateKey(key)
	default:
		block.Bytes, err = x509.MarshalPKCS8PrivateKey(key)
	}
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// FuzzResponse has servers answer anything. A token is active if and only if
// encoding/json agrees, less the answers that it reads more leniently.
func FuzzResponse(f *testing.F) {
	for _, body := range []string{
		active, `{"active":false}`, `{"active":"true"}`, `{"ACTIVE":true}`, `{"active":false,"active":true}`, `{}`, `[]`, ``,
		`{"active":true,"exp":1e400}`, `{"active":true,"aud":["a",1]}`, "{\"active\":true,\"\xff\":1}", `{"error":"invalid_client"}`,
	} {
		f.Add(200, "application/json", []byte(body))
		f.Add(400, "application/json", []byte(body))
	}
	f.Add(200, "text/html; charset", []byte("<html>"))
	f.Add(302, "", []byte(nil))
	f.Fuzz(func(t *testing.T, status int, kind string, body []byte) {
		claims, fault, err := read(outbound.Response{Status: status, Header: http.Header{"Content-Type": {kind}}, Body: body})
		if (claims == nil) == (err == nil) || fault != nil && err == nil {
			t.Fatalf("%v, %v, %v", claims, fault, err)
		}
		if err != nil {
			return
		}
		var members map[string]json.RawMessage
		if json.Unmarshal(body, &members) != nil || string(members["active"]) != "true" || status != 200 {
			t.Errorf("active by %d %q", status, body)
		}
		for _, name := range []string{"exp", "nbf", "iat"} {
			if at, ok, err := claims.Time(name); ok && err == nil && at.Year() > 9999 {
				t.Errorf("%s is %v", name, at)
			}
		}
	})
}
