// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package issue

import (
	"context"
	"strings"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// JWTDigest is what the store finds a JSON Web Token by: the digest of what its
// signature covers. Whoever has a token can write a signature of ECDSA in another
// way, which must not make it another token.
func JWTDigest(token string) []byte {
	return Digest(token[:max(strings.LastIndexByte(token, '.'), 0)])
}

// Record adds a record of something that is signed already, under the digest that
// it has, and returns it with its ID and, where it has none, Created filled in.
// Errors are the store's.
func (i *Issuer) Record(ctx context.Context, c tokenstore.Credential) (tokenstore.Credential, error) {
	return i.create(ctx, c, 0, false)
}

// Rotated says in the log that a record took the place of another.
func (i *Issuer) Rotated(c *tokenstore.Credential) {
	i.logger.Info("token rotated", Fields(c)...)
}
