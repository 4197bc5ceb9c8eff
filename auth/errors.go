// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"errors"
	"time"
)

var (
	// ErrNoCredentials says that the request carries no credentials of the
	// authenticator's kind. It may be wrapped to say why.
	ErrNoCredentials = errors.New("no credentials")

	// ErrChanged is returned by a Rechecker whose remembered identity can no
	// longer be vouched for without verifying the credentials again.
	ErrChanged = errors.New("changed since it was verified")
)

// Codes of refusals, as Django REST framework names them. They appear in
// {http.auth.error.code}, the access log and the metrics, never in a body.
const (
	CodeNotAuthenticated     = "not_authenticated"
	CodeAuthenticationFailed = "authentication_failed"
	CodePermissionDenied     = "permission_denied"
	CodeThrottled            = "throttled"
	CodeUnavailable          = "unavailable"
)

// A Failure says that the request carries credentials of the authenticator's
// kind, and that they are bad. No other authenticator is asked, and the
// request is refused whatever the permissions say.
type Failure struct {
	// Code is logged. Default: CodeAuthenticationFailed.
	Code string

	// Detail is sent to the client. It must be fixed text.
	// Default: "Incorrect authentication credentials."
	Detail string

	// Body, if not nil, is sent as JSON in place of {"detail": Detail}.
	Body any

	// Candidate is the user whom the credentials name, if there is such a
	// user. It feeds {http.auth.candidate.*} and the log.
	Candidate *Identity

	// Err is the cause. It is logged and never sent; it holds no secret.
	Err error
}

func (f *Failure) Error() string { return describe("credentials refused", f.Code, f.Detail, f.Err) }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// A Denial says why a request is refused although its credentials are good.
type Denial struct {
	// Code is logged. Default: CodePermissionDenied.
	Code string

	// Detail is sent to the client.
	// Default: "You do not have permission to perform this action."
	Detail string

	// Body, if not nil, is sent as JSON in place of {"detail": Detail}.
	Body any

	// Scopes are those that the credential would have needed, if that is what it
	// lacks. A ScopeChallenger tells the client.
	Scopes []string
}

func (d *Denial) Error() string { return describe("denied", d.Code, d.Detail, nil) }

// Throttled says that the client has to wait. It is answered 429.
type Throttled struct {
	// Wait is sent as Retry-After, in whole seconds, rounded up; 0 is unknown.
	Wait time.Duration

	// Detail is sent to the client. Default: "Request was throttled."
	Detail string

	// Candidate is the user whom the credentials name, as of a Failure, if
	// somebody was guessing.
	Candidate *Identity
}

func (t *Throttled) Error() string { return describe("throttled", CodeThrottled, t.Detail, nil) }

// Unavailable says that the question could not be decided now, because a store
// or an issuer does not answer. It is answered 503.
type Unavailable struct {
	// RetryAfter is sent in whole seconds, rounded up. Default: 1s.
	RetryAfter time.Duration

	// Err is the cause. It is logged and never sent.
	Err error
}

func (u *Unavailable) Error() string { return describe("unavailable", "", "", u.Err) }

// Unwrap returns the cause.
func (u *Unavailable) Unwrap() error { return u.Err }

func describe(what, code, detail string, err error) string {
	if code != "" {
		what += " (" + code + ")"
	}
	if detail != "" {
		what += ": " + detail
	}
	if err != nil {
		what += ": " + err.Error()
	}
	return what
}
