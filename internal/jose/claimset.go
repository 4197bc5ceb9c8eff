// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package jose

import (
	"encoding/json"
	"unicode/utf8"
)

// ParseClaims reads a set of claims that no token carries, as the answer of an
// introspection endpoint, as strictly as [Parse] reads a payload. Who sent it is
// what vouches for it: it has no signature, and Verify refuses it. Its size is
// for the caller to bound.
func ParseClaims(payload []byte) (*Token, error) {
	text := string(payload)
	if !utf8.ValidString(text) {
		return nil, errUTF8
	}
	t := &Token{Payload: json.RawMessage(payload)}
	var err error
	if t.claims, err = scan(text, t.claimMembers[:0]); err != nil {
		return nil, err
	}
	if t.claims.misspelled(claimNames) {
		return nil, errSpelling
	}
	return t, nil
}
