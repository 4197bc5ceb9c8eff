// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"crypto/rand"
	"crypto/sha256"
	"hash/crc32"
	"strings"
)

// The parts of a secret: a prefix that secret scanners recognise, the random
// part, and a checksum by which they tell a leak from a look-alike. A pattern
// for scanners is cra_[0-9A-Za-z]{36}.
const (
	secretPrefix   = "cra_"
	secretRandom   = 30 // digits of base 62: 178 bits
	secretChecksum = 6  // digits of base 62: 32 bits of CRC-32 (IEEE) of the random part
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// newSecret makes the secret of a token, and the digest that is stored of it.
func newSecret() (secret string, digest []byte) {
	text := randomBase62(secretRandom)
	secret = secretPrefix + string(text) + checksum(text)
	sum := sha256.Sum256([]byte(secret))
	return secret, sum[:]
}

// LooksSecret reports whether a text that should be a handle may be a secret.
func LooksSecret(text string) bool {
	return strings.HasPrefix(text, secretPrefix) || len(text) > maxHandle
}

// randomBase62 returns n digits, each equally likely: bytes above the largest
// multiple of 62 are drawn again.
func randomBase62(n int) []byte {
	text := make([]byte, 0, n)
	var draw [64]byte
	for {
		rand.Read(draw[:])
		for _, b := range draw {
			if int(b) >= 256/len(base62)*len(base62) {
				continue
			}
			if text = append(text, base62[int(b)%len(base62)]); len(text) == n {
				return text
			}
		}
	}
}

// checksum spells the CRC-32 of text in base 62, filled up with zeros.
func checksum(text []byte) string {
	sum := crc32.ChecksumIEEE(text)
	var digits [secretChecksum]byte
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] = base62[sum%uint32(len(base62))]
		sum /= uint32(len(base62))
	}
	return string(digits[:])
}
