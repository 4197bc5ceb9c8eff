// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package possession

import (
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/cookie"
)

// isTarget reports whether a proof's htu is the URL that the client asked for,
// without query and fragment, after the normalization of RFC 3986 sections 6.2.2
// and 6.2.3 that RFC 9449 section 4.3 recommends.
func isTarget(r *http.Request, htu string) bool {
	target, err := url.Parse(htu)
	if err != nil || target.User != nil || target.Opaque != "" || target.RawQuery != "" || target.ForceQuery || target.Fragment != "" {
		return false
	}
	scheme := "http"
	if cookie.HTTPS(r) {
		scheme = "https"
	}
	requested := r.URL
	if original := originalOf(r); original.URL != nil {
		requested = original.URL
	}
	return strings.EqualFold(target.Scheme, scheme) &&
		authority(target.Host, scheme) == authority(r.Host, scheme) &&
		normalPath(target.EscapedPath()) == normalPath(requested.EscapedPath())
}

// methodOf returns the method that the client wrote, whatever became of it.
func methodOf(r *http.Request) string {
	if original := originalOf(r); original.Method != "" {
		return original.Method
	}
	return r.Method
}

// originalOf returns what Caddy keeps of the request as it came.
func originalOf(r *http.Request) (original http.Request) {
	original, _ = r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request)
	return original
}

// authority returns host and port in lower case, without the scheme's own port.
func authority(host, scheme string) string {
	host = strings.ToLower(host)
	port := "80"
	if scheme == "https" {
		port = "443"
	}
	if name, given, err := net.SplitHostPort(host); err == nil && (given == port || given == "") {
		if strings.Contains(name, ":") {
			return "[" + name + "]"
		}
		return name
	}
	return host
}

// normalPath writes what need not be escaped as it is, and the rest in capitals.
func normalPath(path string) string {
	if path == "" {
		return "/"
	}
	if !strings.Contains(path, "%") {
		return path
	}
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		if path[i] != '%' || i+2 >= len(path) {
			b.WriteByte(path[i])
			continue
		}
		escape := strings.ToUpper(path[i : i+3])
		if c, ok := unescape(escape); ok && isUnreserved(c) {
			b.WriteByte(c)
		} else {
			b.WriteString(escape)
		}
		i += 2
	}
	return b.String()
}

func unescape(escape string) (byte, bool) {
	text, err := url.PathUnescape(escape)
	if err != nil || len(text) != 1 {
		return 0, false
	}
	return text[0], true
}

func isUnreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~'
}
