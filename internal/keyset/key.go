// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package keyset keeps the keys that verify what others have signed: those
// of an issuer, fetched in the background and again before they are old, those
// of a file that is read again when it changes, and those of the configuration.
package keyset

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// Key is a key that verifies.
type Key struct {
	// ID is its kid, or empty.
	ID string

	// Type is RSA, EC, OKP or oct.
	Type string

	// Algorithms are what the key may verify. The key decides, never a token.
	Algorithms []string

	// Public is a *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey or, for a
	// secret, []byte.
	Public any

	// Issuer is the one that the key is bound to, by the member of that name,
	// or empty. Microsoft Entra ID publishes keys of several issuers together.
	Issuer string

	// Thumbprint is that of RFC 7638, base64url. Of a secret it is empty: whoever
	// reads it could try secrets against it.
	Thumbprint string
}

const (
	minRSABits = 2048
	maxRSABits = 8192 // verifying takes longer with the square of it
)

var rsaAlgorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}

var hmacAlgorithms = []string{"HS256", "HS384", "HS512"}

// curves are those of RFC 7518, by the size of their numbers in bits.
var curves = map[int]struct{ name, alg string }{
	256: {"P-256", "ES256"},
	384: {"P-384", "ES384"},
	521: {"P-521", "ES512"},
}

// Verifies reports whether the key may verify alg.
func (k *Key) Verifies(alg string) bool { return slices.Contains(k.Algorithms, alg) }

// newKey returns a key for public, with all that its type verifies. It refuses
// those that are weak, or so large that verifying is work.
func newKey(public any) (*Key, error) {
	switch public := public.(type) {
	case *rsa.PublicKey:
		bits := public.N.BitLen()
		switch {
		case bits < minRSABits:
			return nil, fmt.Errorf("an RSA key of %d bits is too weak: %d at least", bits, minRSABits)
		case bits > maxRSABits:
			return nil, fmt.Errorf("an RSA key of %d bits is too large: %d at most", bits, maxRSABits)
		case public.N.Bit(0) == 0:
			return nil, errors.New("the modulus of an RSA key is even")
		case public.E < 3 || public.E&1 == 0:
			return nil, errors.New("the exponent of an RSA key is not an odd number from 3 on")
		}
		return &Key{
			Type: "RSA", Algorithms: rsaAlgorithms, Public: public,
			Thumbprint: thumbprint(`{"e":"%s","kty":"RSA","n":"%s"}`, big.NewInt(int64(public.E)).Bytes(), public.N.Bytes()),
		}, nil
	case *ecdsa.PublicKey:
		curve, ok := curves[public.Curve.Params().BitSize]
		if !ok || curve.name != public.Curve.Params().Name {
			return nil, errors.New("the curve of an EC key is none of P-256, P-384 and P-521")
		}
		point, err := public.Bytes()
		if err != nil {
			return nil, errors.New("the point of an EC key is not on its curve")
		}
		half := (len(point) - 1) / 2
		return &Key{
			Type: "EC", Algorithms: []string{curve.alg}, Public: public,
			Thumbprint: thumbprint(`{"crv":"`+curve.name+`","kty":"EC","x":"%s","y":"%s"}`, point[1:1+half], point[1+half:]),
		}, nil
	case ed25519.PublicKey:
		if len(public) != ed25519.PublicKeySize {
			return nil, errors.New("an Ed25519 key has a wrong length")
		}
		return &Key{
			Type: "OKP", Algorithms: []string{"EdDSA", "Ed25519"}, Public: public,
			Thumbprint: thumbprint(`{"crv":"Ed25519","kty":"OKP","x":"%s"}`, public),
		}, nil
	}
	return nil, fmt.Errorf("a %T verifies nothing here", public)
}

// thumbprint is RFC 7638's: the digest of the members that make the key, in
// the order of their names.
func thumbprint(form string, numbers ...[]byte) string {
	texts := make([]any, len(numbers))
	for i, number := range numbers {
		texts[i] = base64.RawURLEncoding.EncodeToString(number)
	}
	digest := sha256.Sum256(fmt.Appendf(nil, form, texts...))
	return base64.RawURLEncoding.EncodeToString(digest[:])
}
