// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package csrf

import (
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/cookie"
)

// maxShown is how many bytes of what a client sent are repeated in a reason.
const maxShown = 200

// trustedOrigins are the origins of other hosts.
type trustedOrigins struct {
	exact   map[string]bool
	domains map[string][]string // by scheme, as .example.com
	hosts   []string            // of all of them, for referers
}

// CheckOrigin says what is wrong with an origin that is to be trusted.
func CheckOrigin(origin string) error { return new(trustedOrigins).add(origin) }

// add adds an origin, as https://app.example.com, or one with a wildcard for
// all of its subdomains, as https://*.example.com, which in Django stands for
// example.com too.
func (t *trustedOrigins) add(origin string) error {
	scheme, host, ok := strings.Cut(origin, "://")
	switch {
	case !ok || scheme != "http" && scheme != "https":
		return errors.New("an origin begins with http:// or https://")
	case scheme == "https" && strings.HasSuffix(host, ":443"), scheme == "http" && strings.HasSuffix(host, ":80"):
		return errors.New("browsers leave out that port")
	case strings.ContainsFunc(host, func(c rune) bool { return c >= utf8.RuneSelf }):
		return errors.New("an origin is written as browsers send it, with xn--… for other letters than ASCII")
	}
	suffix, wild := strings.CutPrefix(host, "*")
	if host == "" || !isHost(strings.ReplaceAll(suffix, "*", "")) || host != strings.ToLower(host) {
		return errors.New("an origin is a scheme and a host in lower case, without path or user")
	}
	if strings.Contains(suffix, "*") || wild && (len(suffix) < 2 || suffix[0] != '.') {
		return errors.New("a wildcard stands for subdomains, as in https://*.example.com")
	}
	if wild {
		if t.domains == nil {
			t.domains = make(map[string][]string)
		}
		t.domains[scheme] = append(t.domains[scheme], suffix)
	} else {
		if t.exact == nil {
			t.exact = make(map[string]bool)
		}
		t.exact[origin] = true
	}
	t.hosts = append(t.hosts, suffix)
	return nil
}

// trusts reports whether a request with these Origin lines may come from there.
// One that names another host than it was sent to, or several, may not.
func (c *Checker) trusts(r *http.Request, lines []string) bool {
	if len(lines) != 1 {
		return false
	}
	origin := lines[0]
	own := "http://"
	if cookie.HTTPS(r) {
		own = "https://"
	}
	if host, ok := strings.CutPrefix(origin, own); ok && host != "" && host == r.Host {
		return true
	}
	if c.trusted.exact[origin] {
		return true
	}
	scheme, host, ok := strings.Cut(origin, "://")
	if !ok || !isHost(host) {
		return false
	}
	for _, domain := range c.trusted.domains[scheme] {
		if within(host, domain) {
			return true
		}
	}
	return false
}

// checkReferer stands in for the check of Origin where TLS makes Referer worth
// something: another host on the same network cannot have set it.
func (c *Checker) checkReferer(r *http.Request) string {
	lines := r.Header["Referer"]
	if len(lines) == 0 {
		return "Referer checking failed - no Referer."
	}
	referer := lines[0]
	scheme, host, ok := splitURL(referer)
	switch {
	case !ok || len(lines) > 1:
		return "Referer checking failed - Referer is malformed."
	case scheme != "https":
		return "Referer checking failed - Referer is insecure while host is secure."
	}
	for _, trusted := range c.trusted.hosts {
		if within(host, trusted) {
			return ""
		}
	}
	if within(host, c.refererHost(r)) {
		return ""
	}
	return "Referer checking failed - " + shown(referer) + " does not match any trusted origins."
}

// refererHost returns the host that a referer may name: all that share the
// cookie, and otherwise the request's own alone.
func (c *Checker) refererHost(r *http.Request) string {
	if c.cookie.Domain == "" {
		return r.Host
	}
	if i := strings.LastIndexByte(r.Host, ':'); i >= 0 && !strings.HasSuffix(r.Host, "]") {
		if port := r.Host[i+1:]; port != "443" && port != "80" && port != "" {
			return c.cookie.Domain + ":" + port
		}
	}
	return c.cookie.Domain
}

// within reports whether a host is the pattern's, or, if the pattern begins
// with a dot, its domain's or one below it.
func within(host, pattern string) bool {
	pattern = strings.ToLower(pattern)
	switch {
	case pattern == "" || host == "":
		return false
	case pattern[0] == '.':
		return strings.HasSuffix(host, pattern) || host == pattern[1:]
	}
	return host == pattern
}

// splitURL returns the scheme and the host of a URL, which has both if ok. What
// a browser and we could read differently is no URL.
func splitURL(text string) (scheme, host string, ok bool) {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return "", "", false
	}
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	return strings.ToLower(scheme), rest, scheme != "" && isHost(rest)
}

// isHost reports whether the text is made of what hosts and ports are made of.
func isHost(text string) bool {
	for i := range len(text) {
		c := text[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte(".-_:[]", c) >= 0:
		default:
			return false
		}
	}
	return text != ""
}

// shown returns what a client sent as it may be repeated to it: not long, and
// without control characters.
func shown(text string) string {
	cut := false
	if len(text) > maxShown {
		text, cut = text[:maxShown], true
		for len(text) > 0 && !utf8.RuneStart(text[len(text)-1]) {
			text = text[:len(text)-1]
		}
		if len(text) > 0 && text[len(text)-1] >= utf8.RuneSelf {
			text = text[:len(text)-1]
		}
	}
	text = strings.Map(func(c rune) rune {
		if c < ' ' || 0x7f <= c && c < 0xa0 || c == 0x2028 || c == 0x2029 {
			return utf8.RuneError
		}
		return c
	}, strings.ToValidUTF8(text, string(utf8.RuneError)))
	if cut {
		text += "…"
	}
	return text
}
