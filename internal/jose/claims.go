// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package jose

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// maxDate is the end of the year 9999: what lies beyond is no time, and would
// overflow those who add to it.
const maxDate = 253402300799

// Has reports whether the payload has a claim of that very name.
func (t *Token) Has(name string) bool { return t.claims.find(name) != nil }

// Raw returns a claim as it stands in the payload, nil if there is none.
func (t *Token) Raw(name string) json.RawMessage {
	if m := t.claims.find(name); m != nil {
		return json.RawMessage(m.value)
	}
	return nil
}

// String returns a claim that is a string, and whether it is there. null and
// every other type is an ErrClaim.
func (t *Token) String(name string) (value string, ok bool, err error) {
	value, ok, err = t.claims.text(name)
	if err != nil {
		return "", false, &ClaimError{name, ErrClaim}
	}
	return value, ok, nil
}

// ID returns what its issuer names the token by, and whether there is such a name:
// jti, or where a token has none uti, as those of Entra ID.
func (t *Token) ID() (id string, ok bool, err error) {
	if id, ok, err = t.String("jti"); ok || err != nil {
		return id, ok, err
	}
	return t.String("uti")
}

// Time returns a claim that is a NumericDate (RFC 7519, section 2), and whether
// it is there: seconds since 1970, with decimals or not, up to the year 9999.
func (t *Token) Time(name string) (value time.Time, ok bool, err error) {
	m := t.claims.find(name)
	if m == nil {
		return time.Time{}, false, nil
	}
	if value, ok = date(m.value); !ok {
		return time.Time{}, false, &ClaimError{name, ErrClaim}
	}
	return value, true, nil
}

// date reads a number of JSON. Zero with a sign is negative too.
func date(number string) (time.Time, bool) {
	if c := number[0]; c < '0' || c > '9' {
		return time.Time{}, false
	}
	if !strings.ContainsAny(number, ".eE") {
		seconds, err := strconv.ParseInt(number, 10, 64)
		if err != nil || seconds > maxDate {
			return time.Time{}, false
		}
		return time.Unix(seconds, 0), true
	}
	float, err := strconv.ParseFloat(number, 64)
	if err != nil || float > maxDate {
		return time.Time{}, false
	}
	seconds, fraction := math.Modf(float)
	return time.Unix(int64(seconds), int64(fraction*1e9)), true
}

// Audience returns whom the token is for: aud is a string or a list of strings,
// and nil if it is absent.
func (t *Token) Audience() ([]string, error) {
	return t.Strings("aud")
}

// Strings returns a claim that is a string or a list of strings, and nil if it
// is absent.
func (t *Token) Strings(name string) ([]string, error) {
	m := t.claims.find(name)
	if m == nil {
		return nil, nil
	}
	switch m.value[0] {
	case '"':
		return []string{unquote(m.value)}, nil
	case '[':
		s := scanner{text: m.value}
		if list, ok := s.strings(); ok {
			return list, nil
		}
	}
	return nil, &ClaimError{name, ErrClaim}
}

// strings reads an array that array has read before.
func (s *scanner) strings() ([]string, bool) {
	list := []string{}
	s.at++
	for {
		s.space()
		switch s.peek() {
		case ',':
			s.at++
		case ']':
			return list, true
		case '"':
			start := s.at
			if _, err := s.quoted(); err != nil {
				return nil, false
			}
			list = append(list, unquote(s.text[start:s.at]))
		default:
			return nil, false
		}
	}
}
