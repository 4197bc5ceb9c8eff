// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package drf

import (
	"bytes"
	"html"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// maxPartHeader is where the header of a part must have ended.
	maxPartHeader = 1024

	// maxFiles is how many files a form may have: DATA_UPLOAD_MAX_NUMBER_FILES.
	maxFiles = 100

	// maxBoundary is how long a boundary may be.
	maxBoundary = 201
)

// A file stands for an uploaded one, in which no field is interested.
type file struct{}

// parseMultipart reads multipart/form-data as Django's MultiPartParser, which
// makes something of anything once the boundary is good.
func parseMultipart(body []byte, contentType string, cs charset) (map[string][]any, error) {
	if !strings.HasPrefix(contentType, "multipart/") {
		return nil, errMultipart("Invalid Content-Type: " + contentType)
	}
	_, params := parseHeader(contentType)
	boundary, given := params["boundary"]
	if !given {
		return nil, errMultipart("Invalid boundary in multipart: None")
	}
	if !validBoundary(boundary) {
		return nil, errMultipart("Invalid boundary in multipart: " + boundary)
	}
	form, files := map[string][]any{}, []string{}
	fields, pending, uploads := 0, "", 0
	for part := range parts(body, []byte("--"+boundary)) {
		if pending != "" { // a file counts once the next part has begun
			files = append(files, pending)
			pending = ""
		}
		header, content := parsePart(part)
		if !header.file {
			if fields++; fields > maxFields+2 { // before and after the boundaries
				return nil, errTooManyFields()
			}
		}
		if !header.named {
			continue
		}
		name := cs.replace([]byte(trimASCII(header.name)))
		if !header.file {
			if decoded, ok := pythonBase64(content); header.base64 && ok {
				content = decoded
			}
			form[name] = append(form[name], cs.replace(content))
			continue
		}
		if uploads++; uploads > maxFiles {
			return nil, Detail(http.StatusBadRequest, "The number of files exceeded settings.DATA_UPLOAD_MAX_NUMBER_FILES.")
		}
		if !validFilename(header.filename, cs) {
			continue
		}
		if header.base64 && !wholeBase64(content) {
			return nil, errMultipart("Could not decode base64 data.")
		}
		pending = name
	}
	for _, name := range files {
		form[name] = append(form[name], file{})
	}
	return form, nil
}

func errMultipart(text string) *Error {
	return Detail(http.StatusBadRequest, "Multipart form parse error - "+text)
}

// validBoundary wants printable ASCII that does not end in a blank.
func validBoundary(boundary string) bool {
	for _, c := range []byte(boundary) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return boundary != "" && len(boundary) <= maxBoundary && !strings.HasSuffix(boundary, " ")
}

// parts yields what is between the separators, less the line end before each,
// and what is before the first and after the last.
func parts(body, separator []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(body) > 0 {
			part, rest, found := bytes.Cut(body, separator)
			if found {
				part = bytes.TrimSuffix(part, []byte("\n"))
				part = bytes.TrimSuffix(part, []byte("\r"))
			}
			if !yield(part) {
				return
			}
			body = rest
		}
	}
}

// A partHeader is what matters of it.
type partHeader struct {
	name     string
	named    bool
	file     bool
	filename string
	base64   bool
}

// parsePart splits a part. Without a header that says what it is, it is nothing.
func parsePart(part []byte) (header partHeader, content []byte) {
	end := bytes.Index(part[:min(len(part), maxPartHeader)], []byte("\r\n\r\n"))
	if end < 0 {
		return partHeader{}, nil
	}
	for line := range strings.SplitSeq(string(part[:end]), "\r\n") {
		value, params := parseHeader(line)
		key, value, ok := strings.Cut(value, ":")
		switch {
		case !ok, !isASCII(key), !isASCII(value), !isASCII(strings.Join(slices.Collect(maps.Keys(params)), "")):
			// Django skips the line.
		case key == "content-disposition":
			header.name, header.named = params["name"]
			header.filename = params["filename"]
			header.file = header.filename != ""
		case key == "content-transfer-encoding":
			header.base64 = trim(value) == "base64"
		}
	}
	return header, part[end+4:]
}

// validFilename reports whether a file has a name, less its directories.
func validFilename(name string, cs charset) bool {
	name = html.UnescapeString(cs.replace([]byte(name)))
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	return name != "" && name != "." && name != ".."
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
