// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package password

import (
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// A digest shorter than minKey would match too many passwords by chance; the
// longest is twice what any format makes.
const (
	minKey = 16
	maxKey = 128
)

// number reads a positive decimal number as the formats write them: digits
// only, and no zero in front.
func number(s string, limit uint64) (uint64, error) {
	if s == "" || s[0] == '0' {
		return 0, malformed("a number is missing, zero, or starts with zero")
	}
	var n uint64
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, malformed("a number has something else in it")
		}
		if n <= limit {
			n = n*10 + uint64(s[i]-'0')
		}
	}
	if n > limit {
		return 0, because(ErrTooCostly, "a parameter is too large")
	}
	return n, nil
}

// parameters reads "a=1,b=2" with exactly these names in this order.
func parameters(s string, limits ...parameter) error {
	for i, p := range limits {
		field, rest, more := strings.Cut(s, ",")
		value, ok := strings.CutPrefix(field, p.name+"=")
		if !ok || more != (i < len(limits)-1) {
			return malformed("its parameters are not those of the format")
		}
		n, err := number(value, p.limit)
		if err != nil {
			return err
		}
		*p.into, s = n, rest
	}
	return nil
}

type parameter struct {
	name  string
	limit uint64
	into  *uint64
}

// decode reads the base64 text of at least this many and at most maxKey bytes.
func decode(encoding *base64.Encoding, s string, atLeast int) ([]byte, error) {
	// The decoders of the standard library skip line breaks.
	if strings.ContainsAny(s, "\r\n") {
		return nil, malformed("it contains a line break")
	}
	b, err := encoding.Strict().DecodeString(s)
	if err != nil {
		return nil, malformed("its base64 is damaged")
	}
	if len(b) < atLeast || len(b) > maxKey {
		return nil, malformed("its salt or digest is too short or too long")
	}
	return b, nil
}

// unhex reads exactly this many bytes.
func unhex(s string, length int) ([]byte, error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != length {
		return nil, malformed("its digest is not that of the format")
	}
	return b, nil
}

func equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
