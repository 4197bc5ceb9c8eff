// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package jose

import "strings"

// otherKinds are the values of typ, in lower case, of tokens that are not for
// APIs.
var otherKinds = map[string]struct{}{
	"id": {}, "id+jwt": {}, "id_token": {}, "refresh": {}, "refresh+jwt": {}, "offline": {}, "logout": {}, "logout+jwt": {}, "dpop+jwt": {},
	"client-authentication+jwt": {}, "secevent+jwt": {}, "token-introspection+jwt": {},
	"oauth-authz-req+jwt": {}, "jose": {},
}

func otherKind(typ string) bool {
	_, other := otherKinds[strings.ToLower(typ)]
	return other
}

// AccessTokenOnly refuses tokens that say of themselves that they are of
// another kind.
func AccessTokenOnly(t *Token) error {
	if otherKind(mediaType(t.Type)) {
		return ErrType
	}
	for _, claim := range []string{"nonce", "at_hash", "c_hash", "s_hash", "events", "htm", "htu"} {
		if t.Has(claim) {
			return ErrType
		}
	}
	for claim, accepted := range map[string][]string{
		"token_use":  {"access"},
		"token_type": {"access", "bearer"},
		"typ":        {"bearer", "jwt", "at+jwt", "dpop"},
	} {
		if !t.Has(claim) {
			continue
		}
		value, _, err := t.String(claim)
		if err != nil || !oneOf(value, accepted) {
			return ErrType
		}
	}
	return nil
}

func oneOf(value string, accepted []string) bool {
	for _, a := range accepted {
		if strings.EqualFold(value, a) {
			return true
		}
	}
	return false
}
