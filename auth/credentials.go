// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"errors"
	"net/http"
	"strings"
)

// Causes of the failures that Credentials returns.
var (
	ErrEmptyCredentials = errors.New("no credentials after the scheme")
	ErrSpaces           = errors.New("credentials contain spaces")
	ErrAmbiguous        = errors.New("more than one Authorization header")
)

// Credentials returns what follows the scheme in the request's Authorization
// header. It is the only parser of that header.
//
// The scheme is compared without regard to ASCII case (RFC 9110 section 11.1).
// Words are separated by ASCII blanks alone, as in Django REST framework:
// U+00A0 and its like are part of a word. A header that is absent, blank or of
// another scheme is ErrNoCredentials. A *Failure with its text is returned for
// a scheme without credentials (ErrEmptyCredentials), with more than one word
// after it (ErrSpaces), and for two Authorization lines (ErrAmbiguous).
func Credentials(r *http.Request, scheme string) (string, error) {
	lines := r.Header["Authorization"]
	if len(lines) == 0 {
		return "", ErrNoCredentials
	}
	if len(lines) > 1 {
		return "", Ambiguous()
	}
	word, rest := cutWord(lines[0])
	if !equalFoldASCII(word, scheme) {
		return "", ErrNoCredentials
	}
	credentials, rest := cutWord(rest)
	if credentials == "" {
		return "", invalidHeader(scheme, "No credentials provided.", ErrEmptyCredentials)
	}
	if extra, _ := cutWord(rest); extra != "" {
		return "", invalidHeader(scheme, "Credentials string should not contain spaces.", ErrSpaces)
	}
	return credentials, nil
}

// Ambiguous returns the failure of a request with two Authorization lines:
// which of them another program would read cannot be known.
func Ambiguous() *Failure {
	return &Failure{
		Code:   CodeAuthenticationFailed,
		Detail: "Invalid authorization header. More than one was sent.",
		Err:    ErrAmbiguous,
	}
}

func invalidHeader(scheme, detail string, cause error) *Failure {
	return &Failure{
		Code:   CodeAuthenticationFailed,
		Detail: "Invalid " + strings.ToLower(scheme) + " header. " + detail,
		Err:    cause,
	}
}

// cutWord returns the first word of s and what follows it.
func cutWord(s string) (word, rest string) {
	start := 0
	for start < len(s) && isBlank(s[start]) {
		start++
	}
	end := start
	for {
		// Access tokens are long words: they are passed over by eights.
		for end+8 <= len(s) && !anyBlank(s[end:end+8]) {
			end += 8
		}
		if end == len(s) || isBlank(s[end]) {
			return s[start:end], s[end:]
		}
		end++
	}
}

// anyBlank reports whether one of eight bytes may be a blank: whether one is
// below 0x21, by the borrow that subtracting takes from its highest bit.
func anyBlank(s string) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	x := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
	return (x-0x21*ones)&^x&highs != 0
}

func isBlank(c byte) bool {
	return c == ' ' || '\t' <= c && c <= '\r'
}

// equalFoldASCII is strings.EqualFold without its Unicode folds, under which
// U+212A KELVIN SIGN would be a k.
func equalFoldASCII(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lowerASCII(a[i]) != lowerASCII(b[i]) {
			return false
		}
	}
	return true
}

func lowerASCII(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
