// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package signing

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/big"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
)

// A jwk is a public key as RFC 7517 writes it. The members that make the
// thumbprint of RFC 7638 come in the order of their names.
type jwk struct {
	Curve     string `json:"crv,omitempty"`
	Exponent  string `json:"e,omitempty"`
	Type      string `json:"kty"`
	Modulus   string `json:"n,omitempty"`
	X         string `json:"x,omitempty"`
	Y         string `json:"y,omitempty"`
	ID        string `json:"kid,omitempty"`
	Algorithm string `json:"alg,omitempty"`
	Use       string `json:"use,omitempty"`
}

// jwkOf returns a public key without its names.
func jwkOf(public crypto.PublicKey) (jwk, error) {
	switch public := public.(type) {
	case *rsa.PublicKey:
		return jwk{Type: "RSA", Modulus: encode(public.N.Bytes()), Exponent: encode(big.NewInt(int64(public.E)).Bytes())}, nil
	case *ecdsa.PublicKey:
		point, err := public.Bytes() // 0x04, X and Y, both of full length
		if err != nil {
			return jwk{}, err
		}
		half := len(point) / 2
		return jwk{Type: "EC", Curve: public.Curve.Params().Name, X: encode(point[1 : 1+half]), Y: encode(point[1+half:])}, nil
	case ed25519.PublicKey:
		return jwk{Type: "OKP", Curve: "Ed25519", X: encode(public)}, nil
	}
	return jwk{}, fmt.Errorf("a key of type %T", public)
}

func typeOf(public crypto.PublicKey) string {
	key, _ := jwkOf(public)
	return key.Type
}

// thumbprintOf returns the thumbprint of RFC 7638.
func thumbprintOf(public crypto.PublicKey) (string, error) {
	key, err := jwkOf(public)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(key)
	if err != nil {
		return "", err
	}
	digest := sha256.Sum256(text)
	return encode(digest[:]), nil
}

// Publish returns a key set of RFC 7517 with those of the keys that are public:
// a secret, which verifies what it signs, is left out.
func Publish(keys []*keyset.Key) ([]byte, error) {
	set := struct {
		Keys []jwk `json:"keys"`
	}{Keys: []jwk{}}
	for _, key := range keys {
		if key.Type == "oct" {
			continue
		}
		public, err := jwkOf(key.Public)
		if err != nil {
			return nil, err
		}
		public.ID, public.Use = key.ID, "sig"
		if len(key.Algorithms) == 1 {
			public.Algorithm = key.Algorithms[0]
		}
		set.Keys = append(set.Keys, public)
	}
	return json.Marshal(set)
}
