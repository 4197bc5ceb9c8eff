// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package jose

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
)

// pair is a key that signs and the one that verifies what it signs.
type pair struct {
	private SigningKey
	public  *keyset.Key
}

// pairs makes one for each algorithm.
func pairs(t testing.TB) map[string]pair {
	t.Helper()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	secret := make([]byte, 64)
	_, _ = rand.Read(secret)
	made := make(map[string]pair)
	for name, a := range algorithms {
		var private any
		switch a.typ {
		case "RSA":
			private = rsaKey
		case "OKP":
			private = edKey
		case "oct":
			private = secret
		case "EC":
			if private, err = ecdsa.GenerateKey(a.curve, rand.Reader); err != nil {
				t.Fatal(err)
			}
		}
		made[name] = pair{
			SigningKey{ID: "key-" + name, Algorithm: name, Private: private},
			&keyset.Key{ID: "key-" + name, Type: a.typ, Algorithms: []string{name}, Public: public(private)},
		}
	}
	return made
}

func TestSignThenVerify(t *testing.T) {
	for name, p := range pairs(t) {
		token, err := Sign(p.private, Header{Type: "at+jwt"}, []byte(`{"sub":"alice"}`))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		parsed, err := Parse(token)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if parsed.KeyID != "key-"+name || parsed.Type != "at+jwt" {
			t.Errorf("%s: got kid %q and typ %q", name, parsed.KeyID, parsed.Type)
		}
		if err := parsed.Verify([]*keyset.Key{p.public}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// segments is a token of a header and a payload, as they are, under a
// signature that nobody made.
func segments(header, payload string) string {
	enc := base64.RawURLEncoding
	return enc.EncodeToString([]byte(header)) + "." + enc.EncodeToString([]byte(payload)) + "." + enc.EncodeToString([]byte("signature"))
}
