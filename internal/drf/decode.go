// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package drf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// Data is the body of a request.
type Data struct {
	// value is what JSON has: nil, or a bool, number, string, []any or
	// map[string]any.
	value any

	// form has the values of an HTML form by name, in their order; they are
	// strings and files. It is nil for JSON.
	form map[string][]any
}

// Decode reads the body of a request by its Content-Type: JSON, or an HTML form
// of either kind. It returns an *Error of status 400, 413 or 415 otherwise. A
// Content-Encoding is not undone, and an empty body is an empty form of
// whatever type.
//
// The body is put back, so that it can be read again.
func Decode(r *http.Request) (*Data, error) {
	body, err := readBody(r)
	if err != nil {
		return nil, err
	}
	contentType := decodeLatin1(r.Header.Get("Content-Type"))
	m := parseMediaType(contentType)
	form := m.covers("application", "x-www-form-urlencoded")
	multipart := m.covers("multipart", "form-data")
	switch {
	case len(body) == 0 && (form || multipart) && m.main != "*" && m.sub != "*":
		return &Data{form: map[string][]any{}}, nil
	case len(body) == 0:
		return &Data{value: map[string]any{}}, nil
	case len(contentType) > maxMediaType:
		return nil, unsupported(contentType)
	}
	data := &Data{}
	cs := charsetOf(m.params["charset"])
	switch {
	case form:
		data.form, err = parseForm(body, cs)
	case multipart:
		data.form, err = parseMultipart(body, contentType, cs)
	case m.covers("application", "json"):
		data.value, err = decodeJSON(body, cs)
	default:
		err = unsupported(contentType)
	}
	if err != nil {
		return nil, err
	}
	return data, nil
}

// readBody returns a body within bounds, and puts it back.
func readBody(r *http.Request) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	if r.ContentLength > MaxBody {
		return nil, tooLarge()
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxBody+1))
	_, bounded := errors.AsType[*http.MaxBytesError](err) // of Caddy's request_body
	switch {
	case bounded, len(body) > MaxBody:
		return nil, tooLarge()
	case err != nil:
		return nil, Detail(http.StatusBadRequest, "Malformed request.")
	}
	r.Body = replay{bytes.NewReader(body), r.Body}
	return body, nil
}

// A replay is a body that was read, to be read again.
type replay struct {
	io.Reader
	io.Closer
}

func tooLarge() *Error {
	return Detail(http.StatusRequestEntityTooLarge, fmt.Sprintf("Request body exceeded %d bytes.", MaxBody))
}

func unsupported(contentType string) *Error {
	return Detail(http.StatusUnsupportedMediaType, `Unsupported media type "`+contentType+`" in request.`)
}

func decodeJSON(body []byte, cs charset) (any, error) {
	text, err := cs.decode(body, false)
	if err == nil {
		var value any
		if value, err = parseJSON(text); err == nil {
			return value, nil
		}
	}
	return nil, Detail(http.StatusBadRequest, "JSON parse error - "+err.Error())
}

// Form returns the last value that an HTML form has for a name, and reports
// whether the body is such a form and has one that is no file.
func (d *Data) Form(name string) (string, bool) {
	values := d.form[name]
	if len(values) == 0 {
		return "", false
	}
	text, ok := values[len(values)-1].(string)
	return text, ok
}

// Falsy reports whether Python takes the value that the body has for a name for
// nothing: null, false, 0, or an empty text, list or object, or none at all.
func (d *Data) Falsy(name string) bool {
	if d.form != nil {
		values := d.form[name]
		return len(values) == 0 || values[len(values)-1] == ""
	}
	members, _ := d.value.(map[string]any)
	switch value := members[name].(type) {
	case nil:
		return true
	case bool:
		return !value
	case number:
		return value.value() == 0
	case string:
		return value == ""
	case []any:
		return len(value) == 0
	case map[string]any:
		return len(value) == 0
	}
	return false
}
