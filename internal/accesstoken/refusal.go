// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package accesstoken

import (
	"errors"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/bearer"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
)

// retryAfter is when a client is told to come back while keys are not known.
const retryAfter = 5 * time.Second

// descriptions are what clients are told of a token, in RFC 6750's
// error_description. They say nothing that the client could not read in its own
// token.
var descriptions = []struct {
	err  error
	text string
}{
	{jose.ErrExpired, bearer.DescriptionExpired},
	{jose.ErrNotYet, "The access token is not valid yet."},
	{jose.ErrLifetime, "The access token is valid for too long."},
	{jose.ErrAudience, "The access token is for another audience."},
	{jose.ErrType, "The token is not an access token."},
}

// refusal tells the client that its token is bad. The cause is logged.
func refusal(cause error) *auth.Failure {
	for _, d := range descriptions {
		if errors.Is(cause, d.err) {
			return bearer.InvalidToken(d.text, cause)
		}
	}
	return bearer.InvalidToken(bearer.DescriptionInvalid, cause)
}

// keyError tells a key that the issuer does not have, which is the client's
// fault, from keys that are not known.
func keyError(err error) error {
	if errors.Is(err, keyset.ErrUnknownKey) {
		return refusal(err)
	}
	return &auth.Unavailable{RetryAfter: retryAfter, Err: err}
}

// ForeignError says that a token is none of ours, and why. It wraps
// auth.ErrNoCredentials, so that the next authenticator is asked.
type ForeignError struct{ cause error }

func (f *ForeignError) Error() string {
	return "the token is none of ours: " + f.cause.Error()
}

// Unwrap returns auth.ErrNoCredentials.
func (*ForeignError) Unwrap() error { return auth.ErrNoCredentials }

// Causes of a ForeignError.
var (
	errNotCompact  = errors.New("it is no JSON Web Token, which has three segments")
	errOtherIssuer = errors.New("its 'iss' is that of no issuer here")
	errNoIssuer    = errors.New("it has no 'iss'")
)
