// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package issue

import (
	"crypto/rand"
	"hash/crc32"
	"strings"
)

// The parts of a scannable secret: a prefix that secret scanners recognise, the
// random part, and a checksum by which they tell a leak from a look-alike. With
// the default prefix, a pattern for scanners is cra_[0-9A-Za-z]{36}.
const (
	DefaultPrefix = "cra_"

	scannableRandom   = 30 // digits of base 62: 178 bits
	scannableChecksum = 6  // digits of base 62: 32 bits of CRC-32 (IEEE) of the random part
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// Scannable returns a new secret that scanners can recognise.
func Scannable(prefix string) string {
	text := randomBase62(scannableRandom)
	return prefix + string(text) + checksum(text)
}

// IsScannable reports whether a text ends as a scannable secret does, whatever
// its prefix is. One of four billion look-alikes does too.
func IsScannable(text string) bool {
	n := len(text) - scannableRandom - scannableChecksum
	if n < 0 || strings.Trim(text[n:], base62) != "" {
		return false
	}
	random, sum := text[n:n+scannableRandom], text[n+scannableRandom:]
	return checksum([]byte(random)) == sum
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
	var digits [scannableChecksum]byte
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] = base62[sum%uint32(len(base62))]
		sum /= uint32(len(base62))
	}
	return string(digits[:])
}
