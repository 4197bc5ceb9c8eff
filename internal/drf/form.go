// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package drf

import (
	"encoding/hex"
	"net/http"
	"strings"
	"unicode/utf8"
)

// maxFields is how many fields a form may have: DATA_UPLOAD_MAX_NUMBER_FIELDS.
const maxFields = 1000

// errTooManyFields is Django's answer, which is a page there.
func errTooManyFields() *Error {
	return Detail(http.StatusBadRequest, "The number of GET/POST parameters exceeded settings.DATA_UPLOAD_MAX_NUMBER_FIELDS.")
}

// parseForm reads application/x-www-form-urlencoded as Django's QueryDict.
func parseForm(body []byte, cs charset) (map[string][]any, error) {
	text, err := cs.decode(body, true)
	if err != nil {
		text = decodeLatin1(body)
	}
	if strings.Count(text, "&") >= maxFields {
		return nil, errTooManyFields()
	}
	form := map[string][]any{}
	for field := range strings.SplitSeq(text, "&") {
		if field == "" {
			continue
		}
		name, value, _ := strings.Cut(field, "=")
		name = unquote(strings.ReplaceAll(name, "+", " "), cs)
		form[name] = append(form[name], unquote(strings.ReplaceAll(value, "+", " "), cs))
	}
	return form, nil
}

// unquote decodes %XX, and leaves a percent sign alone that two hexadecimal
// digits do not follow. Runs of ASCII are decoded each for itself, as in Python.
func unquote(s string, cs charset) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var text strings.Builder
	var run []byte
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= utf8.RuneSelf:
			text.WriteString(cs.replace(run))
			run = run[:0]
			text.WriteByte(c)
			continue
		case c == '%' && i+2 < len(s):
			var octet [1]byte
			if _, err := hex.Decode(octet[:], []byte(s[i+1:i+3])); err == nil {
				c = octet[0]
				i += 2
			}
		}
		run = append(run, c)
	}
	text.WriteString(cs.replace(run))
	return text.String()
}
