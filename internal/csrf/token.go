// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package csrf

import "crypto/subtle"

// A secret is 32 characters of the alphabet. A masked token is 32 characters of
// a random mask and the secret added to it, so that no two responses hold the
// same bytes for an observer of their compressed length to guess at.
const (
	alphabet     = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	secretLength = 32
	maskedLength = 2 * secretLength
)

// What can be wrong with the form of a token.
const (
	badLength     = "has incorrect length"
	badCharacters = "has invalid characters"
)

// malformed returns what is wrong with the form of a secret or masked token.
func malformed(token string) string {
	if n := characters(token); n != secretLength && n != maskedLength {
		return badLength
	}
	for i := range len(token) {
		if index(token[i]) < 0 {
			return badCharacters
		}
	}
	return ""
}

// characters counts as Django does, which reads each byte of a header as one
// character. More than a token has are not counted.
func characters(token string) int { return min(len(token), maskedLength+1) }

// mask returns a new masked token of the secret.
func mask(secret string) string {
	token := make([]byte, maskedLength)
	for i := range secretLength {
		m := randomIndex()
		token[i] = alphabet[m]
		token[secretLength+i] = alphabet[(index(secret[i])+int(m))%len(alphabet)]
	}
	return string(token)
}

// unmask returns the secret of a well-formed token, masked or not.
func unmask(token string) string {
	if len(token) != maskedLength {
		return token
	}
	secret := make([]byte, secretLength)
	for i := range secret {
		secret[i] = alphabet[(index(token[secretLength+i])-index(token[i])+len(alphabet))%len(alphabet)]
	}
	return string(secret)
}

// same compares two secrets in a time that does not tell where they differ.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// index returns where a character is in the alphabet, and -1 if it is not.
func index(c byte) int { return int(positions[c]) }

var positions = func() (table [256]int8) {
	for i := range table {
		table[i] = -1
	}
	for i := range len(alphabet) {
		table[alphabet[i]] = int8(i)
	}
	return table
}()
