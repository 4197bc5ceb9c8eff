// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package password

import (
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/scrypt"
)

// Bounds of a scrypt hash. N and r multiply to its memory, in units of 128
// bytes; p repeats the work.
const (
	maxScryptMemory = 128 << 20
	maxScryptWork   = 512 << 20
	maxScryptR      = 1 << 10
	maxScryptP      = 64
	maxScryptLogN   = 20
	djangoScryptKey = 64
)

var scryptFormats = []format{
	{claim: prefixed("$scrypt$"), parse: parseScrypt},
}

// parseScrypt reads the PHC string $scrypt$ln=16,r=8,p=1$<salt>$<key>. The salt
// may be empty, as in the vectors of RFC 7914.
func parseScrypt(encoded string) (*stored, error) {
	fields := strings.Split(encoded, "$")
	if len(fields) != 5 {
		return nil, malformed("scrypt has four fields")
	}
	var logN, r, p uint64
	err := parameters(fields[2],
		parameter{"ln", maxScryptLogN, &logN},
		parameter{"r", maxScryptR, &r},
		parameter{"p", maxScryptP, &p})
	if err != nil {
		return nil, err
	}
	salt, err := decode(base64.RawStdEncoding, fields[3], 0)
	if err != nil {
		return nil, err
	}
	want, err := decode(base64.RawStdEncoding, fields[4], minKey)
	if err != nil {
		return nil, err
	}
	return storedScrypt(1<<logN, r, p, salt, want)
}

// parseDjangoScrypt reads <N>$<salt>$<r>$<p>$<key>.
func parseDjangoScrypt(encoded string) (*stored, error) {
	fields := strings.Split(encoded, "$")
	if len(fields) != 5 {
		return nil, malformed("Django's scrypt has six fields")
	}
	n, err := number(fields[0], 1<<maxScryptLogN)
	if err != nil {
		return nil, err
	}
	r, err := number(fields[2], maxScryptR)
	if err != nil {
		return nil, err
	}
	p, err := number(fields[3], maxScryptP)
	if err != nil {
		return nil, err
	}
	want, err := decode(base64.StdEncoding, fields[4], djangoScryptKey)
	if err != nil {
		return nil, err
	}
	return storedScrypt(n, r, p, []byte(fields[1]), want)
}

func storedScrypt(n, r, p uint64, salt, want []byte) (*stored, error) {
	if n < 2 || n&(n-1) != 0 {
		return nil, malformed("the N of scrypt is a power of two")
	}
	if 128*n*r > maxScryptMemory || 128*n*r*p > maxScryptWork {
		return nil, because(ErrTooCostly, "scrypt takes too much memory or too many rounds")
	}
	return &stored{
		cost:   fmt.Sprintf("scrypt %d %d %d", n, r, p),
		memory: int64(128 * r * (n + p + 2)),
		match: func(password string) (bool, error) {
			key, err := scrypt.Key([]byte(password), salt, int(n), int(r), int(p), len(want))
			if err != nil {
				return false, fmt.Errorf("verifying scrypt: %w", err)
			}
			return equal(key, want), nil
		},
	}, nil
}
