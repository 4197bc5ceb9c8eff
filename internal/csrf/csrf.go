// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package csrf keeps other sites from using a browser's cookies, as Django's
// CsrfViewMiddleware does: a secret in a cookie has to be repeated in a header
// or in a form, and where a request comes from has to be one of our origins.
package csrf

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/cookie"
)

// Field is the name of the form field that a token is sent in.
const Field = "csrfmiddlewaretoken"

// Code is the code of a refusal.
const Code = "csrf_failed"

const prefix = "CSRF Failed: "

// Options are what a site decides.
type Options struct {
	// Cookie keeps the secret, for Age.
	Cookie cookie.Cookie
	Age    time.Duration

	// Header is the request header that a token is sent in.
	Header string

	// TrustedOrigins are origins of other hosts that may send requests, as
	// https://app.example.com or https://*.example.com.
	TrustedOrigins []string
}

// A Checker judges requests and hands out tokens. It is safe for concurrent use.
type Checker struct {
	cookie  cookie.Cookie
	age     time.Duration
	header  string // canonical
	shown   string // as Django spells it in a reason
	trusted trustedOrigins
}

// New returns a Checker.
func New(options Options) (*Checker, error) {
	if err := options.Cookie.Check(); err != nil {
		return nil, fmt.Errorf("CSRF cookie: %w", err)
	}
	if !httpguts.ValidHeaderFieldName(options.Header) {
		return nil, fmt.Errorf("CSRF header: '%s' is not a header name", options.Header)
	}
	if options.Age <= 0 {
		return nil, errors.New("CSRF cookie: the age is not above zero")
	}
	c := &Checker{
		cookie: options.Cookie,
		age:    options.Age,
		header: http.CanonicalHeaderKey(options.Header),
	}
	c.shown = titled(c.header)
	for _, origin := range options.TrustedOrigins {
		if err := c.trusted.add(origin); err != nil {
			return nil, fmt.Errorf("trusted origin '%s': %w", origin, err)
		}
	}
	return c, nil
}

// Safe reports whether requests of the method change nothing and need no check.
func Safe(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}

// Check returns nil if the request is of a safe method or was made by one of our
// own pages, and otherwise an *auth.Denial, whose Detail is
// "CSRF Failed: <reason>" as in Django REST framework. It judges any request:
// whether one needs it, as one with a session or a login does, the caller knows.
//
// A request for a WebSocket is no safe one, though it is a GET: the scripts of any
// site may open it and then send what they like, and read the answers. It cannot
// carry a token, but browsers say where it is from.
//
// The body of a POST of a form is read, up to MaxBody, and put back: who comes
// later reads it as it arrived.
func (c *Checker) Check(r *http.Request) error {
	reason := ""
	switch {
	case upgrades(r):
		reason = c.originReason(r)
	case !Safe(r.Method):
		reason = c.reason(r)
	}
	if reason != "" {
		return &auth.Denial{Code: Code, Detail: prefix + reason}
	}
	return nil
}

// CheckSource is Check for a client that may have no token yet, as at a login: it
// returns nil unless the request says that a page of another site made it.
func (c *Checker) CheckSource(r *http.Request) error {
	if reason := c.originReason(r); reason != "" {
		return &auth.Denial{Code: Code, Detail: prefix + reason}
	}
	return nil
}

// upgrades reports whether the connection is to be used for something else: by
// Upgrade in HTTP/1, and by an extended CONNECT, which net/http and quic-go
// present in two ways.
func upgrades(r *http.Request) bool {
	if r.Method == http.MethodConnect {
		return r.ProtoMajor == 2 && r.Header.Get(":protocol") == "websocket" || r.ProtoMajor == 3 && r.Proto == "websocket"
	}
	return Safe(r.Method) && r.Header["Upgrade"] != nil
}

// Reason returns why Check refused, as "CSRF cookie not set.", or the empty
// string if err is none of its refusals.
func Reason(err error) string {
	denial, ok := errors.AsType[*auth.Denial](err)
	if !ok || denial.Code != Code {
		return ""
	}
	return strings.TrimPrefix(denial.Detail, prefix)
}

// Token returns a token for a form or a script, another one each time, and
// sets the cookie, so that it lives for its full age from now on. A client that
// has no good secret yet gets a new one.
func (c *Checker) Token(w http.ResponseWriter, r *http.Request) string {
	secret, _, problem := c.secret(r)
	if problem != "" {
		secret = newSecret()
	}
	c.cookie.Set(w, r, secret, c.age)
	return mask(secret)
}

// Rotate gives the client a new secret, as at a login, so that tokens which
// were handed out before are worth nothing, and returns a token of it.
func (c *Checker) Rotate(w http.ResponseWriter, r *http.Request) string {
	secret := newSecret()
	c.cookie.Set(w, r, secret, c.age)
	return mask(secret)
}

// newSecret returns 32 random characters.
func newSecret() string {
	secret := make([]byte, secretLength)
	for i := range secret {
		secret[i] = alphabet[randomIndex()]
	}
	return string(secret)
}

// randomIndex returns a random index into the alphabet, all with one chance.
func randomIndex() byte {
	const most = 256 - 256%len(alphabet)
	var b [1]byte
	for {
		rand.Read(b[:])
		if int(b[0]) < most {
			return b[0] % byte(len(alphabet))
		}
	}
}
