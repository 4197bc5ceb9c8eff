// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/cookie"
)

// LoginLocation returns where a person who made this request logs in, with the
// place to come back to, or the empty string if nothing is configured or the
// request was not made by a person who went to a page.
func (m *Manager) LoginLocation(r *http.Request) string {
	login := m.settings.LoginURL
	if login == "" || !isNavigation(r) {
		return ""
	}
	place := requested(r)
	path, _, _ := strings.Cut(login, "?")
	if place.EscapedPath() == path {
		return "" // it would be sent here again
	}
	next := place.EscapedPath()
	if place.RawQuery != "" {
		next += "?" + place.RawQuery
	}
	if next = SafeNext(next); next == "" || len(next) > maxNext {
		return login
	}
	if !strings.HasPrefix(login, "/") {
		next = origin(r) + next
	}
	separator := "?"
	if strings.Contains(login, "?") {
		separator = "&"
	}
	return login + separator + NextField + "=" + url.QueryEscape(next)
}

// isNavigation reports whether a person went to a page: a program is answered,
// not sent elsewhere.
func isNavigation(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	if r.Header.Get("Authorization") != "" || strings.EqualFold(r.Header.Get("X-Requested-With"), "XMLHttpRequest") {
		return false
	}
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	for _, line := range r.Header["Accept"] {
		for part := range strings.SplitSeq(line, ",") {
			kind, _, _ := strings.Cut(part, ";")
			if kind = strings.TrimSpace(kind); strings.EqualFold(kind, "text/html") || strings.EqualFold(kind, "application/xhtml+xml") {
				return true
			}
		}
	}
	return false
}

// requested returns the URL that the client asked for, before anything was cut
// off or rewritten.
func requested(r *http.Request) *url.URL {
	if original, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request); ok && original.URL != nil {
		return original.URL
	}
	return r.URL
}

// origin returns the origin that the request was sent to.
func origin(r *http.Request) string {
	if cookie.HTTPS(r) {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
