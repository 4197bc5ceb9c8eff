// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package drf

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text is kept as UTF-8, and a lone surrogate, which Python's text may have, as
// the three bytes that it would be, which is not UTF-8. The fields refuse it.

func decodeUTF8(b []byte, whole bool) (string, error) {
	for i := 0; i < len(b); {
		size, reason := nextUTF8(b[i:])
		switch {
		case reason == "":
			i += size
		case !whole && (reason == unexpectedEnd || i+2 == len(b) && b[i] == 0xed && b[i+1]&0xc0 == 0x80):
			return string(b[:i]), nil
		case size == 1:
			return "", fmt.Errorf("'utf-8' codec can't decode byte 0x%02x in position %d: %s", b[i], i, reason)
		default:
			return "", fmt.Errorf("'utf-8' codec can't decode bytes in position %d-%d: %s", i, i+size-1, reason)
		}
	}
	return string(b), nil
}

// replaceUTF8 returns b with U+FFFD in place of what is not UTF-8, one for each
// start of a character.
func replaceUTF8(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	var text strings.Builder
	for i := 0; i < len(b); {
		size, reason := nextUTF8(b[i:])
		if reason == "" {
			text.Write(b[i : i+size])
		} else {
			text.WriteRune(utf8.RuneError)
		}
		i += size
	}
	return text.String()
}

const unexpectedEnd = "unexpected end of data"

// nextUTF8 returns how long the first character of b is, or how many bytes
// cannot begin one, with Python's reason.
func nextUTF8(b []byte) (size int, reason string) {
	first := b[0]
	low, high := byte(0x80), byte(0xbf) // of the second byte
	switch {
	case first < 0x80:
		return 1, ""
	case first < 0xc2 || first > 0xf4:
		return 1, "invalid start byte"
	case first < 0xe0:
		size = 2
	case first < 0xf0:
		size = 3
	default:
		size = 4
	}
	switch first {
	case 0xe0:
		low = 0xa0
	case 0xed:
		high = 0x9f
	case 0xf0:
		low = 0x90
	case 0xf4:
		high = 0x8f
	}
	for i := 1; i < size; i++ {
		if i == len(b) {
			return i, unexpectedEnd
		}
		if b[i] < low || b[i] > high {
			return i, "invalid continuation byte"
		}
		low, high = 0x80, 0xbf
	}
	return size, ""
}

// decodeLatin1 returns the characters whose code points are the bytes of b.
func decodeLatin1[T []byte | string](b T) string {
	var text strings.Builder
	text.Grow(len(b))
	for i := range len(b) {
		text.WriteRune(rune(b[i]))
	}
	return text.String()
}

// trim removes blanks from both ends, as Python's strip.
func trim(s string) string { return strings.TrimFunc(s, isSpace) }

// isSpace is Python's isspace.
func isSpace(c rune) bool { return unicode.IsSpace(c) || 0x1c <= c && c <= 0x1f }

// length returns how many characters s has, a lone surrogate being one.
func length(s string) int {
	n := 0
	for i := range len(s) {
		if s[i]&0xc0 != 0x80 {
			n++
		}
	}
	return n
}

// surrogate returns the first lone surrogate of s.
func surrogate(s string) (rune, bool) {
	for i := 0; i+2 < len(s); i++ {
		if s[i] == 0xed && s[i+1] >= 0xa0 {
			return 0xd000 | rune(s[i+1]&0x3f)<<6 | rune(s[i+2]&0x3f), true
		}
	}
	return 0, false
}

// appendRune appends c, be it a lone surrogate or not.
func appendRune(b []byte, c rune) []byte {
	if 0xd800 <= c && c <= 0xdfff {
		return append(b, 0xed, 0x80|byte(c>>6)&0x3f, 0x80|byte(c)&0x3f)
	}
	return utf8.AppendRune(b, c)
}
