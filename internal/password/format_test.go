// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package password

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

var (
	text16   = strings.Repeat("A", 22) // 16 bytes, base64
	text32   = strings.Repeat("A", 43) // 32 bytes
	text64   = strings.Repeat("A", 86) // 64 bytes
	bcrypt53 = strings.Repeat("a", 53) // salt and digest
	md5Hex   = strings.Repeat("0123abcd", 4)
	sha1Hex  = strings.Repeat("0123abcd", 5)
)

func TestCheck(t *testing.T) {
	tests := []struct {
		encoded string
		want    error
	}{
		{"$argon2id$v=19$m=19456,t=2,p=1$" + text16 + "$" + text32, nil},
		{"$argon2id$v=19$m=262144,t=4,p=16$" + text16 + "$" + text32, nil},
		{"$argon2id$v=19$m=262145,t=1,p=1$" + text16 + "$" + text32, ErrTooCostly},
		{"$argon2id$v=19$m=262144,t=5,p=1$" + text16 + "$" + text32, ErrTooCostly},
		{"$argon2id$v=19$m=8,t=1025,p=1$" + text16 + "$" + text32, ErrTooCostly},
		{"$argon2id$v=19$m=8,t=99999999999999999999,p=1$" + text16 + "$" + text32, ErrTooCostly},
		{"$argon2id$v=19$m=8,t=18446744073709551617,p=1$" + text16 + "$" + text32, ErrTooCostly}, // 2^64 + 1
		{"$argon2id$v=19$m=4096,t=1,p=17$" + text16 + "$" + text32, ErrTooCostly},
		{"$argon2id$v=19$m=8,t=0,p=1$" + text16 + "$" + text32, ErrMalformed},
		{"$argon2id$v=19$m=8,t=1,p=0$" + text16 + "$" + text32, ErrMalformed},
		{"$argon2id$v=19$m=15,t=1,p=2$" + text16 + "$" + text32, ErrMalformed},
		{"$argon2id$v=19$t=2,m=64,p=1$" + text16 + "$" + text32, ErrMalformed},
		{"$argon2id$v=19$m=64,t=2$" + text16 + "$" + text32, ErrMalformed},
		{"$argon2id$v=19$m=64,t=2,p=1,keyid=AA$" + text16 + "$" + text32, ErrMalformed},
		{"$argon2id$v=19$m=064,t=2,p=1$" + text16 + "$" + text32, ErrMalformed},
		{"$argon2id$v=19$m=+64,t=2,p=1$" + text16 + "$" + text32, ErrMalformed},
		{"$argon2id$v=18$m=64,t=2,p=1$" + text16 + "$" + text32, ErrMalformed},
		{"$argon2id$v=16$m=64,t=2,p=1$" + text16 + "$" + text32, nil},
		{"$argon2i$m=64,t=2,p=1$" + text16 + "$" + text32, nil},
		{"$argon2d$v=19$m=64,t=2,p=1$" + text16 + "$" + text32, nil},
		{"$argon2x$v=19$m=64,t=2,p=1$" + text16 + "$" + text32, ErrMalformed},
		{"$argon2id$v=19$m=64,t=2,p=1$AAAA$" + text32, ErrMalformed},
		{"$argon2id$v=19$m=64,t=2,p=1$" + text16 + "$AAAA", ErrMalformed},
		{"$argon2id$v=19$m=64,t=2,p=1$" + text16 + "$" + strings.Repeat("A", 171), nil},
		{"$argon2id$v=19$m=64,t=2,p=1$" + text16 + "$" + strings.Repeat("A", 172), ErrMalformed},
		{"$argon2id$v=19$m=64,t=2,p=1$" + text16 + "$" + text32[:42] + "B", ErrMalformed}, // surplus bits
		{"$argon2id$v=19$m=64,t=2,p=1$" + text16 + "$" + text32 + "\n", ErrMalformed},
		{"$argon2id$v=19$m=64,t=2,p=1$" + text16 + "$" + text32 + "$", ErrMalformed},
		{"argon2$argon2id$v=19$m=64,t=2,p=1$" + text16 + "$" + text32, nil},
		{"argon2$" + text16, ErrMalformed},

		{"$2a$04$" + bcrypt53, nil},
		{"$2b$16$" + bcrypt53, nil},
		{"$2y$10$" + bcrypt53, nil},
		{"$2b$17$" + bcrypt53, ErrTooCostly},
		{"$2b$03$" + bcrypt53, ErrMalformed},
		{"$2b$00$" + bcrypt53, ErrMalformed},
		{"$2b$+9$" + bcrypt53, ErrMalformed},
		{"$2b$10$" + bcrypt53[1:], ErrMalformed},
		{"$2b$10$" + bcrypt53 + "a", ErrMalformed},
		{"$2b$10$=" + bcrypt53[1:], ErrMalformed},
		{"$2b$10a" + bcrypt53, ErrMalformed},
		{"$2x$10$" + bcrypt53, ErrMalformed},
		{"$2$10$" + bcrypt53, ErrMalformed},
		{"bcrypt$$2b$10$" + bcrypt53, nil},
		{"bcrypt$$2x$10$" + bcrypt53, ErrMalformed},
		{"bcrypt_sha256$$2b$10$" + bcrypt53, nil},
		{"bcrypt_sha256$2b$10$" + bcrypt53, ErrMalformed},

		{"$scrypt$ln=17,r=8,p=4$" + text16 + "$" + text32, nil},
		{"$scrypt$ln=17,r=8,p=5$" + text16 + "$" + text32, ErrTooCostly},
		{"$scrypt$ln=18,r=8,p=1$" + text16 + "$" + text32, ErrTooCostly},
		{"$scrypt$ln=64,r=1,p=1$" + text16 + "$" + text32, ErrTooCostly},
		{"$scrypt$ln=1,r=1025,p=1$" + text16 + "$" + text32, ErrTooCostly},
		{"$scrypt$ln=1,r=1,p=65$" + text16 + "$" + text32, ErrTooCostly},
		{"$scrypt$ln=0,r=1,p=1$" + text16 + "$" + text32, ErrMalformed},
		{"$scrypt$ln=4,r=1,p=1$" + text16 + "$" + "AAAA", ErrMalformed},
		{"$scrypt$ln=4,r=1,p=1$" + text16, ErrMalformed},
		{"scrypt$16384$salt$8$5$" + text64 + "==", nil},
		{"scrypt$16384$salt$8$5$" + text32 + "=", ErrMalformed},
		{"scrypt$1$salt$8$1$" + text64 + "==", ErrMalformed},
		{"scrypt$1000$salt$8$1$" + text64 + "==", ErrMalformed},
		{"scrypt$2097152$salt$8$1$" + text64 + "==", ErrTooCostly},
		{"scrypt$262144$salt$8$1$" + text64 + "==", ErrTooCostly},

		{"pbkdf2_sha256$10000000$salt$" + text32 + "=", nil},
		{"pbkdf2_sha256$10000001$salt$" + text32 + "=", ErrTooCostly},
		{"pbkdf2_sha256$1000$$" + text32 + "=", ErrMalformed},
		{"pbkdf2_sha256$1000$salt$" + text16 + "==", ErrMalformed},
		{"pbkdf2_sha256$1000$salt$" + text64 + "==", ErrMalformed},
		{"pbkdf2_sha256$1000$salt$" + text32, ErrMalformed},
		{"pbkdf2_sha512$1000$salt$" + text64 + "==", ErrMalformed},
		{"$pbkdf2-sha512$1000$" + text16 + "$" + text64, nil},
		{"$pbkdf2-sha512$1000$$" + text64, ErrMalformed},
		{"$pbkdf2-sha256$0$" + text16 + "$" + text32, ErrMalformed},

		{"crypt$ab$abcdefghijklm", ErrMalformed},
		{"md5$salt$" + md5Hex, ErrWeak},
		{"md5$$" + md5Hex, ErrWeak},
		{"sha1$salt$" + sha1Hex, ErrWeak},
		{"sha1$$" + sha1Hex, ErrWeak},
		{md5Hex, ErrWeak},
		{sha1Hex, ErrMalformed},

		{"", ErrUnusable},
		{"!", ErrUnusable},
		{"!" + text32, ErrUnusable},
		{"*", ErrMalformed},
		{"password", ErrMalformed},
		{strings.Repeat("a", maxEncoded+1), ErrMalformed},
	}
	for _, tt := range tests {
		if err := Check(tt.encoded, nil); !errors.Is(err, tt.want) {
			t.Errorf("Check(%s) = %v, want %v", tt.encoded, err, tt.want)
		} else if err != nil && len(tt.encoded) > 8 && strings.Contains(err.Error(), tt.encoded[len(tt.encoded)-8:]) {
			t.Errorf("Check(%s) quotes the hash: %v", tt.encoded, err)
		}
	}
}

