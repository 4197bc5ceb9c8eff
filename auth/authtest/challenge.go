// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authtest

import (
	"errors"
	"fmt"
	"strings"
)

// parseChallenge says what is wrong with one challenge of RFC 9110 section 11:
//
//	auth-scheme [ 1*SP ( token68 / #auth-param ) ]
func parseChallenge(s string) error {
	scheme, rest, more := strings.Cut(s, " ")
	if !isToken(scheme) {
		return fmt.Errorf("scheme %q is not a token", scheme)
	}
	if !more {
		return nil
	}
	rest = strings.TrimLeft(rest, " ")
	if rest == "" {
		return errors.New("blanks at the end")
	}
	if isToken68(rest) {
		return nil
	}
	return parseParameters(rest)
}

// parseParameters reads a list of token BWS "=" BWS ( token / quoted-string ).
// Empty elements, which only recipients have to accept, are refused.
func parseParameters(s string) error {
	seen := make(map[string]bool)
	for {
		name, rest, ok := strings.Cut(s, "=")
		name = strings.Trim(name, " \t")
		if !ok || !isToken(name) {
			return fmt.Errorf("parameter %q: not a token and a value", name)
		}
		if seen[strings.ToLower(name)] {
			return fmt.Errorf("parameter %s is there twice", name)
		}
		seen[strings.ToLower(name)] = true
		rest, err := skipValue(strings.TrimLeft(rest, " \t"))
		if err != nil {
			return fmt.Errorf("parameter %s: %w", name, err)
		}
		rest = strings.TrimLeft(rest, " \t")
		if rest == "" {
			return nil
		}
		if rest[0] != ',' {
			return fmt.Errorf("parameter %s: no comma after its value", name)
		}
		s = rest[1:]
	}
}

// skipValue returns what follows the token or quoted-string that s begins with.
func skipValue(s string) (string, error) {
	if !strings.HasPrefix(s, `"`) {
		end := 0
		for end < len(s) && isTokenByte(s[end]) {
			end++
		}
		if end == 0 {
			return "", errors.New("the value is neither a token nor quoted")
		}
		return s[end:], nil
	}
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return s[i+1:], nil
		case c == '\\':
			i++
			if i == len(s) || !isText(s[i]) {
				return "", errors.New("nothing to quote after a backslash")
			}
		case !isText(c):
			return "", fmt.Errorf("control character %q", c)
		}
	}
	return "", errors.New("the quotes are not closed")
}

func isText(c byte) bool { return c == '\t' || c >= ' ' && c != 0x7f }

func isToken(s string) bool {
	for i := range len(s) {
		if !isTokenByte(s[i]) {
			return false
		}
	}
	return s != ""
}

func isTokenByte(c byte) bool {
	return isAlphanumeric(c) || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

func isToken68(s string) bool {
	s = strings.TrimRight(s, "=")
	for i := range len(s) {
		if !isAlphanumeric(s[i]) && strings.IndexByte("-._~+/", s[i]) < 0 {
			return false
		}
	}
	return s != ""
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}
