// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/bearer"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/entra"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
)

// Texts for clients.
const (
	textMFA     = "Multi-factor authentication is required."
	textOverage = "The groups of the user could not be determined."

	codeOverage = "groups_unknown"
)

// A foreignTokenError is one of another issuer: the next authenticator is asked, and
// if nobody wants it the challenge says that it is invalid.
type foreignTokenError struct {
	failure *auth.Failure
}

func (f *foreignTokenError) Error() string {
	return fmt.Sprintf("%v: %v", auth.ErrNoCredentials, f.failure.Err)
}

// Unwrap returns auth.ErrNoCredentials.
func (f *foreignTokenError) Unwrap() error { return auth.ErrNoCredentials }

// refuse returns what a problem with a token means for the request.
func (e *Entra) refuse(err error) error {
	if down, ok := errors.AsType[*auth.Unavailable](err); ok {
		return down
	}
	if e.Compat == compatDjango {
		return djangoFailure(err)
	}
	if failure, ok := errors.AsType[*auth.Failure](err); ok {
		return failure
	}
	refusal, _ := errors.AsType[*entra.RefusalError](err)
	switch {
	case errors.Is(err, entra.ErrIssuer), errors.Is(err, entra.ErrTenant), errors.Is(err, jose.ErrNotCompact):
		return &foreignTokenError{bearer.InvalidToken(bearer.DescriptionInvalid, err)}
	case errors.Is(err, jose.ErrExpired):
		return bearer.InvalidToken(bearer.DescriptionExpired, err)
	case errors.Is(err, errEntraOverage):
		return &auth.Denial{Code: codeOverage, Detail: textOverage}
	case refusal != nil && refusal.MFA:
		return &auth.Failure{Code: bearer.CodeInvalidToken, Detail: textMFA, Err: err}
	}
	return bearer.InvalidToken(bearer.DescriptionInvalid, err)
}

// unreadable returns what a header means that has no token in it that could be
// read.
func (e *Entra) unreadable(err error) error {
	failure, ok := errors.AsType[*auth.Failure](err)
	if ok && e.Compat == compatDjango {
		return djangoUnreadable(failure)
	}
	return err
}

// claimsChallenge tells a client what to ask for in its next token, in the way
// that the libraries of Entra ID understand.
func (e *Entra) claimsChallenge(claims string) string {
	return e.Challenger.Challenge(nil) + `, error="insufficient_claims", claims="` + base64.StdEncoding.EncodeToString([]byte(claims)) + `"`
}
