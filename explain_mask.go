// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/manage"
)

// minSecret is the length of the shortest text that is searched for in what
// others wrote. A shorter one is a word of its own too often.
const minSecret = 5

// shownHeaders have values that are no credentials. Every other value is
// masked: any header may be the one that a plugin takes a key from.
var shownHeaders = []string{
	"Accept", "Accept-Encoding", "Accept-Language", "Access-Control-Request-Headers", "Access-Control-Request-Method",
	"Connection", "Content-Type", "Forwarded", "Origin", "Range", "Sec-Fetch-Mode", "Sec-Fetch-Site", "Upgrade", "User-Agent",
	"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "X-Requested-With",
}

// shownSchemes are the words that may be shown before the credentials. Another
// word may be the secret, sent without its scheme.
var shownSchemes = []string{
	"apikey", "basic", "bearer", "digest", "dpop", "hawk", "negotiate", "oauth", "signature", "token",
}

// headerLine is one header as the explanation shows it.
type headerLine struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// mask knows the secrets of a request.
type mask struct{ secrets []string }

func newMask(header http.Header, address *url.URL) *mask {
	m := new(mask)
	m.addURL(address)
	for name, values := range header {
		if slices.Contains(shownHeaders, name) {
			continue
		}
		for _, value := range values {
			m.add(value)
		}
	}
	// Longer ones first, or what is left of them could still be read.
	slices.SortFunc(m.secrets, func(a, b string) int { return len(b) - len(a) })
	return m
}

// add takes a value apart: what is after a scheme, between separators, and in
// base64.
func (m *mask) add(value string) {
	m.secret(value)
	if scheme, rest, ok := strings.Cut(value, " "); ok && isShownScheme(scheme) {
		value = rest
		m.secret(value)
	}
	for _, part := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(" \t,;\"", r) }) {
		m.secret(part)
		if _, after, ok := strings.Cut(part, "="); ok {
			m.secret(after)
		}
		decoded, err := base64.StdEncoding.DecodeString(part)
		if err != nil {
			continue
		}
		m.secret(string(decoded))
		name, password, _ := strings.Cut(string(decoded), ":")
		m.secret(name)
		m.secret(password)
	}
}

// addURL takes the query as it stands and as it reads, also in the spelling of
// a link that it was put into, and what looks like a token in the path.
func (m *mask) addURL(u *url.URL) {
	m.secret(u.RawQuery)
	for pair := range strings.FieldsFuncSeq(u.RawQuery, func(r rune) bool { return r == '&' || r == ';' }) {
		_, value, ok := strings.Cut(pair, "=")
		if !ok {
			value = pair
		}
		m.spellings(value)
	}
	for segment := range strings.SplitSeq(u.EscapedPath(), "/") {
		if manage.LooksSecret(segment) {
			m.spellings(segment)
		}
	}
}

func (m *mask) spellings(escaped string) {
	m.secret(escaped)
	if read, err := url.QueryUnescape(escaped); err == nil {
		m.secret(read)
		m.secret(url.QueryEscape(read))
	}
	m.secret(url.QueryEscape(escaped))
}

// url returns the URL without what may be secret in it: the query, and what is
// one of our tokens, or as long as others are, in the path.
func (m *mask) url(u *url.URL) string {
	segments := strings.Split(u.EscapedPath(), "/")
	for i, segment := range segments {
		if manage.LooksSecret(segment) {
			segments[i] = masked(segment)
		}
	}
	shown := u.Scheme + "://" + u.Host + strings.Join(segments, "/")
	if u.RawQuery != "" {
		shown += "?***"
	}
	return shown
}

func (m *mask) secret(text string) {
	if len(text) >= minSecret && !isShownScheme(text) && !slices.Contains(m.secrets, text) {
		m.secrets = append(m.secrets, text)
	}
}

// text returns what somebody else wrote without the secrets of the request:
// an authenticator owes us errors without them, and may not keep its word.
func (m *mask) text(s string) string {
	for _, secret := range m.secrets {
		s = strings.ReplaceAll(s, secret, "***")
	}
	return s
}

// lines returns the header, with every value masked that may be a credential.
func (m *mask) lines(header http.Header) []headerLine {
	var lines []headerLine
	for name, values := range header {
		for _, value := range values {
			if !slices.Contains(shownHeaders, name) {
				value = masked(value)
			}
			lines = append(lines, headerLine{name, m.text(value)})
		}
	}
	slices.SortStableFunc(lines, func(a, b headerLine) int { return strings.Compare(a.Name, b.Name) })
	return lines
}

// masked is a value of which only the scheme and the length are shown.
func masked(value string) string {
	scheme, _, _ := strings.Cut(value, " ")
	if isShownScheme(scheme) {
		if scheme == value {
			return value
		}
		return fmt.Sprintf("%s *** (%d bytes)", scheme, len(value)-len(scheme)-1)
	}
	return fmt.Sprintf("*** (%d bytes)", len(value))
}

func isShownScheme(word string) bool { return slices.Contains(shownSchemes, strings.ToLower(word)) }
