// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// An Error is an operation that was not carried out. Its text is for the
// operator: it names the field or the thing that is in the way, and never
// holds a secret.
type Error struct {
	Status int // of HTTP
	Text   string
	Err    error
}

func (e *Error) Error() string { return e.Text }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func refuse(status int, format string, args ...any) *Error {
	return &Error{Status: status, Text: fmt.Sprintf(format, args...)}
}

// invalid is the refusal of a value; its text begins with the field's name.
func invalid(field, format string, args ...any) *Error {
	return refuse(http.StatusBadRequest, "%s: %s", field, fmt.Sprintf(format, args...))
}

// storeError is the refusal that an error of the store stands for, where the
// operation did not know better.
func storeError(doing string, err error) *Error {
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, tokenstore.ErrCursor):
		return &Error{Status: http.StatusBadRequest, Text: "cursor: not one that this list handed out", Err: err}
	case errors.Is(err, tokenstore.ErrUnavailable), errors.Is(err, tokenstore.ErrNewerSchema),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		status = http.StatusServiceUnavailable
	case errors.Is(err, errors.ErrUnsupported):
		status = http.StatusNotImplemented
	case errors.Is(err, tokenstore.ErrNotFound):
		status = http.StatusNotFound
	case errors.Is(err, tokenstore.ErrExists), errors.Is(err, tokenstore.ErrStale), errors.Is(err, tokenstore.ErrLimit):
		status = http.StatusConflict
	case errors.Is(err, tokenstore.ErrTooLarge):
		status = http.StatusBadRequest
	}
	return &Error{Status: status, Text: doing + ": " + err.Error(), Err: err}
}
