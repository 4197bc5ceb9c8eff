// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package jose

import (
	"crypto"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
)

// A SigningKey signs tokens with one algorithm.
type SigningKey struct {
	ID        string // kid; empty: tokens have none
	Algorithm string
	// Private is an *rsa.PrivateKey, *ecdsa.PrivateKey, ed25519.PrivateKey, or
	// the bytes of a secret.
	Private any
}

// Header is what stands in a token's header beside alg and kid.
type Header struct {
	Type string // typ; empty: the token has none
	// Extra members follow in the order of their names.
	Extra map[string]any
}

// Sign returns the token of a payload, a JSON object. Its header is
// {"alg":…,"typ":…,"kid":…}, in this order. What [Parse] would refuse is not
// handed out.
func Sign(key SigningKey, header Header, payload []byte) (string, error) {
	algorithm := algorithms[key.Algorithm]
	if algorithm == nil {
		return "", fmt.Errorf("signing a token: '%s' is not an algorithm", key.Algorithm)
	}
	if !algorithm.fits(public(key.Private)) {
		return "", fmt.Errorf("signing a token: the key is not one of %s", key.Algorithm)
	}
	encodedHeader, err := header.encode(key)
	if err != nil {
		return "", fmt.Errorf("signing a token: %w", err)
	}
	enc := base64.RawURLEncoding
	token := make([]byte, 0, enc.EncodedLen(len(encodedHeader))+enc.EncodedLen(len(payload))+enc.EncodedLen(maxSignature)+2)
	token = enc.AppendEncode(token, encodedHeader)
	token = append(token, '.')
	token = enc.AppendEncode(token, payload)
	signature, err := algorithm.method.Sign(string(token), key.Private)
	if err != nil {
		return "", fmt.Errorf("signing a token: %w", err)
	}
	token = append(token, '.')
	token = enc.AppendEncode(token, signature)
	if _, err := Parse(string(token)); err != nil {
		return "", fmt.Errorf("signing a token: %w", err)
	}
	return string(token), nil
}

// maxSignature is the size that most signatures do not exceed.
const maxSignature = 256

// public returns what verifies the signatures of a private key.
func public(private any) any {
	switch k := private.(type) {
	case []byte:
		return k
	case crypto.Signer:
		return k.Public()
	default:
		return nil
	}
}

func (h Header) encode(key SigningKey) ([]byte, error) {
	out := append([]byte(`{"alg":"`), key.Algorithm...)
	out = append(out, '"')
	var err error
	if h.Type != "" {
		if out, err = appendMember(out, "typ", h.Type); err != nil {
			return nil, err
		}
	}
	if key.ID != "" {
		if out, err = appendMember(out, "kid", key.ID); err != nil {
			return nil, err
		}
	}
	names := make([]string, 0, len(h.Extra))
	for name := range h.Extra {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if out, err = appendMember(out, name, h.Extra[name]); err != nil {
			return nil, err
		}
	}
	return append(out, '}'), nil
}

func appendMember(to []byte, name string, value any) ([]byte, error) {
	encodedName, err := json.Marshal(name)
	if err != nil {
		return nil, err
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	to = append(append(to, ','), encodedName...)
	return append(append(to, ':'), encoded...), nil
}
