// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package jose

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
)

func TestParseClientKey(t *testing.T) {
	p256, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p521, _ := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	p224, _ := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	big, _ := rsa.GenerateKey(rand.Reader, 2048)
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	pkcs8 := func(key any) []byte {
		encoded, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})
	}
	sec1, _ := x509.MarshalECPrivateKey(p256)
	for name, test := range map[string]struct {
		text []byte
		want string // algorithm, or part of an error
	}{
		"P-256":         {pkcs8(p256), "ES256"},
		"P-521":         {pkcs8(p521), "ES512"},
		"SEC 1":         {pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1}), "ES256"},
		"RSA":           {pkcs8(big), "RS256"},
		"PKCS #1":       {pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(big)}), "RS256"},
		"Ed25519":       {pkcs8(ed), "EdDSA"},
		"after another": {append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}), pkcs8(ed)...), "EdDSA"},
		"P-224":         {pkcs8(p224), "the key is neither"},
		"none":          {[]byte("x"), "not a private key in PEM"},
		"encrypted":     {pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY"}), "openssl pkey"},
		"broken":        {pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("secret")}), "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			key, err := ParseClientKey(test.text, "k", "")
			if err != nil {
				if !strings.Contains(err.Error(), test.want) {
					t.Errorf("%v, want %q", err, test.want)
				}
				return
			}
			if key.Algorithm != test.want || key.ID != "k" {
				t.Errorf("%+v, want %s", key, test.want)
			}
			if _, err := Sign(*key, Header{}, []byte("{}")); err != nil {
				t.Errorf("signing: %v", err)
			}
		})
	}
}
