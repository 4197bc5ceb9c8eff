// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/cookie"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/csrf"
)

// Defaults, which are Django's.
const (
	defaultCookie     = "sessionid"
	defaultAge        = 1209600 * time.Second // two weeks
	defaultCSRFCookie = "csrftoken"
	defaultCSRFAge    = 31449600 * time.Second // a year
	defaultCSRFHeader = "X-CSRFToken"

	// minIdle is the shortest idle timeout: that a session is used is not
	// noticed more than once a minute.
	minIdle = 5 * time.Minute
)

// Settings are what a site decides of its sessions. Those of the rest_auth app
// are the default of every authenticator and endpoint of sessions, which must
// agree: each inherits what it does not say itself.
type Settings struct {
	// The name of the session cookie. One that begins with `__Host-` is
	// accepted by browsers over TLS only, and from this very host.
	// Default: sessionid.
	Cookie string `json:"cookie,omitempty"`

	// How long a session lives after the login, and its cookie if the browser
	// is to remember it. Default: two weeks.
	CookieAge caddy.Duration `json:"cookie_age,omitempty"`

	// The domain whose hosts get the session cookie.
	// Default: none; the host that set it gets it, and no other.
	CookieDomain string `json:"cookie_domain,omitempty"`

	// The path of both cookies. Default: /.
	CookiePath string `json:"cookie_path,omitempty"`

	// Which requests of other sites carry both cookies: Lax (navigations),
	// Strict (none), None (all). Default: Lax.
	CookieSameSite string `json:"cookie_samesite,omitempty"`

	// Whether both cookies are sent over TLS only: on, off, or auto, which is
	// on where the login came over TLS, to this server or to a trusted proxy.
	// Default: auto.
	CookieSecure string `json:"cookie_secure,omitempty"`

	// Whether the browser forgets the session when it closes, unless the login
	// says otherwise. Default: false.
	ExpireAtBrowserClose *bool `json:"expire_at_browser_close,omitempty"`

	// Whether the session's age begins anew with its use, noticed at most once a
	// minute. Default: false.
	SaveEveryRequest *bool `json:"save_every_request,omitempty"`

	// Ends a session that was not used for this long, 5 minutes at least.
	// Default: none.
	IdleTimeout caddy.Duration `json:"idle_timeout,omitempty"`

	// Ends a session this long after the login, however it is used.
	// Default: none.
	AbsoluteTimeout caddy.Duration `json:"absolute_timeout,omitempty"`

	// The name of the CSRF cookie. Default: csrftoken.
	CSRFCookie string `json:"csrf_cookie,omitempty"`

	// How long the CSRF cookie lives. Default: 364 days.
	CSRFCookieAge caddy.Duration `json:"csrf_cookie_age,omitempty"`

	// The domain whose hosts get the CSRF cookie, which scripts there read.
	// Default: none.
	CSRFCookieDomain string `json:"csrf_cookie_domain,omitempty"`

	// The request header that scripts repeat the CSRF token in.
	// Default: X-CSRFToken.
	CSRFHeader string `json:"csrf_header,omitempty"`

	// Origins of other hosts whose pages may send requests that change
	// something, as https://app.example.com or https://*.example.com.
	// Default: none.
	TrustedOrigins []string `json:"trusted_origins,omitempty"`

	// Where people log in: a path of this site, or a URL. Navigations that are
	// refused for want of a session are sent there. Default: none; they are
	// refused.
	LoginURL string `json:"login_url,omitempty"`
}

// Check reports a mistake in settings that nobody may be there to use. It
// leaves them as they are.
func (s *Settings) Check() error {
	complete := *s
	if err := complete.complete(nil); err != nil {
		return err
	}
	_, err := newManager(&complete, nil, nil, nil)
	return err
}

// complete fills what is not said from the defaults and resolves placeholders.
func (s *Settings) complete(defaults *Settings) error {
	if defaults != nil {
		s.inherit(defaults)
	}
	s.Cookie = or(s.Cookie, defaultCookie)
	s.CookieAge = or(s.CookieAge, caddy.Duration(defaultAge))
	s.CookiePath = or(s.CookiePath, "/")
	s.CookieSameSite = or(s.CookieSameSite, "Lax")
	s.CookieSecure = or(s.CookieSecure, cookie.SecureAuto)
	s.CSRFCookie = or(s.CSRFCookie, defaultCSRFCookie)
	s.CSRFCookieAge = or(s.CSRFCookieAge, caddy.Duration(defaultCSRFAge))
	s.CSRFHeader = or(s.CSRFHeader, defaultCSRFHeader)
	fields := []*string{
		&s.Cookie, &s.CookieDomain, &s.CookiePath, &s.CookieSameSite, &s.CookieSecure,
		&s.CSRFCookie, &s.CSRFCookieDomain, &s.CSRFHeader, &s.LoginURL,
	}
	// The list may be another's, which is not to be written to.
	s.TrustedOrigins = append([]string(nil), s.TrustedOrigins...)
	for i := range s.TrustedOrigins {
		fields = append(fields, &s.TrustedOrigins[i])
	}
	replacer := caddy.NewReplacer()
	for _, field := range fields {
		value, err := replacer.ReplaceOrErr(*field, true, true)
		if err != nil {
			return err
		}
		*field = value
	}
	return s.check()
}

