// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package jose

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
)

// resigned is the token of a header and a payload under that signature.
func resigned(header, payload string, sign func(signed string) []byte) string {
	token := segments(header, payload)
	signed := token[:strings.LastIndexByte(token, '.')]
	return signed + "." + base64.RawURLEncoding.EncodeToString(sign(signed))
}

// verifies reports what became of a token that is well-formed.
func verifies(t *testing.T, token string, keys ...*keyset.Key) error {
	t.Helper()
	parsed, err := Parse(token)
	if err != nil {
		t.Fatalf("%v: %s", err, token)
	}
	return parsed.Verify(keys)
}

// TestVerifyMatrix has each key verify the tokens of each algorithm: its own,
// and no other, even if the key is one that could.
func TestVerifyMatrix(t *testing.T) {
	made := pairs(t)
	for signer, p := range made {
		token, err := Sign(p.private, Header{Type: "JWT"}, []byte(`{"sub":"alice"}`))
		if err != nil {
			t.Fatal(err)
		}
		for verifier, q := range made {
			same := signer == verifier || algorithms[signer].name == "EdDSA" && algorithms[verifier].name == "EdDSA"
			// The keys of EdDSA's two names are two.
			if same && signer != verifier {
				continue
			}
			if err := verifies(t, token, q.public); (err == nil) != same {
				t.Errorf("%s by a key for %s: %v", signer, verifier, err)
			}
		}
	}
}

// TestVerifyKeyDecides has one RSA key that is for one algorithm alone.
func TestVerifyKeyDecides(t *testing.T) {
	made := pairs(t)
	public := made["RS256"].public.Public
	for _, signer := range []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"} {
		token, err := Sign(made[signer].private, Header{}, []byte(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		for _, bound := range []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"} {
			key := &keyset.Key{Type: "RSA", Algorithms: []string{bound}, Public: public}
			if err := verifies(t, token, key); (err == nil) != (bound == signer) {
				t.Errorf("%s by a key bound to %s: %v", signer, bound, err)
			}
		}
		for name, key := range map[string]*keyset.Key{
			"no algorithm":       {Type: "RSA", Public: public},
			"another type":       {Type: "oct", Algorithms: []string{signer}, Public: public},
			"no type":            {Algorithms: []string{signer}, Public: public},
			"no key":             {Type: "RSA", Algorithms: []string{signer}},
			"a key that is nil":  {Type: "RSA", Algorithms: []string{signer}, Public: (*rsa.PublicKey)(nil)},
			"a key by value":     {Type: "RSA", Algorithms: []string{signer}, Public: *public.(*rsa.PublicKey)},
			"a private key":      {Type: "RSA", Algorithms: []string{signer}, Public: made["RS256"].private.Private},
			"an elliptic key":    {Type: "RSA", Algorithms: []string{signer}, Public: made["ES256"].public.Public},
			"algorithm in small": {Type: "RSA", Algorithms: []string{strings.ToLower(signer)}, Public: public},
		} {
			if err := verifies(t, token, key); !errors.Is(err, ErrSignature) {
				t.Errorf("%s by %s: %v", signer, name, err)
			}
		}
	}
}

// TestVerifyConfusion signs by HMAC with everything that is public of a key, in
// every encoding that a verifier could have it in.
func TestVerifyConfusion(t *testing.T) {
	made := pairs(t)
	for _, alg := range []string{"RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"} {
		for name, secret := range encodings(t, made[alg].public.Public) {
			for _, hash := range []string{"HS256", "HS384", "HS512"} {
				token, err := Sign(SigningKey{Algorithm: hash, Private: secret}, Header{}, []byte(`{"sub":"root"}`))
				if err != nil {
					t.Fatal(err)
				}
				key := *made[alg].public
				for _, algorithms := range [][]string{{alg}, {alg, hash}, {hash}} {
					key.Algorithms = algorithms
					if err := verifies(t, token, &key); !errors.Is(err, errNoKey) {
						t.Errorf("%s, the secret is %s of the key for %s (%v): %v", hash, name, alg, algorithms, err)
					}
				}
			}
		}
	}
}

