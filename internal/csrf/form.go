// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package csrf

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
)

// MaxBody is how many bytes of a form are searched for a token. One that comes
// later is not found, and the header counts.
const MaxBody = 64 << 10

// formToken returns the token in the body of a form, or the empty string. Of
// several it is the last, as in Django. The body stays as it arrived.
func formToken(r *http.Request) string {
	lines := r.Header["Content-Type"]
	if r.Body == nil || r.Body == http.NoBody || len(lines) != 1 {
		return ""
	}
	kind, params, err := mime.ParseMediaType(lines[0])
	if err != nil {
		return ""
	}
	switch kind {
	case "application/x-www-form-urlencoded":
		body, whole := peek(r)
		return inQuery(body, whole)
	case "multipart/form-data":
		if boundary := params["boundary"]; boundary != "" && len(boundary) <= 70 {
			body, _ := peek(r)
			return inParts(body, boundary)
		}
	}
	return ""
}

// peek returns the beginning of the body, and whether that is all of it, and
// puts it back.
func peek(r *http.Request) (start []byte, whole bool) {
	start, err := io.ReadAll(io.LimitReader(r.Body, MaxBody))
	rest := r.Body
	if err != nil {
		// The error is for whoever reads the body; it comes where it came.
		r.Body = &restored{Reader: io.MultiReader(bytes.NewReader(start), failing{err}), Closer: rest}
		return start, false
	}
	r.Body = &restored{Reader: io.MultiReader(bytes.NewReader(start), rest), Closer: rest}
	return start, len(start) < MaxBody
}

// restored is a body of which a part was read.
type restored struct {
	io.Reader
	io.Closer
}

// failing is a reader that has failed.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// inQuery returns the token of a form in the encoding of query strings. The
// last pair of one that is cut off is not looked at.
func inQuery(body []byte, whole bool) (token string) {
	text := string(body)
	if !whole {
		text = text[:strings.LastIndexByte(text, '&')+1]
	}
	for text != "" {
		var pair string
		pair, text, _ = strings.Cut(text, "&")
		name, value, _ := strings.Cut(pair, "=")
		if unescape(name) == Field {
			token = unescape(value)
		}
	}
	return token
}

func unescape(text string) string {
	if len(text) > 3*maskedLength+3 || !strings.ContainsAny(text, "%+") {
		return text
	}
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}

// inParts returns the token of a form of parts. A part that is cut off is not
// looked at, and neither is a file.
func inParts(body []byte, boundary string) (token string) {
	parts := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		part, err := parts.NextRawPart()
		if err != nil {
			return token
		}
		if part.FormName() != Field || part.FileName() != "" {
			continue
		}
		value, err := io.ReadAll(io.LimitReader(part, maskedLength+1))
		if err != nil {
			return token
		}
		token = string(value)
	}
}
