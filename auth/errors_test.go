// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package auth_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

func TestErrors_text(t *testing.T) {
	cause := errors.New("cause")
	tests := map[string]error{
		"credentials refused":                              &auth.Failure{},
		"credentials refused (bad): Invalid token.: cause": &auth.Failure{Code: "bad", Detail: "Invalid token.", Err: cause},
		"denied": &auth.Denial{},
		"denied (csrf): CSRF Failed: CSRF token missing.":            &auth.Denial{Code: "csrf", Detail: "CSRF Failed: CSRF token missing."},
		"throttled (throttled): Request was throttled.":              &auth.Throttled{Wait: time.Second, Detail: "Request was throttled."},
		"unavailable: cause":                                         &auth.Unavailable{RetryAfter: time.Second, Err: cause},
		"credentials refused: Secret: denied (permission_denied): x": &auth.Failure{Detail: "Secret", Err: &auth.Denial{Code: auth.CodePermissionDenied, Detail: "x"}},
	}
	for want, err := range tests {
		if got := err.Error(); got != want {
			t.Errorf("Error() = %q, want %q", got, want)
		}
	}
}

func TestErrors_unwrap(t *testing.T) {
	cause := errors.New("cause")
	for _, err := range []error{&auth.Failure{Err: cause}, &auth.Unavailable{Err: cause}} {
		if !errors.Is(fmt.Errorf("asking: %w", err), cause) {
			t.Errorf("%T does not lead to its cause", err)
		}
	}
	if err := fmt.Errorf("no cookie: %w", auth.ErrNoCredentials); !errors.Is(err, auth.ErrNoCredentials) {
		t.Error("a wrapped ErrNoCredentials is not found")
	}
}

func TestAmbiguous(t *testing.T) {
	first, second := auth.Ambiguous(), auth.Ambiguous()
	if first == second {
		t.Error("two requests share a Failure that handlers may complete")
	}
	if !errors.Is(first, auth.ErrAmbiguous) || first.Code != auth.CodeAuthenticationFailed {
		t.Errorf("Ambiguous() = %v", first)
	}
}
