// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package bearer is RFC 6750 on the wire: where a request carries an access
// token, and how a site asks for one.
//
// A token in the body of a form (section 2.2) is not supported: an
// authenticator would have to read the body of every request.
package bearer

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unsafe"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// Schemes of the Authorization header.
const (
	Bearer = "Bearer" // RFC 6750
	DPoP   = "DPoP"   // RFC 9449
)

const authorization = "Authorization"

// Sources are where a request may carry its access token. A request that
// carries one in two places is refused.
type Sources struct {
	// The header that carries the token. In a header other than Authorization the
	// token may stand alone, without a scheme. Default: Authorization.
	Header string `json:"header,omitempty"`

	// The words that may stand before the token, compared without regard to case.
	// Default: Bearer and DPoP.
	Schemes []string `json:"schemes,omitempty"`

	// A cookie that may carry the token. Default: none.
	Cookie string `json:"cookie,omitempty"`

	// A parameter of the query that may carry the token, as access_token. Logs and
	// browsers remember queries, so this is for clients that cannot do better.
	// Default: none.
	Query string `json:"query,omitempty"`
}

// A Place is where a token was found.
type Place int

// Places.
const (
	InHeader Place = iota
	InCookie
	InQuery
)

// Found is the token of a request.
type Found struct {
	// Token is what the client sent, of whatever characters.
	Token string

	// Scheme is the configured spelling of the word before the token; it is empty
	// for a token that stood alone, in a cookie or in a query.
	Scheme string

	Where Place
}

// Causes of refusals.
var (
	ErrSeveral = errors.New("more than one access token")
	errQueries = errors.New("the query has the parameter more than once")
	errCookies = errors.New("more than one cookie of the name")
)

const textSeveral = "Invalid request. More than one access token was sent."

// Resolve replaces placeholders and sets the defaults. It reports what no
// request could carry.
func (s *Sources) Resolve() error {
	replacer := caddy.NewReplacer()
	for name, field := range map[string]*string{"header": &s.Header, "cookie": &s.Cookie, "query": &s.Query} {
		value, err := replacer.ReplaceOrErr(*field, true, true)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		*field = value
	}
	if s.Header == "" {
		s.Header = authorization
	}
	if s.Header = http.CanonicalHeaderKey(s.Header); !isName(s.Header) || s.Header == "Cookie" {
		return fmt.Errorf("header '%s' is not the name of a header that could carry a token", s.Header)
	}
	if s.Cookie != "" && !isName(s.Cookie) {
		return fmt.Errorf("cookie '%s' is not the name of a cookie", s.Cookie)
	}
	if len(s.Schemes) == 0 {
		s.Schemes = []string{Bearer, DPoP}
	}
	for _, scheme := range s.Schemes {
		if !isName(scheme) {
			return fmt.Errorf("scheme '%s' is not one word of letters, digits and !#$%%&'*+-.^_`|~", scheme)
		}
	}
	return nil
}

// Token returns the token of a request. It returns auth.ErrNoCredentials if there
// is none, and an *auth.Failure of the code CodeInvalidRequest for a header that
// is badly written, and for two tokens.
func (s *Sources) Token(r *http.Request) (Found, error) {
	found, err := s.inHeader(r)
	if s.Cookie == "" && s.Query == "" {
		return found, err
	}
	for _, look := range []func(*http.Request) (Found, error){s.inCookie, s.inQuery} {
		if err != nil && err != auth.ErrNoCredentials {
			return Found{}, err
		}
		other, problem := look(r)
		switch {
		case problem == auth.ErrNoCredentials:
		case problem != nil:
			return Found{}, problem
		case err == nil:
			return Found{}, InvalidRequest(textSeveral, ErrSeveral)
		default:
			found, err = other, nil
		}
	}
	return found, err
}

// CacheKey returns the token, for auth.Cacheable. What else a request is, as the
// proof of a bound token, is for an auth.Guard to look at.
func (s *Sources) CacheKey(r *http.Request) (secret []byte, ok bool) {
	found, err := s.Token(r)
	if err != nil {
		return nil, false
	}
	// Not copied: a CacheKey is only read and not kept, by contract.
	return unsafe.Slice(unsafe.StringData(found.Token), len(found.Token)), true
}

