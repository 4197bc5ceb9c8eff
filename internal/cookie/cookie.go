// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package cookie sets the cookies of sessions and of CSRF protection, and finds
// them in requests.
package cookie

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"golang.org/x/net/http/httpguts"
)

// When a cookie is kept from connections that others can listen to.
const (
	SecureAuto = "auto" // as the connection is on which it is set
	SecureOn   = "on"
	SecureOff  = "off"
)

// Prefixes of names that browsers accept under conditions only.
const (
	hostPrefix   = "__Host-"
	securePrefix = "__Secure-"
)

// A Cookie is what does not change of a cookie.
type Cookie struct {
	Name     string
	Domain   string // empty: the host that set it, and it alone
	Path     string
	SameSite string // Lax, Strict, None
	Secure   string // one of the Secure constants
	HTTPOnly bool   // scripts do not see it
}

// Check reports a cookie that no browser would keep.
func (c *Cookie) Check() error {
	switch {
	case !httpguts.ValidHeaderFieldName(c.Name):
		return fmt.Errorf("'%s' is not a name of a cookie", c.Name)
	case !strings.HasPrefix(c.Path, "/") || !plain(c.Path):
		return fmt.Errorf("path '%s' does not begin with a slash, or has characters that end it", c.Path)
	case c.Domain != "" && (&http.Cookie{Name: c.Name, Domain: c.Domain}).Valid() != nil: //nolint:gosec // it is not sent
		// Without this the cookie would be set without the domain.
		return fmt.Errorf("'%s' is not a domain", c.Domain)
	}
	switch c.SameSite {
	case "Lax", "Strict", "None":
	default:
		return fmt.Errorf("samesite '%s' is not one of Lax, Strict, None", c.SameSite)
	}
	switch c.Secure {
	case SecureAuto, SecureOn, SecureOff:
	default:
		return fmt.Errorf("secure '%s' is not one of auto, on, off", c.Secure)
	}
	if c.Secure == SecureOff && (c.prefixed() || c.SameSite == "None") {
		return errors.New("browsers refuse a cookie of that name, or with samesite None, without `secure`")
	}
	if strings.HasPrefix(c.Name, hostPrefix) && (c.Domain != "" || c.Path != "/") {
		return errors.New("a cookie whose name begins with __Host- has no domain, and the path /")
	}
	return nil
}

// Set has the client keep the value for an age, or until it closes if the age
// is 0. What the response said of the cookie before is forgotten.
func (c *Cookie) Set(w http.ResponseWriter, r *http.Request, value string, age time.Duration) {
	line := c.line(r) //nolint:gosec // its attributes are what the site decides
	line.Value = value
	if age > 0 {
		line.MaxAge = int(age / time.Second)
		line.Expires = time.Now().Add(age)
	}
	c.write(w, line)
}

// Clear has the client forget the cookie.
func (c *Cookie) Clear(w http.ResponseWriter, r *http.Request) {
	line := c.line(r) //nolint:gosec // its attributes are those that it was set with
	line.MaxAge = -1
	line.Expires = time.Unix(0, 0)
	c.write(w, line)
}

func (c *Cookie) line(r *http.Request) *http.Cookie {
	line := &http.Cookie{Name: c.Name, Path: c.Path, Domain: c.Domain, HttpOnly: c.HTTPOnly} //nolint:gosec // the rest follows
	line.Secure = c.Secure == SecureOn || c.prefixed() || c.SameSite == "None" || c.Secure == SecureAuto && HTTPS(r)
	switch c.SameSite {
	case "Lax":
		line.SameSite = http.SameSiteLaxMode
	case "Strict":
		line.SameSite = http.SameSiteStrictMode
	case "None":
		line.SameSite = http.SameSiteNoneMode
	}
	return line
}

func (c *Cookie) prefixed() bool {
	return strings.HasPrefix(c.Name, hostPrefix) || strings.HasPrefix(c.Name, securePrefix)
}

func (c *Cookie) write(w http.ResponseWriter, line *http.Cookie) {
	header := w.Header()
	lines := header["Set-Cookie"]
	kept := make([]string, 0, len(lines)+1)
	for _, other := range lines {
		if !strings.HasPrefix(other, c.Name+"=") {
			kept = append(kept, other)
		}
	}
	header["Set-Cookie"] = append(kept, line.String())
}

// HTTPS reports whether nobody could listen to the request on its way: it came
// over TLS, to this server or to a proxy that the server trusts and that says so.
func HTTPS(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	if trusted, _ := caddyhttp.GetVar(r.Context(), caddyhttp.TrustedProxyVarKey).(bool); !trusted {
		return false
	}
	lines := r.Header["X-Forwarded-Proto"]
	if len(lines) != 1 {
		return false
	}
	// The first of several proxies is the one that the client talked to.
	scheme, _, _ := strings.Cut(lines[0], ",")
	return strings.EqualFold(strings.TrimSpace(scheme), "https")
}

// plain reports whether the text can stand in an attribute of a cookie.
func plain(text string) bool {
	for i := range len(text) {
		if text[i] <= ' ' || text[i] >= 0x7f || text[i] == ';' || text[i] == ',' {
			return false
		}
	}
	return true
}
