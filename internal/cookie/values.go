// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package cookie

import (
	"iter"
	"net/http"
	"strings"
)

// Values returns what the request says under the name of a cookie, in order:
// a browser that keeps several cookies of one name sends all of them, and does
// not tell where each is from. Quotes around a value are taken off.
func Values(r *http.Request, name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, line := range r.Header["Cookie"] {
			for line != "" {
				var pair string
				pair, line, _ = strings.Cut(line, ";")
				rest, ours := strings.CutPrefix(trim(pair), name)
				value, ok := strings.CutPrefix(trim(rest), "=")
				if !ours || !ok {
					continue
				}
				value = trim(value)
				if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
					value = value[1 : len(value)-1]
				}
				if !yield(value) {
					return
				}
			}
		}
	}
}

// Last returns the last of Values, as Django reads a cookie.
func Last(r *http.Request, name string) (value string, ok bool) {
	for value = range Values(r, name) {
		ok = true
	}
	return value, ok
}

// trim takes off the blanks around a text. strings.Trim takes longer than all
// the rest.
func trim(s string) string {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for len(s) > 0 && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}
