// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package password

import (
	"crypto/md5"
	"crypto/sha1"
	"hash"
	"strings"
)

// djangoWeakFormats are hashers that Django has dropped: one round of a fast
// digest, some without a salt.
var djangoWeakFormats = []format{
	{name: "unsalted_md5", weak: true, claim: isMD5, parse: parseUnsalted(md5.New)},
	{name: "unsalted_md5", weak: true, claim: prefixed("md5$$"), parse: after("md5$$", parseUnsalted(md5.New))},
	{name: "md5", weak: true, claim: prefixed("md5$"), parse: after("md5$", parseSalted(md5.New))},
	{name: "unsalted_sha1", weak: true, claim: prefixed("sha1$$"), parse: after("sha1$$", parseUnsalted(sha1.New))},
	{name: "sha1", weak: true, claim: prefixed("sha1$"), parse: after("sha1$", parseSalted(sha1.New))},
}

const weakMemory = 1 << 10

// isMD5 reports whether it can only be a bare MD5 digest.
func isMD5(encoded string) bool {
	_, err := unhex(encoded, md5.Size)
	return err == nil
}

func parseUnsalted(digest func() hash.Hash) func(string) (*stored, error) {
	return func(encoded string) (*stored, error) { return storedDigest(digest, "", encoded) }
}

// parseSalted reads <salt>$<digest in hexadecimal>.
func parseSalted(digest func() hash.Hash) func(string) (*stored, error) {
	return func(encoded string) (*stored, error) {
		salt, sum, ok := strings.Cut(encoded, "$")
		if !ok {
			return nil, malformed("a salted digest has three fields")
		}
		return storedDigest(digest, salt, sum)
	}
}

func storedDigest(digest func() hash.Hash, salt, encoded string) (*stored, error) {
	want, err := unhex(encoded, digest().Size())
	if err != nil {
		return nil, err
	}
	return &stored{
		cost:   "digest",
		memory: weakMemory,
		match: func(password string) (bool, error) {
			d := digest()
			d.Write([]byte(salt))
			d.Write([]byte(password))
			return equal(d.Sum(nil), want), nil
		},
	}, nil
}