func (s *Settings) inherit(from *Settings) {
	s.Cookie = or(s.Cookie, from.Cookie)
	s.CookieAge = or(s.CookieAge, from.CookieAge)
	s.CookieDomain = or(s.CookieDomain, from.CookieDomain)
	s.CookiePath = or(s.CookiePath, from.CookiePath)
	s.CookieSameSite = or(s.CookieSameSite, from.CookieSameSite)
	s.CookieSecure = or(s.CookieSecure, from.CookieSecure)
	s.ExpireAtBrowserClose = or(s.ExpireAtBrowserClose, from.ExpireAtBrowserClose)
	s.SaveEveryRequest = or(s.SaveEveryRequest, from.SaveEveryRequest)
	s.IdleTimeout = or(s.IdleTimeout, from.IdleTimeout)
	s.AbsoluteTimeout = or(s.AbsoluteTimeout, from.AbsoluteTimeout)
	s.CSRFCookie = or(s.CSRFCookie, from.CSRFCookie)
	s.CSRFCookieAge = or(s.CSRFCookieAge, from.CSRFCookieAge)
	s.CSRFCookieDomain = or(s.CSRFCookieDomain, from.CSRFCookieDomain)
	s.CSRFHeader = or(s.CSRFHeader, from.CSRFHeader)
	s.LoginURL = or(s.LoginURL, from.LoginURL)
	if s.TrustedOrigins == nil {
		s.TrustedOrigins = from.TrustedOrigins
	}
}

func (s *Settings) check() error {
	for _, age := range []caddy.Duration{s.CookieAge, s.CSRFCookieAge, s.IdleTimeout, s.AbsoluteTimeout} {
		if age < 0 {
			return errors.New("a session cannot end before it begins")
		}
	}
	switch {
	case s.CookieAge < caddy.Duration(time.Second):
		return errors.New("cookie_age is shorter than a second")
	case s.Cookie == s.CSRFCookie:
		return fmt.Errorf("both cookies have the name %s", s.Cookie)
	}
	if err := s.checkIdle(); err != nil {
		return err
	}
	return s.checkLoginURL()
}

func (s *Settings) checkIdle() error {
	if s.IdleTimeout > 0 && time.Duration(s.IdleTimeout) < minIdle {
		return fmt.Errorf("idle_timeout is shorter than %v: use is noticed once a minute at most", minIdle)
	}
	return nil
}

// checkLoginURL refuses what a browser could take for another place.
func (s *Settings) checkLoginURL() error {
	if s.LoginURL == "" {
		return nil
	}
	parsed, err := url.Parse(s.LoginURL)
	if err != nil || strings.ContainsAny(s.LoginURL, " \\\"<>") {
		return errors.New("login_url is not a URL")
	}
	path := parsed.Scheme == "" && parsed.Host == "" && strings.HasPrefix(s.LoginURL, "/") && !strings.HasPrefix(s.LoginURL, "//")
	absolute := (parsed.Scheme == "http" || parsed.Scheme == "https") && parsed.Host != ""
	if !path && !absolute || parsed.User != nil || parsed.Fragment != "" {
		return errors.New("login_url is neither a path, as /login/, nor a URL that begins with https://")
	}
	return nil
}

// sessionCookie returns the cookie that holds the key of a session.
func (s *Settings) sessionCookie() cookie.Cookie {
	return cookie.Cookie{
		Name: s.Cookie, Domain: s.CookieDomain, Path: s.CookiePath,
		SameSite: s.CookieSameSite, Secure: s.CookieSecure, HTTPOnly: true,
	}
}

// csrfOptions returns what the CSRF check is made of. Its cookie is one that
// scripts read, to repeat it in a header.
func (s *Settings) csrfOptions() csrf.Options {
	return csrf.Options{
		Cookie: cookie.Cookie{
			Name: s.CSRFCookie, Domain: s.CSRFCookieDomain, Path: s.CookiePath,
			SameSite: s.CookieSameSite, Secure: s.CookieSecure,
		},
		Age:            time.Duration(s.CSRFCookieAge),
		Header:         s.CSRFHeader,
		TrustedOrigins: s.TrustedOrigins,
	}
}

// or returns a, unless it says nothing.
func or[T comparable](a, b T) T {
	var nothing T
	if a != nothing {
		return a
	}
	return b
}