func TestCheck_weak(t *testing.T) {
	formats := map[string]string{
		"md5$salt$" + md5Hex:   "md5",
		"md5$$" + md5Hex:       "unsalted_md5",
		md5Hex:                 "unsalted_md5",
		"sha1$salt$" + sha1Hex: "sha1",
		"sha1$$" + sha1Hex:     "unsalted_sha1",
	}
	for encoded, name := range formats {
		if err := Check(encoded, []string{name}); err != nil {
			t.Errorf("Check(%s, %s) = %v, want nil", encoded, name, err)
		}
		others := slices.DeleteFunc(WeakFormats(), func(s string) bool { return s == name })
		if err := Check(encoded, others); !errors.Is(err, ErrWeak) {
			t.Errorf("Check(%s, %v) = %v, want ErrWeak", encoded, others, err)
		}
	}
	want := []string{"unsalted_md5", "md5", "unsalted_sha1", "sha1"}
	if got := WeakFormats(); !slices.Equal(got, want) {
		t.Errorf("WeakFormats() = %v, want %v", got, want)
	}
	for _, encoded := range []string{"md5$salt$" + sha1Hex, "md5$salt", "sha1$salt$" + md5Hex, "sha1$$" + md5Hex} {
		if err := Check(encoded, WeakFormats()); !errors.Is(err, ErrMalformed) {
			t.Errorf("Check(%s) = %v, want ErrMalformed", encoded, err)
		}
	}
}

