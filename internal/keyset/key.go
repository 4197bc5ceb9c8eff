// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package keyset has the keys that verify tokens.
package keyset

// A Key verifies signatures.
type Key struct {
	ID   string
	Type string // RSA, EC, OKP, oct
	// Algorithms are those that this key may verify: the key decides, not the token.
	Algorithms []string
	// Public is an *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey, or the
	// bytes of a secret.
	Public any
	// Issuer is the JWK's member of that name: Entra ID binds keys to issuers.
	Issuer     string
	Thumbprint string
}
