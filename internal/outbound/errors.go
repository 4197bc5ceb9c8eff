// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package outbound

import (
	"errors"
	"fmt"
	"time"
)

// ErrUnavailable says that a server has not said what is asked for, or too long
// ago. It is the server's fault, not that of who asks, and heals.
var ErrUnavailable = errors.New("the server is unavailable")

var (
	errBusy   = errors.New("too many wait for an answer")
	errSlow   = errors.New("an answer is waited for")
	errClosed = errors.New("the configuration has ended")
)

// UnavailableError is an ErrUnavailable with its cause.
type UnavailableError struct {
	// RetryAfter is when it may be better.
	RetryAfter time.Duration

	// Err is for logs. It holds no secret.
	Err error
}

func (e *UnavailableError) Error() string { return fmt.Sprintf("%v: %v", ErrUnavailable, e.Err) }

// Unwrap returns ErrUnavailable and the cause.
func (e *UnavailableError) Unwrap() []error { return []error{ErrUnavailable, e.Err} }

// RetryAfter returns when what err says may be better, or 0 for no idea.
func RetryAfter(err error) time.Duration {
	if unavailable, ok := errors.AsType[*UnavailableError](err); ok {
		return unavailable.RetryAfter
	}
	return 0
}

// Cause returns why a server is unavailable, or err if it says nothing of that.
func Cause(err error) error {
	if unavailable, ok := errors.AsType[*UnavailableError](err); ok {
		return unavailable.Err
	}
	return err
}
