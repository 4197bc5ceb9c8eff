// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"strings"
)

// Keys of sessions, and a CSRF secret with two masked tokens of it.
const (
	aliceKey = "alice0000000000000000000000000ab"
	goneKey  = "gone00000000000000000000000000ab"
	staleKey = "stale0000000000000000000000000ab"

	csrfSecret = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	csrfMasked = "xHUXM9H0IWjXohGUuOysjGilz0sRmc5FxHUXM9H0IWjXohGUuOysjGilz0sRmc5F"
	csrfOther  = "4fJSo1ltyskVNr9qxeNx6TPESYzkgZpV4fJSo1ltyskVNr9qxeNx6TPESYzkgZpV"
	csrfWrong  = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// A csrfRow is a request and what it is answered: 200 with a user, or 403 with
// a reason.
type csrfRow struct {
	path    string // /session unless said
	method  string // POST unless said
	https   bool
	lines   []string
	session string // the value of the cookie; "-" is none; alice's unless said
	csrf    string // the value of the cookie; "-" is none; the secret unless said
	kind    string // of the body
	body    string

	user   string // "" is nobody
	reason string
	status int // with a body of its own in place of a reason

	// old is the reason in Django 3.2, and `user` if it lets the request pass.
	// Django 4.0 brought the check of Origin and the reasons of bad tokens.
	old string

	// django is what Django answers at all, where we do not: status and body.
	django string
}

const (
	formType  = "application/x-www-form-urlencoded"
	partsType = "multipart/form-data; boundary=xx"
	oldToken  = "CSRF token missing or incorrect."
	missing32 = "CSRF token missing."
	pass      = "user"
)

func parts(name, value string) string {
	return "--xx\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n--xx--\r\n"
}

func header(value string) []string { return []string{"X-CSRFToken: " + value} }

func refererLine(value string) []string {
	return []string{"Referer: " + value, "X-CSRFToken: " + csrfSecret}
}

func originLine(value string) []string {
	return []string{"Origin: " + value, "X-CSRFToken: " + csrfSecret}
}

func untrusted(what, value string) string {
	return what + " checking failed - " + value + " does not match any trusted origins."
}

var good = header(csrfSecret)

// csrfRows are what was measured of Django REST framework.
var csrfRows = map[string]csrfRow{
	// Whose session it is.
	"no session":                   {session: "-", csrf: "-"},
	"unknown session":              {session: strings.Repeat("x", 32), csrf: "-"},
	"malformed session":            {session: "x", csrf: "-"},
	"inactive user":                {session: goneKey, csrf: "-"},
	"password changed since":       {session: staleKey, csrf: "-"},
	"anonymous, foreign origin":    {session: "-", csrf: "-", lines: originLine("http://evil.example")},
	"GET":                          {method: "GET", csrf: "-", user: "alice"},
	"HEAD":                         {method: "HEAD", csrf: "-", user: "alice"},
	"GET, foreign origin":          {method: "GET", csrf: "-", lines: originLine("http://evil.example"), user: "alice"},
	"session, and a token after":   {path: "/session-token", csrf: "-", lines: []string{"Authorization: Token token-alice"}, reason: "CSRF cookie not set."},
	"good token before":            {path: "/token-session", csrf: "-", lines: []string{"Authorization: Token token-alice"}, user: "alice"},
	"no token before":              {path: "/token-session", csrf: "-", reason: "CSRF cookie not set."},
	"another scheme before":        {path: "/token-session", csrf: "-", lines: []string{"Authorization: Bearer x"}, reason: "CSRF cookie not set."},
	"before permissions":           {path: "/staff", csrf: "-", reason: "CSRF cookie not set."},
	"permission, CSRF good":        {path: "/staff", lines: good, status: 403},
	"a method nobody knows":        {method: "BREW", csrf: "-", reason: "CSRF cookie not set."},
	"PUT":                          {method: "PUT", csrf: "-", reason: "CSRF cookie not set."},
	"PATCH":                        {method: "PATCH", csrf: "-", reason: "CSRF cookie not set."},
	"DELETE":                       {method: "DELETE", csrf: "-", reason: "CSRF cookie not set."},
	"several sessions, last alive": {lines: append([]string{"Cookie: sessionid=x; sessionid=" + aliceKey + "; csrftoken=" + csrfSecret}, good...), session: "-", csrf: "-", user: "alice"},

	// Origin.
	"own origin":                    {lines: originLine("http://api.example.net"), user: "alice"},
	"own origin, other scheme":      {lines: originLine("https://api.example.net"), reason: untrusted("Origin", "https://api.example.net"), old: pass},
	"own origin, other port":        {lines: originLine("http://api.example.net:81"), reason: untrusted("Origin", "http://api.example.net:81"), old: pass},
	"own origin, https":             {https: true, lines: append(originLine("https://api.example.net"), "Referer: https://api.example.net/"), user: "alice"},
	"own origin, https, no referer": {https: true, lines: originLine("https://api.example.net"), user: "alice", old: "Referer checking failed - no Referer."},
	"foreign origin":                {lines: originLine("http://evil.example"), reason: untrusted("Origin", "http://evil.example"), old: pass},
	"foreign origin, no cookie":     {csrf: "-", lines: originLine("http://evil.example"), reason: untrusted("Origin", "http://evil.example"), old: "CSRF cookie not set."},
	"null origin":                   {lines: originLine("null"), reason: untrusted("Origin", "null"), old: pass},
	"empty origin":                  {lines: originLine(""), reason: untrusted("Origin", ""), old: pass},
	"trusted origin":                {lines: originLine("https://app.example.com"), user: "alice"},
	"trusted origin, http":          {lines: originLine("http://app.example.com"), reason: untrusted("Origin", "http://app.example.com"), old: pass},
	"trusted wildcard":              {lines: originLine("https://a.example.org"), user: "alice"},
	"trusted wildcard, deeper":      {lines: originLine("https://b.a.example.org"), user: "alice"},
	"trusted wildcard, itself":      {lines: originLine("https://example.org"), user: "alice"},
	"trusted wildcard, look-alike":  {lines: originLine("https://evilexample.org"), reason: untrusted("Origin", "https://evilexample.org"), old: pass},
	"trusted wildcard, http":        {lines: originLine("http://a.example.org"), reason: untrusted("Origin", "http://a.example.org"), old: pass},

	// Referer.
	"https, no referer":             {https: true, lines: good, reason: "Referer checking failed - no Referer."},
	"https, malformed referer":      {https: true, lines: refererLine("foo"), reason: "Referer checking failed - Referer is malformed."},
	"https, referer without a host": {https: true, lines: refererLine("https:///x"), reason: "Referer checking failed - Referer is malformed."},
	"https, http referer":           {https: true, lines: refererLine("http://api.example.net/"), reason: "Referer checking failed - Referer is insecure while host is secure."},
	"https, foreign referer":        {https: true, lines: refererLine("https://evil/x"), reason: untrusted("Referer", "https://evil/x")},
	"https, own referer":            {https: true, lines: refererLine("https://api.example.net/page?x=1"), user: "alice"},
	"https, own referer, port":      {https: true, lines: refererLine("https://api.example.net:444/"), reason: untrusted("Referer", "https://api.example.net:444/")},
	"https, trusted referer":        {https: true, lines: refererLine("https://app.example.com/"), user: "alice"},
	"https, wildcard referer":       {https: true, lines: refererLine("https://a.example.org/x"), user: "alice"},
	"http, foreign referer":         {lines: refererLine("https://evil/x"), user: "alice"},

	// The cookie.
	"no cookie":                   {csrf: "-", lines: good, reason: "CSRF cookie not set."},
	"cookie too short":            {csrf: "abc", lines: good, reason: "CSRF cookie has incorrect length.", old: oldToken},
	"cookie empty":                {csrf: "", lines: good, reason: "CSRF cookie has incorrect length.", old: oldToken},
	"cookie of 33 characters":     {csrf: csrfSecret + "a", lines: good, reason: "CSRF cookie has incorrect length.", old: oldToken},
	"cookie with bad characters":  {csrf: strings.Repeat("-", 32), lines: good, reason: "CSRF cookie has invalid characters.", old: oldToken},
	"masked cookie, plain header": {csrf: csrfMasked, lines: good, user: "alice"},
	"both masked":                 {csrf: csrfMasked, lines: header(csrfOther), user: "alice"},
	"several cookies, last good":  {csrf: csrfWrong + "; csrftoken=" + csrfSecret, lines: good, user: "alice"},
	"several cookies, last wrong": {csrf: csrfSecret + "; csrftoken=" + csrfWrong, lines: good, reason: "CSRF token from the 'X-Csrftoken' HTTP header incorrect.", old: oldToken},

	// The header.
	"plain header":                 {lines: good, user: "alice"},
	"masked header":                {lines: header(csrfMasked), user: "alice"},
	"PUT, good header":             {method: "PUT", lines: good, user: "alice"},
	"DELETE, good header":          {method: "DELETE", lines: good, user: "alice"},
	"no header":                    {reason: missing32, old: oldToken},
	"wrong header":                 {lines: header(csrfWrong), reason: "CSRF token from the 'X-Csrftoken' HTTP header incorrect.", old: oldToken},
	"short header":                 {lines: header("abc"), reason: "CSRF token from the 'X-Csrftoken' HTTP header has incorrect length.", old: oldToken},
	"empty header":                 {lines: header(""), reason: "CSRF token from the 'X-Csrftoken' HTTP header has incorrect length.", old: oldToken},
	"bad characters in the header": {lines: header(strings.Repeat("é", 16)), reason: "CSRF token from the 'X-Csrftoken' HTTP header has invalid characters.", old: oldToken},
	"long header":                  {lines: header(strings.Repeat("a", 5000)), reason: "CSRF token from the 'X-Csrftoken' HTTP header has incorrect length.", old: oldToken},

	// The body.
	"field":                          {kind: formType, body: "csrfmiddlewaretoken=" + csrfSecret, user: "alice"},
	"field, with a charset":          {kind: formType + "; charset=utf-8", body: "a=b&csrfmiddlewaretoken=" + csrfMasked + "&c=d", user: "alice"},
	"field, escaped name":            {kind: formType, body: "%63srfmiddlewaretoken=" + csrfSecret, user: "alice"},
	"field, escaped value":           {kind: formType, body: "csrfmiddlewaretoken=%61" + csrfSecret[1:], user: "alice"},
	"field, wrong, header good":      {kind: formType, body: "csrfmiddlewaretoken=" + csrfWrong, lines: good, reason: "CSRF token from POST incorrect.", old: oldToken},
	"field, short":                   {kind: formType, body: "csrfmiddlewaretoken=abc", lines: good, reason: "CSRF token from POST has incorrect length.", old: oldToken},
	"field, bad characters":          {kind: formType, body: "csrfmiddlewaretoken=" + strings.Repeat("-", 32), reason: "CSRF token from POST has invalid characters.", old: oldToken},
	"field, empty, header good":      {kind: formType, body: "csrfmiddlewaretoken=", lines: good, user: "alice"},
	"field, twice, last good":        {kind: formType, body: "csrfmiddlewaretoken=x&csrfmiddlewaretoken=" + csrfSecret, user: "alice"},
	"field, twice, last wrong":       {kind: formType, body: "csrfmiddlewaretoken=" + csrfSecret + "&csrfmiddlewaretoken=" + csrfWrong, reason: "CSRF token from POST incorrect.", old: oldToken},
	"no field, header good":          {kind: formType, body: "a=b", lines: good, user: "alice"},
	"part":                           {kind: partsType, body: parts("csrfmiddlewaretoken", csrfSecret), user: "alice"},
	"part, wrong, header good":       {kind: partsType, body: parts("csrfmiddlewaretoken", csrfWrong), lines: good, reason: "CSRF token from POST incorrect.", old: oldToken},
	"other part, header good":        {kind: partsType, body: parts("a", "b"), lines: good, user: "alice"},
	"field on PUT":                   {method: "PUT", kind: formType, body: "csrfmiddlewaretoken=" + csrfSecret, reason: missing32, old: oldToken},
	"field in JSON":                  {kind: "application/json", body: `{"csrfmiddlewaretoken":"` + csrfSecret + `"}`, reason: missing32, old: oldToken},
	"JSON, good header":              {kind: "application/json", body: `{}`, lines: good, user: "alice"},
	"malformed JSON on PUT":          {method: "PUT", kind: "application/json", body: `{`, reason: missing32, old: oldToken},
	"malformed JSON, no token":       {kind: "application/json", body: `{`, reason: missing32, django: "400 JSON parse error"},
	"text, no token":                 {kind: "text/plain", body: `x`, reason: missing32, django: "415 Unsupported media type"},
	"malformed JSON, token, no user": {kind: "application/json", body: `{`, session: "-", csrf: "-"},
}

// request returns the bytes of the row.
func (row csrfRow) request() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: api.example.net\r\nConnection: close\r\n", or(row.method, "POST"), or(row.path, "/session"))
	if row.https {
		b.WriteString("X-Forwarded-Proto: https\r\n")
	}
	var cookies []string
	if row.session != "-" {
		cookies = append(cookies, "sessionid="+or(row.session, aliceKey))
	}
	switch {
	case row.csrf == "-":
	case row.csrf == "" && strings.Contains(row.reason, "CSRF cookie has incorrect length"):
		cookies = append(cookies, "csrftoken=")
	default:
		cookies = append(cookies, "csrftoken="+or(row.csrf, csrfSecret))
	}
	if len(cookies) > 0 {
		b.WriteString("Cookie: " + strings.Join(cookies, "; ") + "\r\n")
	}
	for _, line := range row.lines {
		b.WriteString(line + "\r\n")
	}
	if row.kind != "" {
		fmt.Fprintf(&b, "Content-Type: %s\r\n", row.kind)
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(row.body), row.body)
	return b.String()
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
