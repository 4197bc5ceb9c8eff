// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package jose

import "errors"

// Why a token is not accepted. Each is the sender's fault; the texts are for
// the log and have nothing of the token in them.
var (
	// ErrMalformed is wrapped by what is wrong with a token's form.
	ErrMalformed = errors.New("not a well-formed JSON Web Token")
	// ErrNotCompact is an ErrMalformed: it does not have the three segments of
	// a signed token, and may be a token of another kind.
	ErrNotCompact error = &reason{ErrMalformed, "it does not have three segments"}
	// ErrAlgorithm is a missing algorithm, one that is not known, or none.
	ErrAlgorithm = errors.New("the algorithm of the token is not accepted")
	// ErrCritical is a header that has to be understood, and is not.
	ErrCritical = errors.New("the token has critical headers")
	// ErrSignature is wrapped if no key verifies the token.
	ErrSignature = errors.New("the signature does not verify")

	// ErrExpired is a token whose time is over.
	ErrExpired = errors.New("the token has expired")
	// ErrNotYet is a token whose time has not come, or that was issued in the future.
	ErrNotYet = errors.New("the token is not yet valid")
	// ErrLifetime is a token that is valid for longer than is accepted.
	ErrLifetime = errors.New("the token is valid for too long")
	// ErrAudience is a token for others.
	ErrAudience = errors.New("the token is for another audience")
	// ErrType is a token of a kind that is not accepted, as an ID token.
	ErrType = errors.New("not an access token")
	// ErrClaim is wrapped if a claim is not of the type that it has to be of.
	ErrClaim = errors.New("a claim has the wrong type")
	// ErrMissing is wrapped if a claim is required and not there.
	ErrMissing = errors.New("a claim is missing")
)

// What is wrong with a token's form.
var (
	errTooLong   error = &reason{ErrMalformed, "it is longer than 16 KiB"}
	errUnsigned  error = &reason{ErrMalformed, "it has no signature"}
	errBase64    error = &reason{ErrMalformed, "a segment is not canonical base64url"}
	errUTF8      error = &reason{ErrMalformed, "it is not UTF-8"}
	errJSON      error = &reason{ErrMalformed, "a segment is not a JSON object"}
	errDuplicate error = &reason{ErrMalformed, "a member stands twice in one object"}
	errDepth     error = &reason{ErrMalformed, "it is nested too deeply"}
	errMembers   error = &reason{ErrMalformed, "it has too many members"}
	errNumber    error = &reason{ErrMalformed, "a number is too large"}
	errText      error = &reason{ErrMalformed, "a text has half a surrogate pair or NUL in it"}
	errSpelling  error = &reason{ErrMalformed, "a registered name is spelled in another case"}
	errHeader    error = &reason{ErrMalformed, "kid, typ or cty is not a text"}
	errEncrypted error = &reason{ErrMalformed, "it is encrypted"}
	errNested    error = &reason{ErrMalformed, "it contains another token"}

	errNoKey error = &reason{ErrSignature, "no key is for its algorithm"}
)

// What tells that a token is no access token.
var (
	errTyp     error = &reason{ErrType, "the 'typ' of its header"}
	errBinding error = &reason{ErrType, "it has at_hash, c_hash or s_hash, as ID tokens do"}
	errNonce   error = &reason{ErrType, "it has 'nonce' and no scopes, as ID tokens do"}
	errEvents  error = &reason{ErrType, "it has 'events', as logout tokens do"}
	errProof   error = &reason{ErrType, "it has 'htm' and 'htu', as DPoP proofs do"}
)

// errKind is of a claim that names the kind of its token.
func errKind(claim string) error { return &reason{ErrType, "its claim '" + claim + "'"} }

// A reason is one error of several that the caller need not tell apart.
type reason struct {
	of   error
	text string
}

func (r *reason) Error() string { return r.of.Error() + ": " + r.text }
func (r *reason) Unwrap() error { return r.of }

// A ClaimError is an ErrMissing or ErrClaim that names the claim.
type ClaimError struct {
	Claim string
	of    error
}

func (e *ClaimError) Error() string { return e.of.Error() + ": " + e.Claim }
func (e *ClaimError) Unwrap() error { return e.of }
