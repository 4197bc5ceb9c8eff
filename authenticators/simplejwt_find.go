// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"errors"
	"net/http"
	"strings"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/cookie"
)

// place is where a token was found.
type place int

const (
	inHeader place = iota
	inCookie
)

// find returns the token of a request. The header goes before the cookie, also if
// it holds something else than a token of ours.
func (s *SimpleJWT) find(r *http.Request) (token string, where place, err error) {
	if len(r.Header[s.AuthHeaderName]) > 0 {
		token, err = s.inHeader(r)
		return token, inHeader, err
	}
	if s.JWTAuthCookie == "" {
		return "", inHeader, auth.ErrNoCredentials
	}
	if token, _ = cookie.Last(r, s.JWTAuthCookie); token == "" {
		return "", inCookie, auth.ErrNoCredentials
	}
	return token, inCookie, nil
}

func (s *SimpleJWT) inHeader(r *http.Request) (string, error) {
	if s.AuthHeaderName != "Authorization" {
		return s.inOwnHeader(r)
	}
	for _, word := range s.AuthHeaderTypes {
		token, err := auth.Credentials(r, word)
		switch {
		case err == nil:
			return token, nil
		case errors.Is(err, auth.ErrEmptyCredentials), errors.Is(err, auth.ErrSpaces):
			return "", badHeader(errors.Unwrap(err))
		case !errors.Is(err, auth.ErrNoCredentials):
			return "", err
		}
	}
	return "", auth.ErrNoCredentials
}

// inOwnHeader reads a header that is not Authorization as that one is read.
func (s *SimpleJWT) inOwnHeader(r *http.Request) (string, error) {
	lines := r.Header[s.AuthHeaderName]
	if len(lines) > 1 {
		return "", badHeader(auth.ErrAmbiguous)
	}
	words := strings.FieldsFunc(lines[0], func(c rune) bool { return c == ' ' || c == '\t' })
	if len(words) == 0 || !s.isHeaderType(words[0]) {
		return "", auth.ErrNoCredentials
	}
	switch len(words) {
	case 1:
		return "", badHeader(auth.ErrEmptyCredentials)
	case 2:
		return words[1], nil
	}
	return "", badHeader(auth.ErrSpaces)
}

// isHeaderType compares without regard to the case of ASCII letters.
func (s *SimpleJWT) isHeaderType(word string) bool {
	for _, known := range s.AuthHeaderTypes {
		if len(word) == len(known) && strings.EqualFold(word, known) {
			return true
		}
	}
	return false
}
