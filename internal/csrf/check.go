// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package csrf

import (
	"net/http"
	"strings"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/cookie"
)

// reason returns why the request is refused, or the empty string.
func (c *Checker) reason(r *http.Request) string {
	if _, said := r.Header["Origin"]; said {
		if reason := c.originReason(r); reason != "" {
			return reason
		}
	} else if cookie.HTTPS(r) {
		if reason := c.checkReferer(r); reason != "" {
			return reason
		}
	}
	return c.checkToken(r)
}

// originReason returns why the Origin is refused, or the empty string: a client
// that sends none is not judged by it.
func (c *Checker) originReason(r *http.Request) string {
	origin, said := r.Header["Origin"]
	if !said || c.trusts(r, origin) {
		return ""
	}
	return "Origin checking failed - " + shown(strings.Join(origin, ",")) + " does not match any trusted origins."
}

func (c *Checker) checkToken(r *http.Request) string {
	secret, ok, problem := c.secret(r)
	switch {
	case !ok:
		return "CSRF cookie not set."
	case problem != "":
		return "CSRF cookie " + problem + "."
	}
	token, source := "", "POST"
	if r.Method == http.MethodPost {
		token = formToken(r)
	}
	if token == "" {
		lines := r.Header[c.header]
		if len(lines) == 0 {
			return "CSRF token missing."
		}
		token, source = strings.Join(lines, ","), "the '"+c.shown+"' HTTP header"
	}
	if problem := malformed(token); problem != "" {
		return "CSRF token from " + source + " " + problem + "."
	}
	if !same(unmask(token), secret) {
		return "CSRF token from " + source + " incorrect."
	}
	return ""
}

// secret returns the secret of the request's cookie, whether it has the cookie,
// and what is wrong with it. Of several the last counts, as in Django.
func (c *Checker) secret(r *http.Request) (secret string, ok bool, problem string) {
	value, ok := cookie.Last(r, c.cookie.Name)
	if !ok {
		return "", false, "is not set"
	}
	if problem := malformed(value); problem != "" {
		return "", true, problem
	}
	return unmask(value), true, ""
}

// titled spells a header name as Django does in its reasons: X-CSRFToken is
// read as HTTP_X_CSRFTOKEN and shown as X-Csrftoken.
func titled(name string) string {
	words := strings.Split(strings.ToLower(name), "-")
	for i, word := range words {
		if word != "" {
			words[i] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, "-")
}
