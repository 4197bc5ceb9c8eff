// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"fmt"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/session"
)

func init() {
	caddy.RegisterModule(new(Session))
}

// Session accepts the cookie of a browser that is logged in, as
// SessionAuthentication of Django REST framework does. A request without a live
// session is nobody's, and the next authenticator is asked. One with a live
// session needs a CSRF token, whoever may make it, unless its method is GET,
// HEAD, OPTIONS or TRACE: without one it is refused with 403.
//
// A session has no challenge: where this authenticator comes first, refusals are
// 403, or send people to the login page.
type Session struct {
	session.Settings

	sessions *session.Manager
}

// CaddyModule returns the Caddy module information.
func (*Session) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "rest_auth.authenticators.session",
		New: func() caddy.Module { return new(Session) },
	}
}

// Provision completes the settings by those of the app, and finds the store,
// which need not answer yet.
func (s *Session) Provision(ctx caddy.Context) (err error) {
	if s.sessions, err = session.FromContext(ctx, &s.Settings); err != nil {
		return fmt.Errorf("loading the sessions: %w", err)
	}
	return nil
}

// UserSource says that the users are the app's and the store's own.
func (*Session) UserSource() auth.Source { return auth.Local }

// Authenticate returns whom the request's session was issued to.
func (s *Session) Authenticate(r *http.Request) (*auth.Identity, error) {
	return s.sessions.Authenticate(r)
}

// Guard refuses a request that another site may have had the browser make.
func (s *Session) Guard(r *http.Request, _ *auth.Identity) error { return s.sessions.CSRF().Check(r) }

// CacheKey returns the keys of sessions that the request has.
func (s *Session) CacheKey(r *http.Request) (secret []byte, ok bool) { return s.sessions.CacheKey(r) }

// Redirect sends people who are not logged in to the login page.
func (s *Session) Redirect(r *http.Request, _ error) (location string, status int) {
	return s.sessions.LoginLocation(r), http.StatusFound
}

// WrapResponse tells caches that the cookie matters, and has the browser keep
// a session that lives on.
func (s *Session) WrapResponse(w http.ResponseWriter, r *http.Request, id *auth.Identity) http.ResponseWriter {
	s.sessions.Respond(w, r, id)
	return w
}

// UnmarshalCaddyfile sets up the authenticator from Caddyfile tokens. Syntax:
//
//	authenticate session {
//	    # the lines of session.Settings.ParseLine
//	}
func (s *Session) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the name of the authenticator
	return s.ParseBlock(d)
}

// Interface guards
var (
	_ auth.Authenticator    = (*Session)(nil)
	_ auth.Cacheable        = (*Session)(nil)
	_ auth.Guard            = (*Session)(nil)
	_ auth.Redirector       = (*Session)(nil)
	_ auth.Responder        = (*Session)(nil)
	_ auth.UserSource       = (*Session)(nil)
	_ caddy.Provisioner     = (*Session)(nil)
	_ caddyfile.Unmarshaler = (*Session)(nil)
)
