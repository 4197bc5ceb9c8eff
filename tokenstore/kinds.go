// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package tokenstore

import "slices"

// Kinds of credentials. A kind is a promise of what a record may be used for:
// nothing accepts a record of a kind that it was not told to accept.
const (
	KindToken     = "token"     // an API token that an operator or a user made
	KindAuthtoken = "authtoken" // the one token per user of rest_framework.authtoken
	KindKnox      = "knox"      // django-rest-knox
	KindDurin     = "durin"     // django-rest-durin
	KindSession   = "session"   // a browser that is logged in
	KindRefresh   = "refresh"   // what JSON Web Tokens for requests are given for
)

// RequestKinds are the kinds that authenticate requests by themselves, in an
// Authorization header. Sessions, refresh tokens and codes are not among them.
func RequestKinds() []string {
	return []string{KindToken, KindAuthtoken, KindKnox, KindDurin}
}

// IsRequestKind reports whether kind is one of RequestKinds.
func IsRequestKind(kind string) bool { return slices.Contains(RequestKinds(), kind) }
