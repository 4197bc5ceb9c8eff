// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package password

import (
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"hash"
	"strings"
)

const (
	maxIterations = 10_000_000
	pbkdf2Memory  = 8 << 10
)

var pbkdf2Formats = []format{
	{claim: prefixed("$pbkdf2$"), parse: parsePBKDF2(sha1.New, sha1.Size)},
	{claim: prefixed("$pbkdf2-sha256$"), parse: parsePBKDF2(sha256.New, sha256.Size)},
	{claim: prefixed("$pbkdf2-sha512$"), parse: parsePBKDF2(sha512.New, sha512.Size)},
}

// pbkdf2Base64 is what Passlib writes: "." for "+", and no padding.
var pbkdf2Base64 = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./").
	WithPadding(base64.NoPadding)

// parsePBKDF2 reads $pbkdf2-sha256$<iterations>$<salt>$<key>.
func parsePBKDF2[H hash.Hash](digest func() H, size int) func(string) (*stored, error) {
	return func(encoded string) (*stored, error) {
		fields := strings.Split(encoded, "$")
		if len(fields) != 5 {
			return nil, malformed("PBKDF2 has four fields")
		}
		salt, err := decode(pbkdf2Base64, fields[3], 1)
		if err != nil {
			return nil, err
		}
		want, err := decode(pbkdf2Base64, fields[4], size)
		if err != nil {
			return nil, err
		}
		return storedPBKDF2(digest, size, fields[2], salt, want)
	}
}

// parseDjangoPBKDF2 reads <iterations>$<salt>$<key>.
func parseDjangoPBKDF2[H hash.Hash](digest func() H, size int) func(string) (*stored, error) {
	return func(encoded string) (*stored, error) {
		fields := strings.Split(encoded, "$")
		if len(fields) != 3 || fields[1] == "" {
			return nil, malformed("Django's PBKDF2 has four fields")
		}
		want, err := decode(base64.StdEncoding, fields[2], size)
		if err != nil {
			return nil, err
		}
		return storedPBKDF2(digest, size, fields[0], []byte(fields[1]), want)
	}
}

func storedPBKDF2[H hash.Hash](digest func() H, size int, iterations string, salt, want []byte) (*stored, error) {
	n, err := number(iterations, maxIterations)
	if err != nil {
		return nil, err
	}
	if len(want) != size {
		return nil, malformed("its digest is not that of the format")
	}
	return &stored{
		cost:   fmt.Sprintf("pbkdf2 %d %d", size, n),
		memory: pbkdf2Memory,
		match: func(password string) (bool, error) {
			key, err := pbkdf2.Key(digest, password, salt, int(n), size)
			if err != nil {
				return false, fmt.Errorf("verifying PBKDF2: %w", err)
			}
			return equal(key, want), nil
		},
	}, nil
}
