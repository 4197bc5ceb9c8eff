// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package jose

import (
	"slices"
	"strings"
)

// AccessTokenOnly refuses tokens that are provably of another kind (RFC 8725,
// sections 3.11 and 3.12): ID, refresh and logout tokens, DPoP proofs, client
// assertions that are typed, and others. Types are values of typ that the
// operator accepts by name; of such a token, typ is not looked at.
//
//   - typ of the header names another kind, as logout+jwt. All that end in
//     +jwt do, but at+jwt (RFC 9068) and an issuer's own, as example-at+jwt.
//   - A claim names it: typ of Keycloak, token_use of Amazon Cognito, token_type
//     of simplejwt.
//   - Claims of which only others consist: events (RFC 8417), htm with htu
//     (RFC 9449).
//   - at_hash, c_hash or s_hash, which bind an ID token to what was issued with
//     it, or the nonce of a login. Old Keycloaks have the nonce in access tokens
//     too: a token that says that it is an access token, or has scopes, keeps it.
//
// An ID token with none of these looks like an access token. Google's for
// service accounts are used as such; others are for another audience, that of
// the client that asked for them, which [Rules.Check] refuses.
func AccessTokenOnly(t *Token, types ...string) error {
	typ := mediaType(t.Type)
	said := accessType(typ)
	if otherType(typ) {
		if said = oneOf(typ, types); !said {
			return errTyp
		}
	}
	for i := range t.claims {
		m := &t.claims[i]
		switch m.name {
		case "typ", "token_use", "token_type":
			if m.value[0] != '"' {
				return errKind(m.name)
			}
			switch value := unquote(m.value); {
			case otherKind(value), m.name == "token_use" && value != "access":
				return errKind(m.name)
			case slices.ContainsFunc(accessKinds, func(kind string) bool { return strings.EqualFold(kind, value) }):
				said = true
			}
		case "events":
			return errEvents
		case "htm":
			if t.Has("htu") {
				return errProof
			}
		}
	}
	if said {
		return nil
	}
	if t.Has("at_hash") || t.Has("c_hash") || t.Has("s_hash") {
		return errBinding
	}
	if t.Has("nonce") && !t.Has("scope") && !t.Has("scp") {
		return errNonce
	}
	return nil
}

// accessKinds are what claims call an access token.
var accessKinds = []string{"access", "access_token", "Bearer", "DPoP"}

// otherKinds are what claims and headers call tokens of other kinds, without
// the blanks, lines and hyphens that some write in them.
var otherKinds = []string{
	"id", "idtoken", "serializedid", "refresh", "refreshtoken", "offline", "logout", "logouttoken", "sliding",
	"initialaccesstoken", "registrationaccesstoken",
}

// maxKind is more than the longest of them has.
const maxKind = 32

func otherKind(value string) bool {
	if len(value) > maxKind {
		return false
	}
	var plain [maxKind]byte
	kept := plain[:0]
	for i := range len(value) {
		switch c := value[i]; {
		case c == ' ' || c == '_' || c == '-':
		case 'A' <= c && c <= 'Z':
			kept = append(kept, c|0x20)
		default:
			kept = append(kept, c)
		}
	}
	return slices.ContainsFunc(otherKinds, func(kind string) bool { return string(kept) == kind })
}

// accessType reports whether typ says that it is an access token.
func accessType(typ string) bool {
	return strings.EqualFold(typ, "at+jwt") || hasSuffixFold(typ, "-at+jwt")
}

// otherType reports whether typ says that it is something else.
func otherType(typ string) bool {
	return otherKind(typ) || hasSuffixFold(typ, "+jwt") && !accessType(typ) || strings.EqualFold(typ, "passport")
}

func hasSuffixFold(text, suffix string) bool {
	return len(text) >= len(suffix) && strings.EqualFold(text[len(text)-len(suffix):], suffix)
}

// oneOf compares types as RFC 7515, section 4.1.9 has it.
func oneOf(typ string, types []string) bool {
	for _, accepted := range types {
		if strings.EqualFold(mediaType(accepted), typ) {
			return true
		}
	}
	return false
}
