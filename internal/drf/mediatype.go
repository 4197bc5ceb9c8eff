// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package drf

import (
	"errors"
	"net/http"
	"strings"
)

// Bounds of what a client may say of media types.
const (
	maxMediaType  = 256
	maxAccept     = 8192
	maxMediaTypes = 64
)

// A mediaType is a value of Content-Type or one of Accept.
type mediaType struct {
	main, sub string
	params    map[string]string
}

// parseMediaType reads a media type as Django does, which finds one in
// anything: a word without a slash has no subtype.
func parseMediaType(value string) mediaType {
	value, params := parseHeader(value)
	main, sub, _ := strings.Cut(value, "/")
	return mediaType{main, sub, params}
}

// covers reports whether a parser or renderer of type main/sub, none of which
// is a star, fits.
func (m mediaType) covers(main, sub string) bool {
	return (m.sub == "*" || m.sub == sub) && (m.main == "*" || m.main == main)
}

// parseHeader splits a header into its value, in lower case, and parameters.
func parseHeader(line string) (value string, params map[string]string) {
	pieces := splitParams(line)
	params = make(map[string]string, len(pieces)-1)
	for _, piece := range pieces[1:] {
		name, text, ok := strings.Cut(piece, "=")
		if !ok {
			continue
		}
		name = strings.ToLower(trimASCII(name))
		text = trimASCII(text)
		if len(text) >= 2 && text[0] == '"' && text[len(text)-1] == '"' {
			text = text[1 : len(text)-1]
			text = strings.ReplaceAll(text, `\\`, `\`)
			text = strings.ReplaceAll(text, `\"`, `"`)
		}
		if extended, ok := strings.CutSuffix(name, "*"); ok {
			name = extended
			if encoded := strings.Split(text, "'"); len(encoded) == 3 { // RFC 2231
				text = unquote(encoded[2], charsetOf(encoded[0]))
			}
		}
		params[name] = text
	}
	return strings.ToLower(pieces[0]), params
}

// splitParams splits at each semicolon that an even number of quotation marks
// precedes.
func splitParams(line string) (pieces []string) {
	start, quoted := 0, false
	for i := range len(line) {
		switch {
		case line[i] == '"':
			quoted = !quoted
		case line[i] == ';' && !quoted:
			pieces = append(pieces, trimASCII(line[start:i]))
			start = i + 1
		}
	}
	return append(pieces, trimASCII(line[start:]))
}

// trimASCII removes blanks from both ends, as Python's strip of bytes.
func trimASCII(s string) string { return strings.Trim(s, " \t\n\r\v\f") }

// Acceptable reports whether the client accepts JSON, as DRF negotiates it with
// JSON as the only renderer. Weights do not matter to it, nor the type's case.
func Acceptable(r *http.Request) bool {
	_, ok := accepted(r)
	return ok
}

// Negotiate returns nil if the client accepts JSON, and otherwise an error of
// status 406, or of 404 if it asks for another format by `?format=`.
func Negotiate(r *http.Request) *Error {
	if r.URL.RawQuery != "" {
		query, err := parseForm([]byte(r.URL.RawQuery), utf8Charset)
		if refused, ok := errors.AsType[*Error](err); ok {
			return refused
		}
		if formats := query["format"]; len(formats) > 0 && formats[len(formats)-1] != "" && formats[len(formats)-1] != "json" {
			return Detail(http.StatusNotFound, "Not found.")
		}
	}
	if !Acceptable(r) {
		return Detail(http.StatusNotAcceptable, "Could not satisfy the request Accept header.")
	}
	return nil
}

// accepted returns the most specific media type in Accept that JSON fits.
func accepted(r *http.Request) (best mediaType, ok bool) {
	lines, sent := r.Header["Accept"]
	if !sent {
		return best, true
	}
	header := strings.Join(lines, ",")
	if len(header) > maxAccept {
		return best, false
	}
	rank := -1
	for i, value := range strings.Split(header, ",") {
		if i == maxMediaTypes {
			break
		}
		if value = trim(value); len(value) > maxMediaType {
			continue
		}
		if m := parseMediaType(value); m.covers("application", "json") && m.rank() > rank {
			best, rank = m, m.rank()
		}
	}
	return best, rank >= 0
}

// rank says how specific a media type is.
func (m mediaType) rank() int {
	_, weighted := m.params["q"]
	switch {
	case m.main == "*":
		return 0
	case m.sub == "*":
		return 1
	case len(m.params) == 0, len(m.params) == 1 && weighted:
		return 2
	}
	return 3
}

// maxIndent is how many blanks a client may ask for.
const maxIndent = 8

// indent returns by how many blanks the accepted JSON is indented, as of
// `Accept: application/json; indent=4`.
func indent(r *http.Request) int {
	if !strings.Contains(strings.ToLower(r.Header.Get("Accept")), "indent") {
		return 0
	}
	best, _ := accepted(r)
	n, ok := parseInt(best.params["indent"])
	if !ok {
		return 0
	}
	return int(max(min(n, maxIndent), 0))
}
