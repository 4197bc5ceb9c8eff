// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package password

import (
	"errors"
	"regexp"
	"testing"
)

// slow finds the parameters of hashes that are too slow for fuzzing, though
// their cost is acceptable; those are only parsed.
var slow = regexp.MustCompile(`[$=,](\d{3,}|0[6-9]|1\d)[$,]`)

// FuzzPHC: no text panics, and what is garbage never matches.
func FuzzPHC(f *testing.F) {
	for _, encoded := range []string{
		"$argon2id$v=19$m=8,t=1,p=1$" + text16 + "$" + text32,
		"$argon2i$m=8,t=1,p=1$" + text16 + "$" + text32,
		"$argon2d$v=16$m=16,t=2,p=2$" + text16 + "$" + text64,
		"$scrypt$ln=4,r=1,p=1$$" + text32,
		"$pbkdf2-sha256$10$" + text16 + "$" + text32,
		"$2b$04$" + bcrypt53,
		"$2x$04$" + bcrypt53,
	} {
		f.Add(encoded, "password")
	}
	f.Fuzz(fuzz)
}

// FuzzDjango is FuzzPHC with Django's formats.
func FuzzDjango(f *testing.F) {
	for _, encoded := range []string{
		"pbkdf2_sha256$10$salt$" + text32 + "=",
		"pbkdf2_sha1$10$salt$" + text16 + "==",
		"argon2$argon2id$v=19$m=8,t=1,p=1$" + text16 + "$" + text32,
		"bcrypt_sha256$$2b$04$" + bcrypt53,
		"bcrypt$$2b$04$" + bcrypt53,
		"scrypt$16$salt$1$1$" + text64 + "==",
		"crypt$ab$abcdefghijklm",
		"md5$salt$" + md5Hex,
		"sha1$$" + sha1Hex,
		md5Hex,
		"!" + text32,
	} {
		f.Add(encoded, "password")
	}
	f.Fuzz(fuzz)
}

func fuzz(t *testing.T, encoded, password string) {
	s, err := parse(encoded, WeakFormats())
	if err != nil {
		for _, known := range []error{ErrMalformed, ErrTooCostly, ErrUnusable} {
			if errors.Is(err, known) {
				return
			}
		}
		t.Fatalf("parse(%q) = %v, want one of the errors of this package", encoded, err)
	}
	if s.memory > maxArgon2Memory<<10 {
		t.Fatalf("%q needs %d bytes", encoded, s.memory)
	}
	if slow.MatchString(encoded) {
		return
	}
	// The seeds are no one's hashes, and nobody finds a preimage by chance.
	if ok, err := s.match(password); ok || err != nil {
		t.Fatalf("%q with %q = %v, %v, want false, nil", encoded, password, ok, err)
	}
}
