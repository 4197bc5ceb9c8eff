// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package authtest holds the suite that every authenticator passes: what its
// own cases expect, and the laws of package auth that hold for all of them.
package authtest

import (
	"net/http"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// A Case is a request and what an authenticator must answer to it.
type Case struct {
	// Name is the name of the subtest.
	Name string

	// Request is the request. The authenticator gets copies of it.
	Request *http.Request

	// Identity, if not nil, must be returned. What decides about access (ID,
	// Staff, Superuser, Groups, Permissions, Scopes) is always compared, the
	// other fields only if they are set.
	Identity *auth.Identity

	// Err must be returned if Identity is nil: auth.ErrNoCredentials; a
	// *auth.Failure or *auth.Denial, whose Code and Detail are compared, and
	// whose Body, Candidate and Err if they are set; a *auth.Throttled, whose
	// Wait is compared if it is set; a *auth.Unavailable, whatever it wraps; or
	// any other error, for errors.Is.
	Err error

	// Once says that the credentials are good for one request only, as those
	// with a nonce. They are then not sent again to see whether the answer
	// stays the same.
	Once bool
}

// Run checks the cases, and then these laws, in subtests of t:
//
//   - a request without credentials is ErrNoCredentials and has no cache key;
//   - no bytes in the headers that the cases use, or in Authorization, cause a
//     panic, an identity, or an error that would be answered 5xx, and neither
//     errors nor texts repeat them;
//   - concurrent calls return the same (run the tests with -race);
//   - challenges are one challenge each, as RFC 9110 writes it;
//   - what people are redirected to begins no new header line;
//   - requests with the same cache key have the same outcome;
//   - a remembered identity that nothing happened to can be rechecked;
//   - a guard leaves the body as it was, and does not answer 5xx to any.
//
// In all of this the request, its body included, is left alone, and an
// Identity has a Method, and a Key if it has an ID.
//
// The laws ask the authenticator some hundred times. One that counts failures
// has to be configured to allow that.
func Run(t *testing.T, a auth.Authenticator, cases []Case) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) { report(t, checkCase(a, c)) })
	}
	for _, law := range laws {
		t.Run(law.name, func(t *testing.T) { report(t, law.check(a, cases)) })
	}
}

func report(t *testing.T, faults []error) {
	t.Helper()
	for _, fault := range faults {
		t.Error(fault)
	}
}

func checkCase(a auth.Authenticator, c Case) []error {
	got, faults := ask(a, c.Request)
	return append(faults, compare(c, got)...)
}
