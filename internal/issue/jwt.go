// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package issue

import "strings"

// JWTDigest is what the store finds a JSON Web Token by: the digest of what its
// signature covers. Whoever has a token can write a signature of ECDSA in another
// way, which must not make it another token.
func JWTDigest(token string) []byte {
	return Digest(token[:max(strings.LastIndexByte(token, '.'), 0)])
}
