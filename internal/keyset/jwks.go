// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package keyset

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxKeys bounds the keys of a set.
const maxKeys = 100

// maxKeyID bounds the kid of a key.
const maxKeyID = 1024

var errNoKeys = errors.New("the key set has no key that can be used")

// ParseJWKS reads the public keys of a JWK Set (RFC 7517 §5), or a single JWK.
// Keys that are weak, for encryption, secret, or of a kind that is unknown are
// left out. It fails if none is left.
func ParseJWKS(raw []byte) ([]*Key, error) {
	keys, _, err := parseJWKS(raw, false)
	return keys, err
}

// parseJWKS also returns why keys were left out. Secrets are accepted only of
// sources that only we read.
func parseJWKS(raw []byte, secrets bool) (keys []*Key, left []error, err error) {
	jwks, err := split(raw)
	if err != nil {
		return nil, nil, err
	}
	for i, jwk := range jwks {
		key, notes, err := parseJWK(jwk, secrets)
		for _, note := range append(notes, err) {
			if note != nil {
				left = append(left, fmt.Errorf("key %d: %w", i+1, note))
			}
		}
		if key != nil {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, left, errors.Join(append([]error{errNoKeys}, left...)...)
	}
	return unite(keys), left, nil
}

// split returns the members of each key in the document.
func split(raw []byte) ([]map[string]json.RawMessage, error) {
	errForm := errors.New("the key set is no JSON object with a list of keys")
	var document map[string]json.RawMessage // a struct would take members of any case
	if !utf8.Valid(raw) || json.Unmarshal(raw, &document) != nil || document == nil {
		return nil, errForm
	}
	list, isSet := document["keys"]
	if !isSet {
		if _, isKey := document["kty"]; isKey {
			return []map[string]json.RawMessage{document}, nil
		}
		return nil, errForm
	}
	var jwks []map[string]json.RawMessage
	if json.Unmarshal(list, &jwks) != nil {
		return nil, errForm
	}
	if len(jwks) > maxKeys {
		return nil, fmt.Errorf("the key set has %d keys: %d at most", len(jwks), maxKeys)
	}
	return jwks, nil
}

// errPrivate is for the operator of an issuer: it gave its key away.
var errPrivate = errors.New("the private part of the key is published")

// parseJWK returns the key, or why it is left out, and what is to be noted.
func parseJWK(jwk map[string]json.RawMessage, secrets bool) (key *Key, notes []error, err error) {
	text := func(name string) string {
		var value string
		if member, ok := jwk[name]; ok && json.Unmarshal(member, &value) != nil {
			err = fmt.Errorf("%s is not text", name)
		}
		return value
	}
	kty, use, alg, id, issuer := text("kty"), text("use"), text("alg"), text("kid"), text("issuer")
	if err != nil {
		return nil, nil, err
	}
	switch {
	case use != "" && use != "sig":
		return nil, nil, nil
	case !verifies(jwk):
		return nil, nil, nil
	case len(id) > maxKeyID:
		return nil, nil, errors.New("kid is too long")
	}
	switch kty {
	case "RSA":
		key, err = parseRSA(jwk)
	case "EC":
		key, err = parseEC(jwk)
	case "OKP":
		key, err = parseOKP(jwk)
	case "oct":
		if !secrets {
			return nil, nil, errors.New("a secret is published, and not used")
		}
		var secret []byte
		if secret, err = number(jwk, "k"); err == nil {
			key, err = newSecret(secret)
		}
	default:
		return nil, nil, fmt.Errorf("unknown key type %.20q", kty)
	}
	if err != nil {
		return nil, nil, err
	}
	if alg != "" {
		if key.Algorithms = bound(key.Algorithms, alg); key.Algorithms == nil {
			return nil, nil, fmt.Errorf("alg %.20q is not one of a key of type %s", alg, kty)
		}
	}
	if _, private := jwk["d"]; private {
		notes = append(notes, errPrivate)
	}
	key.ID, key.Issuer = id, issuer
	return key, notes, nil
}

// verifies reports whether key_ops, if there is one, has the key verify.
func verifies(jwk map[string]json.RawMessage) bool {
	member, ok := jwk["key_ops"]
	if !ok {
		return true
	}
	var ops []string
	return json.Unmarshal(member, &ops) == nil && (slices.Contains(ops, "verify") || slices.Contains(ops, "sign"))
}

// bound returns what a key of those algorithms verifies if it is bound to alg.
func bound(algorithms []string, alg string) []string {
	if !slices.Contains(algorithms, alg) {
		return nil
	}
	if alg == "EdDSA" || alg == "Ed25519" {
		return algorithms // two names for one
	}
	return []string{alg}
}

// number returns a member that is base64url. Some issuers pad it.
func number(jwk map[string]json.RawMessage, name string) ([]byte, error) {
	var text string
	if json.Unmarshal(jwk[name], &text) != nil || text == "" {
		return nil, fmt.Errorf("%s is missing", name)
	}
	value, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return nil, fmt.Errorf("%s is not base64url", name)
	}
	return value, nil
}

func parseRSA(jwk map[string]json.RawMessage) (*Key, error) {
	n, err := number(jwk, "n")
	if err != nil {
		return nil, err
	}
	e, err := number(jwk, "e")
	if err != nil {
		return nil, err
	}
	exponent := new(big.Int).SetBytes(e)
	if exponent.BitLen() > 31 {
		return nil, errors.New("the exponent of an RSA key is too large")
	}
	return newKey(&rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent.Int64())})
}

func parseEC(jwk map[string]json.RawMessage) (*Key, error) {
	var name string
	_ = json.Unmarshal(jwk["crv"], &name)
	var curve elliptic.Curve
	switch name {
	case "P-256":
		curve = elliptic.P256()
	case "P-384":
		curve = elliptic.P384()
	case "P-521":
		curve = elliptic.P521()
	default:
		return nil, fmt.Errorf("unknown curve %.20q", name)
	}
	x, err := number(jwk, "x")
	if err != nil {
		return nil, err
	}
	y, err := number(jwk, "y")
	if err != nil {
		return nil, err
	}
	size := (curve.Params().BitSize + 7) / 8
	if len(x) != size || len(y) != size {
		return nil, errors.New("the point of an EC key has a wrong length")
	}
	public, err := ecdsa.ParseUncompressedPublicKey(curve, slices.Concat([]byte{4}, x, y))
	if err != nil {
		return nil, errors.New("the point of an EC key is not on its curve")
	}
	return newKey(public)
}

func parseOKP(jwk map[string]json.RawMessage) (*Key, error) {
	var name string
	_ = json.Unmarshal(jwk["crv"], &name)
	if name != "Ed25519" {
		return nil, fmt.Errorf("unknown curve %.20q", name)
	}
	x, err := number(jwk, "x")
	if err != nil {
		return nil, err
	}
	return newKey(ed25519.PublicKey(x))
}

// unite makes one key of those that are the same but for their algorithms.
func unite(keys []*Key) []*Key {
	var united []*Key
	for _, key := range keys {
		i := slices.IndexFunc(united, func(other *Key) bool {
			return key.Thumbprint != "" && other.Thumbprint == key.Thumbprint && other.ID == key.ID && other.Issuer == key.Issuer
		})
		if i < 0 {
			united = append(united, key)
			continue
		}
		all := slices.Concat(united[i].Algorithms, key.Algorithms)
		slices.Sort(all)
		united[i].Algorithms = slices.Compact(all)
	}
	return united
}
