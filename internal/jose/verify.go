// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package jose

import (
	"slices"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
)

// MaxKeys is how many keys are tried for a token, each of which costs as much
// as the only one of a token with a kid.
const MaxKeys = 10

// Verify reports whether one of the keys has signed the token. A key verifies
// the algorithms that it says and no other, whatever the token says, and none
// that is not of its type: a public key is never a secret.
func (t *Token) Verify(keys []*keyset.Key) error {
	algorithm := algorithms[t.Alg]
	if algorithm == nil {
		return ErrAlgorithm
	}
	tried := 0
	for _, key := range keys {
		if key.Type != algorithm.typ || !allows(key, algorithm.name) || !algorithm.fits(key.Public) {
			continue
		}
		if tried++; tried > MaxKeys {
			break
		}
		if algorithm.method.Verify(t.signed, t.signature, key.Public) == nil {
			return nil
		}
	}
	if tried == 0 {
		return errNoKey
	}
	return ErrSignature
}

// allows knows both names of EdDSA.
func allows(key *keyset.Key, alg string) bool {
	return slices.Contains(key.Algorithms, alg) || alg == "EdDSA" && slices.Contains(key.Algorithms, "Ed25519")
}
