// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package password

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

const (
	maxBcryptCost = 16
	bcryptLength  = len("$2b$12$") + 22 + 31
	bcryptMemory  = 8 << 10
	bcryptReads   = 72 // bytes of a password
)

var bcryptFormats = []format{
	{claim: prefixed("$2a$"), parse: parseBcrypt},
	{claim: prefixed("$2b$"), parse: parseBcrypt},
	{claim: prefixed("$2y$"), parse: parseBcrypt},
	// Its sign extension error lets different passwords share a hash.
	refuse("$2x$", "bcrypt $2x$ is unsafe"),
	refuse("$2$", "bcrypt before $2a$ is not supported"),
}

func parseBcrypt(encoded string) (*stored, error) { return parseBcryptOf(encoded, bcryptKey) }

// parseBcryptOf reads a bcrypt hash that was made of key(password).
func parseBcryptOf(encoded string, key func(password string) ([]byte, bool)) (*stored, error) {
	if len(encoded) != bcryptLength || encoded[0] != '$' || encoded[3] != '$' || encoded[6] != '$' {
		return nil, malformed("bcrypt has 60 characters")
	}
	switch encoded[1:3] {
	case "2a", "2b", "2y":
	default:
		return nil, malformed("bcrypt has versions 2a, 2b and 2y")
	}
	if strings.IndexFunc(encoded[7:], notBcrypt64) >= 0 {
		return nil, malformed("its base64 is damaged")
	}
	cost, err := number(strings.TrimPrefix(encoded[4:6], "0"), maxBcryptCost)
	if err != nil {
		return nil, err
	}
	if cost < uint64(bcrypt.MinCost) {
		return nil, malformed("the cost of bcrypt is at least 4")
	}
	return &stored{
		cost:   "bcrypt " + encoded[4:6],
		memory: bcryptMemory,
		match: func(password string) (bool, error) {
			k, fit := key(password)
			switch err := bcrypt.CompareHashAndPassword([]byte(encoded), k); {
			case err == nil:
				return fit, nil
			case errors.Is(err, bcrypt.ErrMismatchedHashAndPassword):
				return false, nil
			default:
				return false, fmt.Errorf("verifying bcrypt: %w", err)
			}
		},
	}, nil
}

// bcryptKey takes the password as it is. Bcrypt itself reads no more than 72
// bytes, here as where the hash was made.
//
// It repeats a shorter password with a zero byte in between, so that "a" and
// "a\x00a" share a hash. Only the shortest of those is the password.
func bcryptKey(password string) (key []byte, fit bool) {
	for i := range min(len(password), bcryptReads) {
		if password[i] == 0 && repeated(password[:i]) == repeated(password) {
			return []byte(password), false
		}
	}
	return []byte(password), true
}

// repeated returns the bytes that bcrypt reads of the password.
func repeated(password string) string {
	times := bcryptReads/(len(password)+1) + 1
	return strings.Repeat(password+"\x00", times)[:bcryptReads]
}

func notBcrypt64(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '.' || r > '9')
}