// encodings is what can be known of a public key.
func encodings(t *testing.T, public any) map[string][]byte {
	t.Helper()
	pkix, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix})
	jwk := jose.JSONWebKey{Key: public, KeyID: "k"}
	encoded, err := json.Marshal(jwk)
	if err != nil {
		t.Fatal(err)
	}
	thumbprint, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{
		"PKIX PEM":                   block,
		"PKIX PEM, no line feed":     bytes.TrimRight(block, "\n"),
		"PKIX PEM, CRLF":             bytes.ReplaceAll(block, []byte("\n"), []byte("\r\n")),
		"PKIX PEM, one line":         bytes.ReplaceAll(block, []byte("\n"), nil),
		"PKIX PEM, a line feed more": append(bytes.Clone(block), '\n'),
		"PKIX PEM, NUL at the end":   append(bytes.Clone(block), 0),
		"PKIX DER":                   pkix,
		"PKIX base64":                []byte(base64.StdEncoding.EncodeToString(pkix)),
		"PKIX hexadecimal":           []byte(hex.EncodeToString(pkix)),
		"JWK":                        encoded,
		"JWK set":                    []byte(`{"keys":[` + string(encoded) + `]}`),
		"thumbprint":                 thumbprint,
		"thumbprint base64url":       []byte(base64.RawURLEncoding.EncodeToString(thumbprint)),
		"Go's text":                  fmt.Append(nil, public),
	}
	switch k := public.(type) {
	case *rsa.PublicKey:
		pkcs1 := x509.MarshalPKCS1PublicKey(k)
		block := pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: pkcs1})
		all["PKCS #1 PEM"] = block
		all["PKCS #1 PEM, no line feed"] = bytes.TrimRight(block, "\n")
		all["PKCS #1 DER"] = pkcs1
		all["modulus"] = k.N.Bytes()
		all["modulus with a zero before"] = append([]byte{0}, k.N.Bytes()...)
		all["modulus base64url"] = []byte(base64.RawURLEncoding.EncodeToString(k.N.Bytes()))
		all["modulus decimal"] = []byte(k.N.String())
		all["modulus hexadecimal"] = []byte(k.N.Text(16))
	case *ecdsa.PublicKey:
		point, err := k.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		all["point"] = point
		all["x and y"] = point[1:]
		all["x"] = point[1 : 1+len(point)/2]
	case ed25519.PublicKey:
		all["point"] = k
		all["point base64url"] = []byte(base64.RawURLEncoding.EncodeToString(k))
	}
	return all
}

