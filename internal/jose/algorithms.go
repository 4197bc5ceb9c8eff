// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package jose

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"

	"github.com/golang-jwt/jwt/v5"
)

// An algorithm is one of RFC 7518, section 3.1, or RFC 8037, section 3.1. There
// is no other, and none is not one.
type algorithm struct {
	name   string
	typ    string // of its keys
	curve  elliptic.Curve
	method jwt.SigningMethod
}

var algorithms = map[string]*algorithm{
	"HS256": {"HS256", "oct", nil, jwt.SigningMethodHS256},
	"HS384": {"HS384", "oct", nil, jwt.SigningMethodHS384},
	"HS512": {"HS512", "oct", nil, jwt.SigningMethodHS512},
	"RS256": {"RS256", "RSA", nil, jwt.SigningMethodRS256},
	"RS384": {"RS384", "RSA", nil, jwt.SigningMethodRS384},
	"RS512": {"RS512", "RSA", nil, jwt.SigningMethodRS512},
	"PS256": {"PS256", "RSA", nil, saltOfHash(jwt.SigningMethodPS256)},
	"PS384": {"PS384", "RSA", nil, saltOfHash(jwt.SigningMethodPS384)},
	"PS512": {"PS512", "RSA", nil, saltOfHash(jwt.SigningMethodPS512)},
	"ES256": {"ES256", "EC", elliptic.P256(), jwt.SigningMethodES256},
	"ES384": {"ES384", "EC", elliptic.P384(), jwt.SigningMethodES384},
	"ES512": {"ES512", "EC", elliptic.P521(), jwt.SigningMethodES512},
	"EdDSA": {"EdDSA", "OKP", nil, jwt.SigningMethodEdDSA},
	// RFC 9864 has a name for the only curve that is accepted for EdDSA here.
	"Ed25519": {"EdDSA", "OKP", nil, jwt.SigningMethodEdDSA},
}

// known returns the algorithm's one name, and the empty string for what is not
// an algorithm. Names are exact, in the case of the RFC.
func known(alg string) string {
	if a := algorithms[alg]; a != nil {
		return a.name
	}
	return ""
}

// saltOfHash has the salt be as long as the hash, as RFC 7518, section 3.5
// says; golang-jwt accepts every length for signatures of its own past.
func saltOfHash(m *jwt.SigningMethodRSAPSS) jwt.SigningMethod {
	return &jwt.SigningMethodRSAPSS{SigningMethodRSA: m.SigningMethodRSA, Options: m.Options, VerifyOptions: m.Options}
}

// fits reports whether a public key or secret is one of the algorithm's.
func (a *algorithm) fits(public any) bool {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return a.typ == "RSA" && k != nil
	case *ecdsa.PublicKey:
		return a.typ == "EC" && k != nil && k.Curve == a.curve
	case ed25519.PublicKey:
		return a.typ == "OKP" && len(k) == ed25519.PublicKeySize
	case []byte:
		return a.typ == "oct" && len(k) > 0
	default:
		return false
	}
}
