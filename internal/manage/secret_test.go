// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"crypto/sha256"
	"hash/crc32"
	"regexp"
	"testing"
)

func TestNewSecret(t *testing.T) {
	form := regexp.MustCompile(`^cra_[0-9A-Za-z]{36}$`)
	seen := make(map[string]bool)
	for range 1000 {
		secret, digest := newSecret()
		if !form.MatchString(secret) || seen[secret] {
			t.Fatalf("secret = %q, seen before: %v", secret, seen[secret])
		}
		seen[secret] = true
		if want := sha256.Sum256([]byte(secret)); string(digest) != string(want[:]) {
			t.Fatalf("digest of %q = %x", secret, digest)
		}
		random, sum := secret[4:34], secret[34:]
		if got := checksum([]byte(random)); got != sum {
			t.Fatalf("checksum(%q) = %q, want %q", random, got, sum)
		}
		if !LooksSecret(secret) {
			t.Fatalf("LooksSecret(%q) = false", secret)
		}
	}
}

// TestChecksum decodes the checksum, since scanners have to.
func TestChecksum(t *testing.T) {
	for _, text := range []string{"", "0", "abc", "000000000000000000000000000000"} {
		var got uint64
		for _, digit := range []byte(checksum([]byte(text))) {
			for i := range base62 {
				if base62[i] == digit {
					got = got*62 + uint64(i)
				}
			}
		}
		if want := uint64(crc32.ChecksumIEEE([]byte(text))); got != want {
			t.Errorf("checksum(%q) decodes to %d, want %d", text, got, want)
		}
	}
}

// TestRandomBase62 counts digits: a modulo of bytes would favour the first
// eight by a quarter.
func TestRandomBase62(t *testing.T) {
	const draws = 62 * 4000
	counts := make(map[byte]int)
	for _, digit := range randomBase62(draws) {
		counts[digit]++
	}
	for i := range base62 {
		if n := counts[base62[i]]; n < 3600 || n > 4400 {
			t.Errorf("digit %q was drawn %d times of %d, want about 4000", base62[i], n, draws)
		}
	}
}
