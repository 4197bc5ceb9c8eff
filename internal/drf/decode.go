// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package drf

import (
	"net/http"
)

// Data is the body of a request.
type Data struct {
	// value is a nil, bool, number, string, []any, or map[string]any of JSON,
	// or nil for a form.
	value any

	// form has the values of an HTML form by name, in their order.
	form map[string][]any
}

// Decode reads the body of a request by its Content-Type: JSON, or an HTML form
// of either kind. It returns an *Error of status 400, 413 or 415 otherwise. The
// body is put back, so that it can be read again.
func Decode(r *http.Request) (*Data, error) {
	return nil, Detail(http.StatusBadRequest, "Malformed request.")
}

// Form returns the last value that an HTML form has for a name, and reports
// whether the body is such a form and has one.
func (d *Data) Form(name string) (string, bool) {
	values := d.form[name]
	if len(values) == 0 {
		return "", false
	}
	text, ok := values[len(values)-1].(string)
	return text, ok
}
