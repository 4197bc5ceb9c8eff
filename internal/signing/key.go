// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package signing

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
)

// hmacSize is how many bytes a secret has: no hash of HMAC gains by more.
const hmacSize = 64

// rsaBits is the size of RSA keys by the hash of the algorithm.
var rsaBits = map[string]int{"256": 2048, "384": 3072, "512": 3072}

// curves are those of ECDSA by algorithm.
var curves = map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()}

// CheckAlgorithm refuses an algorithm that no key can be generated for.
func CheckAlgorithm(algorithm string) error {
	switch algorithm {
	case "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA":
		return nil
	}
	return fmt.Errorf("unknown algorithm '%s', expected HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 or EdDSA", algorithm)
}

// symmetric reports whether what verifies is what signs, and is to be kept.
func symmetric(algorithm string) bool { return algorithm[:2] == "HS" }

// A key is one of a ring.
type key struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created"`

	// Starts is when it begins to sign; Ends, unless zero, when what it signed
	// is accepted no more.
	Starts time.Time `json:"starts"`
	Ends   time.Time `json:"ends,omitzero"`

	// Secret is PKCS #8, or the secret of HMAC.
	Secret []byte `json:"secret"`

	signer jose.SigningKey
	public *keyset.Key
}

// generate makes a key that signs from a time on.
func generate(algorithm string, created, starts time.Time) (*key, error) {
	k := &key{Created: created.UTC(), Starts: starts.UTC()}
	var private any
	var err error
	switch algorithm[:2] {
	case "HS":
		k.Secret = make([]byte, hmacSize)
		rand.Read(k.Secret)
		k.ID = rand.Text()
		return k, k.complete(algorithm)
	case "RS", "PS":
		private, err = rsa.GenerateKey(rand.Reader, rsaBits[algorithm[2:]])
	case "ES":
		private, err = ecdsa.GenerateKey(curves[algorithm], rand.Reader)
	default:
		_, private, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		return nil, err
	}
	if k.Secret, err = x509.MarshalPKCS8PrivateKey(private); err != nil {
		return nil, err
	}
	return k, k.complete(algorithm)
}

// complete fills in what signs and verifies, of a key that may be damaged.
func (k *key) complete(algorithm string) error {
	if k.Created.IsZero() || k.Starts.IsZero() {
		return errors.New("a key without its times")
	}
	if symmetric(algorithm) {
		if len(k.Secret) != hmacSize || k.ID == "" {
			return fmt.Errorf("a secret of %d bytes, expected %d", len(k.Secret), hmacSize)
		}
		// Its ID is for people: tokens of simplejwt name no key.
		k.public = &keyset.Key{Type: "oct", Algorithms: []string{algorithm}, Public: k.Secret}
		k.signer = jose.SigningKey{Algorithm: algorithm, Private: k.Secret}
		return nil
	}
	private, err := x509.ParsePKCS8PrivateKey(k.Secret)
	if err != nil {
		return errors.New("a key that cannot be read") // the error may quote it
	}
	signer, ok := private.(crypto.Signer)
	if !ok || !fits(signer.Public(), algorithm) {
		return fmt.Errorf("a key that is not of %s", algorithm)
	}
	public := signer.Public()
	thumbprint, err := thumbprintOf(public)
	if err != nil {
		return err
	}
	if k.ID == "" {
		k.ID = thumbprint
	}
	k.public = &keyset.Key{ID: k.ID, Type: typeOf(public), Algorithms: []string{algorithm}, Public: public, Thumbprint: thumbprint}
	k.signer = jose.SigningKey{ID: k.ID, Algorithm: algorithm, Private: private}
	return nil
}

// fits reports whether a public key is one of the algorithm's.
func fits(public crypto.PublicKey, algorithm string) bool {
	switch public := public.(type) {
	case *rsa.PublicKey:
		return (algorithm[:2] == "RS" || algorithm[:2] == "PS") && public.N.BitLen() >= rsaBits["256"]
	case *ecdsa.PublicKey:
		return curves[algorithm] == public.Curve
	case ed25519.PublicKey:
		return algorithm == "EdDSA"
	}
	return false
}

// encode is base64 as JWK has it.
func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