func (s *Sources) inHeader(r *http.Request) (Found, error) {
	if s.Header != authorization && s.Header != "" {
		return s.inOwnHeader(r)
	}
	schemes := s.Schemes
	if len(schemes) == 0 {
		schemes = defaultSchemes
	}
	for _, scheme := range schemes {
		token, err := auth.Credentials(r, scheme)
		if err == nil {
			return Found{Token: token, Scheme: scheme}, nil
		}
		failure, bad := errors.AsType[*auth.Failure](err)
		switch {
		case !bad:
		case errors.Is(failure.Err, auth.ErrAmbiguous):
			return Found{}, failure
		default:
			return Found{}, InvalidRequest(failure.Detail, failure.Err)
		}
	}
	return Found{}, auth.ErrNoCredentials
}

var defaultSchemes = []string{Bearer, DPoP}

// inOwnHeader reads a header that carries nothing but tokens.
func (s *Sources) inOwnHeader(r *http.Request) (Found, error) {
	lines := r.Header[s.Header]
	if len(lines) > 1 {
		return Found{}, InvalidRequest(textSeveral, ErrSeveral)
	}
	if len(lines) == 0 {
		return Found{}, auth.ErrNoCredentials
	}
	line := strings.Trim(lines[0], blanks)
	if line == "" {
		return Found{}, auth.ErrNoCredentials
	}
	end := strings.IndexAny(line, blanks)
	if end < 0 {
		for _, scheme := range s.Schemes {
			if equalFoldASCII(scheme, line) {
				return Found{}, invalidHeader("No credentials provided.", auth.ErrEmptyCredentials)
			}
		}
		return Found{Token: line}, nil
	}
	word, token := line[:end], strings.TrimLeft(line[end:], blanks)
	for _, scheme := range s.Schemes {
		if !equalFoldASCII(scheme, word) {
			continue
		}
		if strings.ContainsAny(token, blanks) {
			return Found{}, invalidHeader("Credentials string should not contain spaces.", auth.ErrSpaces)
		}
		return Found{Token: token, Scheme: scheme}, nil
	}
	return Found{}, auth.ErrNoCredentials
}

func invalidHeader(detail string, cause error) error {
	return InvalidRequest("Invalid token header. "+detail, cause)
}

func (s *Sources) inCookie(r *http.Request) (Found, error) {
	if s.Cookie == "" || len(r.Header["Cookie"]) == 0 {
		return Found{}, auth.ErrNoCredentials
	}
	switch cookies := r.CookiesNamed(s.Cookie); {
	case len(cookies) > 1:
		return Found{}, InvalidRequest(textSeveral, errCookies)
	case len(cookies) == 0, cookies[0].Value == "":
		return Found{}, auth.ErrNoCredentials
	default:
		return Found{Token: cookies[0].Value, Where: InCookie}, nil
	}
}

func (s *Sources) inQuery(r *http.Request) (Found, error) {
	if s.Query == "" || r.URL == nil || r.URL.RawQuery == "" {
		return Found{}, auth.ErrNoCredentials
	}
	switch values := r.URL.Query()[s.Query]; {
	case len(values) > 1:
		return Found{}, InvalidRequest(textSeveral, errQueries)
	case len(values) == 0, values[0] == "":
		return Found{}, auth.ErrNoCredentials
	default:
		return Found{Token: values[0], Where: InQuery}, nil
	}
}

// equalFoldASCII is strings.EqualFold without its Unicode folds, under which
// U+212A KELVIN SIGN would be a k.
func equalFoldASCII(a, b string) bool {
	return len(a) == len(b) && strings.EqualFold(a, b)
}

const blanks = " \t\n\v\f\r"

// isName reports whether s is a token of RFC 9110 section 5.6.2.
func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		alphanumeric := '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
		if !alphanumeric && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}
