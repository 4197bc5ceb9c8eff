// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package revocation

import (
	"strings"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// Widen returns a change with what else it is about: the family of a single token
// also names the credential, by its jti. So those hear of it too who know a token
// by that, and by the family of a login.
func Widen(c tokenstore.Change) tokenstore.Change {
	single, ok := strings.CutPrefix(c.Family, jwt)
	if !ok || c.CredentialID != "" {
		return c
	}
	if _, jti, ok := strings.Cut(single, "|"); ok {
		c.CredentialID = jti
		return c
	}
	return tokenstore.Change{All: true} // too long to be told
}
