// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"errors"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// outcome returns the outermost error of the contract in what an authenticator
// returned, and an *auth.Unavailable if there is none. What that error wraps is
// its cause and decides nothing: a store that was down while credentials were
// looked for is no want of credentials, and no bad ones either.
func outcome(err error) error {
	if found := outermost(err); found != nil {
		return found
	}
	return &auth.Unavailable{Err: err}
}

func outermost(err error) error {
	switch err := err.(type) {
	case *auth.Failure, *auth.Denial, *auth.Throttled, *auth.Unavailable:
		return err
	case interface{ Unwrap() []error }:
		for _, one := range err.Unwrap() {
			if found := outermost(one); found != nil {
				return found
			}
		}
		return nil
	case nil:
		return nil
	}
	if err == auth.ErrNoCredentials {
		return err
	}
	return outermost(errors.Unwrap(err))
}
