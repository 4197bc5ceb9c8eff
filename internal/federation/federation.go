// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package federation knows which user an issuer's user is: what its claims say
// of the person or the program, and which account of ours that is, if any.
//
// Mapping reads claims into an auth.Identity. Accounts then decides who that
// is: somebody known by issuer and subject alone, or a user of the store. The
// two are options of every authenticator and endpoint that believes an issuer,
// so that they all judge names, missing claims and unknown users alike.
//
// Whoever verified the claims fills in what belongs to the credential: Method,
// Expires, Family and Proof.
package federation

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// Causes of refusals.
var (
	ErrUnknownUser  = errors.New("no user of the store is linked to the issuer's user")
	ErrInactiveUser = errors.New("the user is inactive")
	ErrNameTaken    = errors.New("another user has the name that the issuer's user would get")
	ErrUnverified   = errors.New("the issuer does not say that the e-mail address was verified")
	ErrLookalike    = errors.New("the name only looks like that of a user here")
)

// Text of a refusal that the claims are the reason of, and of one that the
// account is.
const (
	invalidToken = "Invalid token."
	inactive     = "User inactive or deleted."
)

// Key returns the key of an issuer's user, which is unique over all issuers.
func Key(issuer, subject string) string { return issuer + "|" + subject }

// badClaim refuses claims that were signed and cannot be used.
func badClaim(name, problem string) *auth.Failure {
	return &auth.Failure{
		Code:   "invalid_token",
		Detail: invalidToken,
		Err:    fmt.Errorf("claim '%s' %s", name, problem),
	}
}

// A Lookup returns the JSON of the member of that name of a set of claims, and
// nil if there is none.
type Lookup func(name string) json.RawMessage

// Object returns the Lookup of claims that are a JSON object.
func Object(claims json.RawMessage) (Lookup, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(claims, &members); err != nil {
		return nil, fmt.Errorf("decoding the claims: %w", err)
	}
	return func(name string) json.RawMessage { return members[name] }, nil
}
