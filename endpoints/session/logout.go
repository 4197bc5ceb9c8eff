// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"errors"
	"net/http"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/page"
	sessions "github.com/caddy-rest-auth/caddy-rest-auth/internal/session"
)

// showLogout asks people whether they want to. A link must not log anybody out:
// any page could have the browser follow it.
func (e *Endpoint) showLogout(w http.ResponseWriter, r *http.Request, _ *auth.Identity) error {
	session, err := e.sessions.Of(r)
	// Somebody else has set cookies here; to say that nobody is logged in would
	// leave the session of whoever was.
	several := errors.Is(err, sessions.ErrAmbiguous) || errors.Is(err, sessions.ErrTooMany)
	if err != nil && !errors.Is(err, auth.ErrNoCredentials) {
		return err
	}
	if !page.Wanted(r) {
		return writeState(w, r, session, e.sessions.CSRF().Token(w, r))
	}
	view := logoutView{Login: e.path(r, loginPath), Next: e.next(r, nil)}
	switch {
	case session != nil:
		view.User = session.User.ID
	case several:
		view.User = "more than one user"
	}
	return e.writeLogout(w, r, http.StatusOK, view)
}

// logout ends the session. It succeeds for who has none, and never where the
// store has not said that it is gone.
func (e *Endpoint) logout(w http.ResponseWriter, r *http.Request, _ *auth.Identity) error {
	if err := e.sessions.CSRF().Check(r); err != nil {
		return err
	}
	data, err := drf.Decode(r)
	if err != nil {
		return err
	}
	session, err := e.current(r)
	if err != nil {
		return err
	}
	if _, err := e.sessions.End(w, r); err != nil {
		return err
	}
	if session != nil {
		e.log("logged out", r, session.User, zap.String("credential", session.ID))
	}
	if _, form := data.Form(csrfField); forPerson(r, form) {
		return redirect(w, http.StatusSeeOther, or(e.next(r, data), or(e.LogoutRedirectURL, e.path(r, logoutPath))))
	}
	return writeState(w, r, nil, e.sessions.CSRF().Token(w, r))
}
