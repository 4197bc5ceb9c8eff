// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package password

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
)

// djangoFormats are the hashers of django.contrib.auth that are still good.
var djangoFormats = []format{
	{claim: prefixed("pbkdf2_sha256$"), parse: after("pbkdf2_sha256$", parseDjangoPBKDF2(sha256.New, sha256.Size))},
	{claim: prefixed("pbkdf2_sha1$"), parse: after("pbkdf2_sha1$", parseDjangoPBKDF2(sha1.New, sha1.Size))},
	{claim: prefixed("argon2$argon2id$"), parse: after("argon2", parseArgon2)},
	{claim: prefixed("argon2$argon2i$"), parse: after("argon2", parseArgon2)},
	{claim: prefixed("argon2$argon2d$"), parse: after("argon2", parseArgon2)},
	{claim: prefixed("bcrypt_sha256$$"), parse: after("bcrypt_sha256$", parseDjangoBcryptSHA256)},
	{claim: prefixed("bcrypt$$"), parse: after("bcrypt$", parseBcrypt)},
	{claim: prefixed("scrypt$"), parse: after("scrypt$", parseDjangoScrypt)},
	refuse("crypt$", "DES crypt is not supported"),
}

// parseDjangoBcryptSHA256 reads a bcrypt hash of the password's SHA-256 in
// hexadecimal, which is never longer than what bcrypt reads.
func parseDjangoBcryptSHA256(encoded string) (*stored, error) {
	return parseBcryptOf(encoded, func(password string) ([]byte, bool) {
		sum := sha256.Sum256([]byte(password))
		return hex.AppendEncode(nil, sum[:]), true
	})
}
