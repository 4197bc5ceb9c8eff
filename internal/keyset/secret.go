// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package keyset

import (
	"bytes"
	"errors"
	"fmt"
)

// ErrWeak says that a secret is short or known to the world.
var ErrWeak = errors.New("the secret is weak")

// hashSizes are how long the secret of an algorithm must be (RFC 7518 §3.2).
var hashSizes = map[string]int{"HS256": 32, "HS384": 48, "HS512": 64}

// CheckSecret reports whether a secret may sign with alg, which is one of HS256,
// HS384 and HS512, or empty for the least that any of them asks. What it says
// holds no part of the secret.
//
// A secret that signs tokens can be guessed at without asking us, so it must not
// be a text of people: one that is short, that is an example of somebody's
// documentation, that repeats itself, or in which little is left beside words as
// "changeme".
func CheckSecret(secret []byte, alg string) error {
	size, ok := hashSizes[alg]
	if alg == "" {
		size, ok = hashSizes["HS256"], true
	}
	switch {
	case !ok:
		return fmt.Errorf("%s takes no secret", alg)
	case bytes.Contains(secret, []byte("-----BEGIN")):
		// Who verifies with a public key as a secret lets everybody sign.
		return fmt.Errorf("%w: it is a key or a certificate", ErrWeak)
	case len(secret) < size:
		return fmt.Errorf("%w: it has %d bytes and needs %d", ErrWeak, len(secret), size)
	}
	if why := known(secret); why != "" {
		return fmt.Errorf("%w: %s", ErrWeak, why)
	}
	return nil
}

// newSecret returns a key for what the length of a secret allows.
func newSecret(secret []byte) (*Key, error) {
	if err := CheckSecret(secret, ""); err != nil {
		return nil, err
	}
	key := &Key{Type: "oct", Public: bytes.Clone(secret)}
	for _, alg := range hmacAlgorithms {
		if len(secret) >= hashSizes[alg] {
			key.Algorithms = append(key.Algorithms, alg)
		}
	}
	return key, nil
}
