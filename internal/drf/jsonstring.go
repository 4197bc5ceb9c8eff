// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package drf

import "unicode/utf16"

// escapes are those of one letter.
var escapes = map[byte]byte{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

// str reads a string, at whose quotation mark the scanner is.
func (s *scanner) str() (string, error) {
	begin := s.pos
	s.pos++
	start := s.pos
	var text []byte
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; {
		case c == '"':
			piece := s.text[start:s.pos]
			s.pos++
			if text == nil {
				return piece, nil
			}
			return string(append(text, piece...)), nil
		case c == '\\':
			text = append(text, s.text[start:s.pos]...)
			c, err := s.escape(begin)
			if err != nil {
				return "", err
			}
			text = appendRune(text, c)
			start = s.pos
		case c < ' ':
			return "", s.fail("Invalid control character at", s.pos)
		default:
			s.pos++
		}
	}
	return "", s.fail("Unterminated string starting at", begin)
}

// escape reads what a backslash begins, in the string that began at begin.
func (s *scanner) escape(begin int) (rune, error) {
	at := s.pos
	s.pos++
	if s.pos == len(s.text) {
		return 0, s.fail("Unterminated string starting at", begin)
	}
	c := s.text[s.pos]
	if c != 'u' {
		s.pos++
		plain, ok := escapes[c]
		if !ok {
			return 0, s.fail(`Invalid \escape`, at)
		}
		return rune(plain), nil
	}
	high, ok := s.hex(at + 2)
	if !ok {
		return 0, s.fail(`Invalid \uXXXX escape`, at+1)
	}
	s.pos = at + 6
	const pair = len(`\u0000`)
	if !utf16.IsSurrogate(high) || high >= 0xdc00 || s.pos+pair >= len(s.text) || s.text[s.pos] != '\\' || s.text[s.pos+1] != 'u' {
		return high, nil
	}
	low, ok := s.hex(s.pos + 2)
	if !ok {
		return 0, s.fail(`Invalid \uXXXX escape`, s.pos+1)
	}
	if low < 0xdc00 || low > 0xdfff {
		return high, nil
	}
	s.pos += pair
	return utf16.DecodeRune(high, low), nil
}

// hex reads the four digits at i, after which the text must go on.
func (s *scanner) hex(i int) (c rune, ok bool) {
	if i+4 >= len(s.text) {
		return 0, false
	}
	for _, digit := range []byte(s.text[i : i+4]) {
		switch {
		case '0' <= digit && digit <= '9':
			digit -= '0'
		case 'a' <= digit && digit <= 'f':
			digit -= 'a' - 10
		case 'A' <= digit && digit <= 'F':
			digit -= 'A' - 10
		default:
			return 0, false
		}
		c = c<<4 | rune(digit)
	}
	return c, true
}
