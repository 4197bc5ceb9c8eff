// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package password

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"strings"
)

// htpasswdFormats are those of Apache's htpasswd, bcrypt aside: MD5 in a
// thousand rounds, which is its default, and SHA-1 without a salt.
var htpasswdFormats = []format{
	{claim: prefixed("$apr1$"), parse: after("$apr1$", parseAPR1)},
	{name: "unsalted_sha1", weak: true, claim: prefixed("{SHA}"), parse: after("{SHA}", parseSHA)},
	refuse("$1$", "MD5 crypt is not supported"),
	refuse("$5$", "SHA-256 crypt is not supported"),
	refuse("$6$", "SHA-512 crypt is not supported"),
	refuse("$y$", "yescrypt is not supported"),
}

const (
	apr1Rounds  = 1000
	apr1MaxSalt = 8
	apr1Length  = 22 // of the digest, encoded

	// cryptAlphabet is that of crypt(3), of which the first letter is 0.
	cryptAlphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

func parseSHA(encoded string) (*stored, error) {
	want, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || len(want) != sha1.Size {
		return nil, malformed("SHA-1 has 28 characters of base64")
	}
	return &stored{
		cost:   "digest",
		memory: weakMemory,
		match: func(password string) (bool, error) {
			got := sha1.Sum([]byte(password))
			return equal(got[:], want), nil
		},
	}, nil
}

// parseAPR1 reads <salt>$<digest>.
func parseAPR1(encoded string) (*stored, error) {
	salt, digest, ok := strings.Cut(encoded, "$")
	if !ok || len(salt) > apr1MaxSalt || strings.ContainsFunc(salt, notCrypt64) {
		return nil, malformed("its salt is damaged")
	}
	// The last letter holds two bits.
	if len(digest) != apr1Length || strings.ContainsFunc(digest, notCrypt64) || strings.IndexByte(cryptAlphabet, digest[apr1Length-1]) > 3 {
		return nil, malformed("its digest is damaged")
	}
	return &stored{
		cost:   "apr1",
		memory: weakMemory,
		match: func(password string) (bool, error) {
			return subtle.ConstantTimeCompare(apr1([]byte(password), []byte(salt)), []byte(digest)) == 1, nil
		},
	}, nil
}

func notCrypt64(r rune) bool { return !strings.ContainsRune(cryptAlphabet, r) }

// apr1 returns the digest of apr_md5_encode: md5crypt, whose rounds mix the
// password, the salt and the digest before in an order that never was explained.
func apr1(password, salt []byte) []byte {
	sum := md5.Sum(join(password, salt, password))
	first := join(password, []byte("$apr1$"), salt)
	for left := len(password); left > 0; left -= md5.Size {
		first = append(first, sum[:min(left, md5.Size)]...)
	}
	for bits := len(password); bits > 0; bits >>= 1 {
		if bits&1 == 1 {
			first = append(first, 0)
		} else {
			first = append(first, password[0])
		}
	}
	sum = md5.Sum(first)
	var round []byte
	for i := range apr1Rounds {
		round = round[:0]
		if i%2 == 1 {
			round = append(round, password...)
		} else {
			round = append(round, sum[:]...)
		}
		if i%3 != 0 {
			round = append(round, salt...)
		}
		if i%7 != 0 {
			round = append(round, password...)
		}
		if i%2 == 1 {
			round = append(round, sum[:]...)
		} else {
			round = append(round, password...)
		}
		sum = md5.Sum(round)
	}
	encoded := make([]byte, 0, apr1Length)
	for i := range 5 {
		last := i + 12
		if i == 4 {
			last = 5
		}
		encoded = appendCrypt64(encoded, uint32(sum[i])<<16|uint32(sum[i+6])<<8|uint32(sum[last]), 4)
	}
	return appendCrypt64(encoded, uint32(sum[11]), 2)
}

func join(parts ...[]byte) (joined []byte) {
	for _, part := range parts {
		joined = append(joined, part...)
	}
	return joined
}

func appendCrypt64(encoded []byte, bits uint32, letters int) []byte {
	for range letters {
		encoded = append(encoded, cryptAlphabet[bits&63])
		bits >>= 6
	}
	return encoded
}
