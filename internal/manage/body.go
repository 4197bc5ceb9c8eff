// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"
)

const maxBody = 64 << 10

// body decodes the request's JSON object into value. The content type is
// required because no form and no simple request of a browser can send it.
func (c *call) body(value any) error { return Body(c.w, c.r, value) }

// Body decodes a request's JSON object into value, with the checks of the whole
// API.
func Body(w http.ResponseWriter, r *http.Request, value any) error {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return refuse(http.StatusUnsupportedMediaType, "Content-Type must be application/json")
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return refuse(http.StatusRequestEntityTooLarge, "the body must not be longer than %d bytes", maxBody)
	}
	if err != nil {
		return &Error{Status: http.StatusBadRequest, Text: "the body could not be read", Err: err}
	}
	return decode(raw, value)
}

// decode reads exactly one JSON object. encoding/json would replace bytes that
// are no UTF-8, match names without regard to case, and let the last of two
// equal ones win; a password must not change on its way, nor a check be evaded.
func decode(raw []byte, value any) error {
	if !utf8.Valid(raw) {
		return refuse(http.StatusBadRequest, "the body must be UTF-8")
	}
	if err := checkObject(raw); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	err := d.Decode(value)
	mistyped := (*json.UnmarshalTypeError)(nil)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &mistyped):
		return invalid(mistyped.Field[strings.LastIndex(mistyped.Field, ".")+1:], "must be a %s", jsonName(mistyped.Type.Kind().String()))
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		return refuse(http.StatusBadRequest, "%s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return &Error{Status: http.StatusBadRequest, Text: "the body is not the JSON that is expected here", Err: err}
}

// checkObject refuses what is not one object with distinct names in lower case
// and no null.
func checkObject(raw []byte) error {
	malformed := refuse(http.StatusBadRequest, "the body must be one JSON object")
	d := json.NewDecoder(bytes.NewReader(raw))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return malformed
	}
	seen := make(map[string]bool)
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return malformed
		}
		name, _ := token.(string)
		if seen[name] {
			return invalid(name, "is there twice")
		}
		if strings.ToLower(name) != name {
			return refuse(http.StatusBadRequest, "unknown field %q", name)
		}
		seen[name] = true
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return malformed
		}
		if string(value) == "null" {
			return invalid(name, "null is no value; leave the field out")
		}
	}
	if _, err := d.Token(); err != nil {
		return malformed
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return malformed
	}
	return nil
}

// jsonName says a Go kind as JSON does.
func jsonName(kind string) string {
	switch kind {
	case "bool":
		return "boolean"
	case "slice":
		return "list of strings"
	}
	return kind
}
