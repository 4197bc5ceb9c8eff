// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package jose reads and writes JSON Web Tokens in the compact form of RFC 7515,
// and is strict: what two readers could understand in two ways is refused, as
// members that stand twice or base64 with bits left over.
//
// A token is judged in this order, the cheap before the dear: [Parse] its form,
// the caller its issuer, [Rules.Check] its times, audience and type, then
// [Token.Verify] its signature. Nothing of a token may be believed before the
// last of them, and nothing in it ever says with which key it is verified: a key
// brings its algorithms along, and members such as jwk, jku or x5u are not read.
package jose

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// MaxSize is the length of the longest token in bytes.
const MaxSize = 16 << 10

// A Token is a JSON Web Token that is well-formed, which says nothing of its
// truth: anybody can write one.
type Token struct {
	Alg    string // its signature's algorithm, one that this package knows
	KeyID  string // kid, or empty
	Type   string // typ as it stands there, or empty
	Header json.RawMessage
	// Payload is the claims, a JSON object without duplicate members, as are
	// the objects in it.
	Payload json.RawMessage

	signed    string // what the signature covers
	signature []byte
	header    object
	claims    object

	// What most tokens need, in one allocation.
	headerMembers [6]member
	claimMembers  [24]member
}

// strict is base64url without padding whose last character has no bits but
// those of the last byte. It skips line breaks, which are refused before.
var strict = base64.RawURLEncoding.Strict()

// Parse takes a token apart. It accepts three segments of canonical base64url,
// the first two JSON objects, with an algorithm it knows, and no header that
// would change what the token means. The error wraps one of the package's own,
// and never quotes the token.
func Parse(compact string) (*Token, error) {
	if len(compact) > MaxSize {
		return nil, errTooLong
	}
	first := strings.IndexByte(compact, '.')
	if first < 0 {
		return nil, ErrNotCompact
	}
	second := strings.IndexByte(compact[first+1:], '.')
	if second < 0 {
		return nil, ErrNotCompact
	}
	second += first + 1
	if strings.IndexByte(compact[second+1:], '.') >= 0 {
		return nil, ErrNotCompact
	}
	if second == len(compact)-1 {
		return nil, errUnsigned
	}

	decoded := make([]byte, 0, strict.DecodedLen(len(compact)))
	decoded, err := decode(decoded, compact[:first])
	if err != nil {
		return nil, err
	}
	headerEnd := len(decoded)
	if decoded, err = decode(decoded, compact[first+1:second]); err != nil {
		return nil, err
	}
	payloadEnd := len(decoded)
	if decoded, err = decode(decoded, compact[second+1:]); err != nil {
		return nil, err
	}

	// The members' names and values are parts of this one string.
	text := string(decoded[:payloadEnd])
	if !utf8.ValidString(text[:headerEnd]) || !utf8.ValidString(text[headerEnd:]) {
		return nil, errUTF8
	}
	t := &Token{
		Header:    decoded[:headerEnd:headerEnd],
		Payload:   decoded[headerEnd:payloadEnd:payloadEnd],
		signed:    compact[:second],
		signature: decoded[payloadEnd:],
	}
	if t.header, err = scan(text[:headerEnd], t.headerMembers[:0]); err != nil {
		return nil, err
	}
	if err := t.readHeader(); err != nil {
		return nil, err
	}
	if t.claims, err = scan(text[headerEnd:], t.claimMembers[:0]); err != nil {
		return nil, err
	}
	if t.claims.misspelled(claimNames) {
		return nil, errSpelling
	}
	return t, nil
}

// decode appends what the segment stands for.
func decode(to []byte, segment string) ([]byte, error) {
	if strings.IndexByte(segment, '\n') >= 0 || strings.IndexByte(segment, '\r') >= 0 {
		return nil, errBase64
	}
	to, err := strict.AppendDecode(to, []byte(segment))
	if err != nil {
		return nil, errBase64
	}
	return to, nil
}
