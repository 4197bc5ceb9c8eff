// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package jose

import (
	"encoding/json"
	"strings"
)

// Names whose spelling in another case is refused: a reader that takes it for
// the name itself, as Go's encoding/json does, would read another token.
var (
	headerNames = []string{"alg", "kid", "typ", "cty", "crit", "b64", "zip", "enc"}
	claimNames  = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti"}
)

// readHeader takes what it knows from the header, and refuses what would change
// the meaning of the token.
func (t *Token) readHeader() error {
	if t.header.misspelled(headerNames) {
		return errSpelling
	}
	// RFC 7515, section 4.1.11: what is critical and not understood is refused.
	// No extension is understood here, b64 of RFC 7797 included.
	if t.header.find("crit") != nil || t.header.find("b64") != nil || t.header.find("zip") != nil {
		return ErrCritical
	}
	// RFC 7516, section 9: it is encrypted, whatever else it says.
	if t.header.find("enc") != nil {
		return errEncrypted
	}
	alg, ok, err := t.header.text("alg")
	if err != nil || !ok {
		return ErrAlgorithm
	}
	if t.Alg = known(alg); t.Alg == "" {
		return ErrAlgorithm
	}
	if t.KeyID, _, err = t.header.text("kid"); err != nil {
		return errHeader
	}
	if t.Type, _, err = t.header.text("typ"); err != nil {
		return errHeader
	}
	content, _, err := t.header.text("cty")
	if err != nil {
		return errHeader
	}
	if strings.EqualFold(mediaType(content), "jwt") {
		// RFC 7519, section 5.2: the claims are those of the token within.
		return errNested
	}
	return nil
}

// HeaderMember returns a member of the header as it stands there, nil if there
// is none. What it says is the sender's alone: a key in it proves nothing.
func (t *Token) HeaderMember(name string) json.RawMessage {
	if m := t.header.find(name); m != nil {
		return json.RawMessage(m.value)
	}
	return nil
}

// mediaType cuts what RFC 7515 (typ, cty) lets a producer leave out.
func mediaType(typ string) string {
	const prefix = "application/"
	if len(typ) > len(prefix) && strings.EqualFold(typ[:len(prefix)], prefix) {
		return typ[len(prefix):]
	}
	return typ
}