// TestVerifySecretIsNoPublicKey is the other way round: a secret among the keys
// verifies nothing but HMAC.
func TestVerifySecretIsNoPublicKey(t *testing.T) {
	made := pairs(t)
	for _, alg := range []string{"RS256", "ES256", "EdDSA"} {
		token, err := Sign(made[alg].private, Header{}, []byte(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		der, _ := x509.MarshalPKIXPublicKey(made[alg].public.Public)
		if err := verifies(t, token, &keyset.Key{Type: "oct", Algorithms: []string{alg, "HS256"}, Public: der}); !errors.Is(err, errNoKey) {
			t.Errorf("%s: %v", alg, err)
		}
	}
	if err := verifies(t, resigned(`{"alg":"HS256"}`, `{}`, func(signed string) []byte {
		mac := hmac.New(sha256.New, nil)
		mac.Write([]byte(signed))
		return mac.Sum(nil)
	}), &keyset.Key{Type: "oct", Algorithms: []string{"HS256"}, Public: []byte{}}); !errors.Is(err, errNoKey) {
		t.Errorf("a secret of no bytes: %v", err)
	}
}

// TestVerifyMutations flips every bit of a token in turn.
func TestVerifyMutations(t *testing.T) {
	made := pairs(t)
	for _, alg := range []string{"RS256", "PS256", "ES256", "EdDSA", "HS256"} {
		token, err := Sign(made[alg].private, Header{Type: "at+jwt"}, []byte(`{"sub":"alice","exp":1}`))
		if err != nil {
			t.Fatal(err)
		}
		for i := range len(token) {
			for bit := range 8 {
				mutated := []byte(token)
				mutated[i] ^= 1 << bit
				parsed, err := Parse(string(mutated))
				if err != nil {
					continue
				}
				if parsed.Verify([]*keyset.Key{made[alg].public}) == nil {
					t.Fatalf("%s: bit %d of byte %d does not matter", alg, bit, i)
				}
			}
		}
	}
}

// TestVerifyKeys is a token without kid: ten keys are tried.
func TestVerifyKeys(t *testing.T) {
	made := pairs(t)
	token, err := Sign(SigningKey{Algorithm: "EdDSA", Private: made["EdDSA"].private.Private}, Header{}, []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	others := func(n int) (keys []*keyset.Key) {
		for range n {
			public, _, _ := ed25519.GenerateKey(rand.Reader)
			keys = append(keys, &keyset.Key{Type: "OKP", Algorithms: []string{"EdDSA"}, Public: public})
		}
		return keys
	}
	if err := verifies(t, token, append(others(9), made["EdDSA"].public)...); err != nil {
		t.Errorf("the tenth: %v", err)
	}
	if err := verifies(t, token, append(others(10), made["EdDSA"].public)...); !errors.Is(err, ErrSignature) {
		t.Errorf("the eleventh: %v", err)
	}
	// Those for other algorithms do not count.
	keys := slices.Repeat([]*keyset.Key{made["RS256"].public, made["HS256"].public, made["ES256"].public}, 10)
	if err := verifies(t, token, append(keys, made["EdDSA"].public)...); err != nil {
		t.Errorf("after thirty others: %v", err)
	}
	if err := verifies(t, token); !errors.Is(err, errNoKey) {
		t.Errorf("no keys: %v", err)
	}
	short := &keyset.Key{Type: "OKP", Algorithms: []string{"EdDSA"}, Public: made["EdDSA"].public.Public.(ed25519.PublicKey)[:31]}
	if err := verifies(t, token, short); !errors.Is(err, errNoKey) {
		t.Errorf("a key of 31 bytes: %v", err)
	}
}

// TestVerifyEdDSANames has both names of RFC 9864 mean the same.
func TestVerifyEdDSANames(t *testing.T) {
	key := pairs(t)["EdDSA"]
	for _, alg := range []string{"EdDSA", "Ed25519"} {
		token, err := Sign(SigningKey{Algorithm: alg, Private: key.private.Private}, Header{}, []byte(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		if parsed, err := Parse(token); err != nil || parsed.Alg != "EdDSA" {
			t.Errorf("%s: got %v", alg, err)
		}
		for _, allowed := range []string{"EdDSA", "Ed25519"} {
			if err := verifies(t, token, &keyset.Key{Type: "OKP", Algorithms: []string{allowed}, Public: key.public.Public}); err != nil {
				t.Errorf("%s by a key for %s: %v", alg, allowed, err)
			}
		}
	}
}

// TestVerifyAsksNobody has a socket in every header that names a place to get
// keys from, and keys in those that have them.
func TestVerifyAsksNobody(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		if conn, err := listener.Accept(); err == nil {
			t.Errorf("%s asked", conn.RemoteAddr())
			conn.Close()
		}
	}()
	made := pairs(t)
	attacker := pairs(t)["ES256"]
	jwk, err := json.Marshal(jose.JSONWebKey{Key: attacker.public.Public})
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + listener.Addr().String() + "/jwks.json"
	for _, extra := range []map[string]any{
		{"jku": url},
		{"x5u": url},
		{"jwk": json.RawMessage(jwk)},
		{"jwk": url},
		{"x5c": []string{"MIIB"}},
		{"x5t": "AAAA", "x5t#S256": "AAAA"},
		{"jku": url, "x5u": url, "jwk": json.RawMessage(jwk), "x5c": []string{url}},
	} {
		token, err := Sign(attacker.private, Header{Extra: extra}, []byte(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		if err := verifies(t, token, made["ES256"].public, made["RS256"].public, made["HS256"].public); !errors.Is(err, ErrSignature) {
			t.Errorf("%v: %v", extra, err)
		}
	}
	listener.Close()
	<-asked
}
