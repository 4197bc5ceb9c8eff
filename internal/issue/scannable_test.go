// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package issue

import (
	"hash/crc32"
	"regexp"
	"strings"
	"testing"
)

func TestScannable(t *testing.T) {
	form := regexp.MustCompile(`^cra_[0-9A-Za-z]{36}$`)
	seen := make(map[string]bool)
	for range 1000 {
		secret := Scannable(DefaultPrefix)
		if !form.MatchString(secret) || seen[secret] {
			t.Fatalf("secret = %q, seen before: %v", secret, seen[secret])
		}
		seen[secret] = true
		if !IsScannable(secret) || !IsScannable("other-"+secret[4:]) || !IsScannable(secret[4:]) {
			t.Fatalf("IsScannable(%q) = false", secret)
		}
		for i := 4; i < len(secret); i++ {
			changed := []byte(secret)
			changed[i] = base62[(strings.IndexByte(base62, changed[i])+1)%len(base62)]
			if IsScannable(string(changed)) {
				t.Fatalf("IsScannable(%q) = true, which has a typing error", changed)
			}
		}
	}
	for _, text := range []string{"", "cra_", "cra_short", "cra_" + string(make([]byte, 36)), "0123456789abcdef"} {
		if IsScannable(text) {
			t.Errorf("IsScannable(%q) = true", text)
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
