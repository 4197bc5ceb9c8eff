// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"net/url"
	"strings"
)

// NextField is the name of the query parameter, and of the form field, that says
// where somebody was on the way to.
const NextField = "next"

// maxNext is the longest way that is remembered over a login. Without one a login
// leads where it always does.
const maxNext = 2000

// SafeNext returns the place as it can stand in Location, or the empty string
// if it is anything but a path of this very origin. A link to our login page
// may come from anyone; it must not lead people elsewhere, where a page asks for
// their password once more.
//
// What is let through is less than what browsers resolve to this origin: a
// path that begins with one slash, in which nothing could be read as a slash, a
// space or the end of a line.
func SafeNext(next string) string {
	if next == "" || len(next) > maxNext || next[0] != '/' || strings.HasPrefix(next, "//") {
		return ""
	}
	for i := range len(next) {
		if c := next[i]; c <= ' ' || c == '\\' || c == 0x7f {
			return ""
		}
	}
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil {
		return ""
	}
	if doubled(u.Path) {
		return ""
	}
	return escape(next)
}

// doubled reports whether a path begins with two slashes once its dots are
// resolved. No browser takes that for another host, but a server behind us may
// put what it makes of the path into a Location of its own.
func doubled(path string) bool {
	var kept []string
	segments := strings.Split(strings.ReplaceAll(path, "\\", "/")[1:], "/")
	for i, segment := range segments {
		switch segment {
		case ".":
		case "..":
			kept = kept[:max(len(kept)-1, 0)]
		default:
			kept = append(kept, segment)
			continue
		}
		// Dots at the end leave the slash before them.
		if i == len(segments)-1 {
			kept = append(kept, "")
		}
	}
	return len(kept) > 1 && kept[0] == ""
}

// escape writes the bytes that a header line should not have as percent and
// digits.
func escape(text string) string {
	const digits = "0123456789ABCDEF"
	var escaped strings.Builder
	for i := range len(text) {
		switch c := text[i]; {
		case c >= 0x80, strings.IndexByte("\"<>^`{|}", c) >= 0:
			escaped.WriteByte('%')
			escaped.WriteByte(digits[c>>4])
			escaped.WriteByte(digits[c&15])
		default:
			escaped.WriteByte(c)
		}
	}
	return escaped.String()
}
