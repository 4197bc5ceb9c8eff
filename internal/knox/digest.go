// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package knox

import (
	"crypto/sha512"
	"encoding/hex"
)

// Imported is a key that the store knows once an import has brought a token of
// knox. Where it does not, no token need be looked for by these digests.
const Imported = "imported knox"

// Digests returns what django-rest-knox itself stores of a token: the SHA-512 of
// its text and, before version 5, of the bytes that it spelt, in small letters.
func Digests(token string) [][]byte {
	text := sha512.Sum512([]byte(token))
	digests := [][]byte{text[:]}
	if spelt, err := hex.DecodeString(token); err == nil && hex.EncodeToString(spelt) == token {
		bytes := sha512.Sum512(spelt)
		digests = append(digests, bytes[:])
	}
	return digests
}
