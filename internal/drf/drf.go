// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package drf reads and answers requests as Django REST framework does: its
// parsers, the validation of its serializer fields, its JSON renderer, and the
// texts of all of them, to the letter.
//
// Whatever a client sends becomes values or an *Error of status 400, 413 or
// 415. It never becomes a panic, and what it costs is bounded by MaxBody.
package drf

import (
	"fmt"
	"net/http"
)

// MaxBody is how many bytes of a request's body are read. A longer one is
// answered 413.
const MaxBody = 64 << 10

// An Error is an answer in place of values.
type Error struct {
	Status int

	// Body is rendered as JSON; nil sends none.
	Body any

	// Header is added to that of the answer.
	Header http.Header
}

func (e *Error) Error() string { return fmt.Sprintf("answered %d", e.Status) }

// Detail returns an error that is rendered as {"detail": text}.
func Detail(status int, text string) *Error {
	return &Error{Status: status, Body: Object{{"detail", text}}}
}

// NonField returns the error of a form as a whole, as of a wrong password.
func NonField(text string) *Error { return FieldErrors("non_field_errors", text) }

// FieldErrors returns the error of one field of a form.
func FieldErrors(name string, texts ...string) *Error {
	return &Error{Status: http.StatusBadRequest, Body: Object{{name, texts}}}
}
