// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package bearer

import (
	"errors"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// Codes of RFC 6750 section 3.1, and of RFC 9449. RFC 6750 would have
// invalid_request answered 400; here it is 401, as all bad credentials are in
// Django REST framework.
const (
	CodeInvalidRequest    = "invalid_request"
	CodeInvalidToken      = "invalid_token"
	CodeInsufficientScope = "insufficient_scope"
	CodeInvalidDPoPProof  = "invalid_dpop_proof"
	CodeUseDPoPNonce      = "use_dpop_nonce"
)

// Texts for clients: the first two in a body, the others in a challenge.
const (
	TextInvalid = "Invalid token."
	TextEnded   = "Token has expired."

	DescriptionInvalid = "The access token is invalid."
	DescriptionExpired = "The access token has expired."
	descriptionScope   = "The request requires higher privileges than provided by the access token."
)

// described is a cause with what a challenge says of it.
type described struct {
	description string
	err         error
}

func (d *described) Error() string {
	if d.err == nil {
		return d.description
	}
	return d.err.Error()
}

func (d *described) Unwrap() error { return d.err }

// InvalidToken returns the failure of a token that is no good. The description,
// which must be fixed text, is for the challenge; the body says that the token
// is invalid, or that it has expired. The cause is logged.
func InvalidToken(description string, cause error) *auth.Failure {
	detail := TextInvalid
	if description == DescriptionExpired {
		detail = TextEnded
	}
	return &auth.Failure{Code: CodeInvalidToken, Detail: detail, Err: &described{description, cause}}
}

// InvalidRequest returns the failure of a request that carries its token in a
// way that cannot be read. The detail must be fixed text.
func InvalidRequest(detail string, cause error) *auth.Failure {
	return &auth.Failure{Code: CodeInvalidRequest, Detail: detail, Err: cause}
}

// description returns what a challenge says of a failure.
func description(failure *auth.Failure) string {
	if d, ok := errors.AsType[*described](failure.Err); ok && d.description != "" {
		return d.description
	}
	return failure.Detail
}

// IsToken reports whether s is a b64token of RFC 6750 section 2.1, as every
// access token is.
func IsToken(s string) bool {
	end := len(s)
	for end > 0 && s[end-1] == '=' {
		end--
	}
	for i := range end {
		if !isTokenByte[s[i]] {
			return false
		}
	}
	return end > 0
}

var isTokenByte = func() (table [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/") {
		table[c] = true
	}
	return table
}()
