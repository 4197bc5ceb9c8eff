// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package jose

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// quoted reads a string of which the quote is next, and reports whether
// something in it is escaped.
func (s *scanner) quoted() (escaped bool, err error) {
	text, at := s.text, s.at+1
	for at < len(text) {
		switch c := text[at]; {
		case c == '"':
			s.at = at + 1
			return escaped, nil
		case c == '\\':
			escaped = true
			size, err := escape(text[at:])
			if err != nil {
				return false, err
			}
			at += size
		case c < ' ':
			return false, errJSON
		default:
			at++
		}
	}
	return false, errJSON
}

// escape returns the length of the escape sequence, or of the two of a
// surrogate pair, that the text begins with.
func escape(text string) (int, error) {
	if len(text) < 2 {
		return 0, errJSON
	}
	if text[1] != 'u' {
		if strings.IndexByte(`"\/bfnrt`, text[1]) < 0 {
			return 0, errJSON
		}
		return 2, nil
	}
	unit, ok := unit16(text)
	switch {
	case !ok:
		return 0, errJSON
	case unit == 0:
		// No name and no identifier has one, and not every system that they
		// are handed to goes on after it.
		return 0, errText
	case !utf16.IsSurrogate(unit):
		return 6, nil
	}
	low, ok := unit16(text[6:])
	if !ok || utf16.DecodeRune(unit, low) == utf8.RuneError {
		return 0, errText
	}
	return 12, nil
}

// unit16 reads \uXXXX.
func unit16(text string) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	var unit rune
	for i := 2; i < 6; i++ {
		c := rune(text[i])
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		unit = unit<<4 | c
	}
	return unit, true
}

// unquote returns what a string stands for that was read by quoted.
func unquote(quoted string) string {
	text := quoted[1 : len(quoted)-1]
	at := strings.IndexByte(text, '\\')
	if at < 0 {
		return text
	}
	plain := make([]byte, 0, len(text))
	for at >= 0 {
		plain = append(plain, text[:at]...)
		text = text[at:]
		size := 2
		switch text[1] {
		case 'b':
			plain = append(plain, '\b')
		case 'f':
			plain = append(plain, '\f')
		case 'n':
			plain = append(plain, '\n')
		case 'r':
			plain = append(plain, '\r')
		case 't':
			plain = append(plain, '\t')
		case 'u':
			unit, _ := unit16(text)
			size = 6
			if utf16.IsSurrogate(unit) {
				low, _ := unit16(text[6:])
				unit = utf16.DecodeRune(unit, low)
				size = 12
			}
			plain = utf8.AppendRune(plain, unit)
		default:
			plain = append(plain, text[1])
		}
		text = text[size:]
		at = strings.IndexByte(text, '\\')
	}
	return string(append(plain, text...))
}

// number reads a number that any reader can hold.
func (s *scanner) number() error {
	text := s.text[s.at:]
	at := 0
	if at < len(text) && text[at] == '-' {
		at++
	}
	whole := digits(text, at)
	if whole == at || whole > at+1 && text[at] == '0' {
		return errJSON
	}
	at = whole
	if at < len(text) && text[at] == '.' {
		at++
		fraction := digits(text, at)
		if fraction == at {
			return errJSON
		}
		at = fraction
	}
	scientific := at < len(text) && text[at]|0x20 == 'e'
	if scientific {
		if at++; at < len(text) && (text[at] == '+' || text[at] == '-') {
			at++
		}
		exponent := digits(text, at)
		if exponent == at {
			return errJSON
		}
		at = exponent
	}
	if at > maxNumber {
		return errNumber
	}
	if scientific {
		if _, err := strconv.ParseFloat(text[:at], 64); err != nil {
			return errNumber
		}
	}
	s.at += at
	return nil
}

// digits returns where the digits end that begin there.
func digits(text string, at int) int {
	for at < len(text) && text[at]-'0' <= 9 {
		at++
	}
	return at
}