func TestNeedsRehash(t *testing.T) {
	tests := map[string]bool{
		"$argon2id$v=19$m=19456,t=2,p=1$" + text16 + "$" + text32:       false,
		"$argon2id$v=19$m=65536,t=3,p=4$" + text16 + "$" + text32:       false,
		"argon2$argon2id$v=19$m=19456,t=2,p=1$" + text16 + "$" + text32: false,
		"$argon2id$v=19$m=19455,t=2,p=1$" + text16 + "$" + text32:       true,
		"$argon2id$v=19$m=19456,t=1,p=1$" + text16 + "$" + text32:       true,
		"$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$" + text32:          true,
		"$argon2id$v=16$m=19456,t=2,p=1$" + text16 + "$" + text32:       true,
		"$argon2i$v=19$m=19456,t=2,p=1$" + text16 + "$" + text32:        true,
		"$argon2d$v=19$m=19456,t=2,p=1$" + text16 + "$" + text32:        true,
		"$2b$16$" + bcrypt53:                          true,
		"pbkdf2_sha256$10000000$salt$" + text32 + "=": true,
		md5Hex:     true,
		"password": true,
		"":         false,
		"!":        false,
	}
	for encoded, want := range tests {
		if got := NeedsRehash(encoded); got != want {
			t.Errorf("NeedsRehash(%s) = %v, want %v", encoded, got, want)
		}
	}
}

// Bcrypt cannot tell these passwords apart; only the first is the right one.
func TestBcrypt_repeated(t *testing.T) {
	const of = "a\x00b"
	tests := map[string]bool{
		of:                                true,
		"a":                               false,
		"a\x00":                           false,
		of + "\x00" + of:                  false,
		strings.Repeat(of+"\x00", 9) + of: false,
		strings.Repeat(of+"\x00", 40):     false,
	}
	encoded := makeBcrypt(t, of)
	s, err := parse(encoded, nil)
	if err != nil {
		t.Fatal(err)
	}
	for password, want := range tests {
		if got, err := s.match(password); got != want || err != nil {
			t.Errorf("match(%q) = %v, %v, want %v", password, got, err, want)
		}
	}
}

func TestBcrypt_long(t *testing.T) {
	long := strings.Repeat("x", 72)
	s, err := parse(makeBcrypt(t, long), nil)
	if err != nil {
		t.Fatal(err)
	}
	for password, want := range map[string]bool{long: true, long + "y": true, long[1:]: false} {
		if got, err := s.match(password); got != want || err != nil {
			t.Errorf("match of %d bytes = %v, %v, want %v", len(password), got, err, want)
		}
	}
}
