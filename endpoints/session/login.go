// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"errors"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/endpoints"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/page"
	sessions "github.com/caddy-rest-auth/caddy-rest-auth/internal/session"
)

// textWrong is that of Django's login form, one for all that keeps somebody from
// logging in, so that nobody learns which names there are.
const textWrong = "Please enter a correct username and password. Note that both fields may be case-sensitive."

// entered is what somebody wrote into the form.
type entered struct {
	username, password string
	remember, asked    bool // what it says, if it says so, of keeping the session
}

// forPerson reports whether the answer to a good request is for a person: a
// browser says that it takes HTML, and a form that does not ask for JSON is one
// of a page, too.
func forPerson(r *http.Request, form bool) bool {
	return page.Wanted(r) || form && !page.WantsJSON(r)
}

func (e *Endpoint) showLogin(w http.ResponseWriter, r *http.Request, _ *auth.Identity) error {
	session, err := e.current(r)
	if err != nil {
		return err
	}
	if !page.Wanted(r) {
		return writeState(w, r, session, e.sessions.CSRF().Token(w, r))
	}
	next := e.next(r, nil)
	// A site that sends people here after the login would have them run in circles.
	if to := or(next, e.LoginRedirectURL); session != nil && e.RedirectAuthenticatedUser && to != e.path(r, loginPath) {
		return redirect(w, http.StatusFound, to)
	}
	view := loginView{Next: next, Remember: e.sessions.Remembers()}
	if session != nil {
		view.User = session.User.ID
	}
	return e.writeLogin(w, r, http.StatusOK, view)
}

// login starts a session. The CSRF check comes first, as Django's: otherwise
// another site could log people in as a user of its own, who then leave there
// what they enter here.
func (e *Endpoint) login(w http.ResponseWriter, r *http.Request, _ *auth.Identity) error {
	if err := e.sessions.CSRF().Check(r); err != nil {
		return err
	}
	data, err := drf.Decode(r)
	if err != nil {
		return err
	}
	in, err := read(data)
	if err != nil {
		return err
	}
	user, err := e.users.Authenticate(r.Context(), in.username, in.password)
	if err != nil {
		return wrong(err)
	}
	remember := e.sessions.Remembers()
	if e.RememberMe && in.asked {
		remember = in.remember
	}
	session, err := e.sessions.Start(w, r, user, remember)
	if err != nil {
		return wrong(err)
	}
	e.log("logged in", r, session.User, zap.String("credential", session.ID))
	if forPerson(r, isForm(data)) {
		return redirect(w, http.StatusSeeOther, or(e.next(r, data), e.LoginRedirectURL))
	}
	// Token would take the secret of before the login from the request.
	return writeState(w, r, session, e.sessions.CSRF().Rotate(w, r))
}

// wrong is the one answer to whatever keeps somebody from logging in who may
// try.
func wrong(err error) error {
	if failure, ok := errors.AsType[*auth.Failure](err); ok {
		return endpoints.Failed(drf.NonField(textWrong), failure)
	}
	return err
}

// read reads a login. The form of the page and JSON have the same names.
func read(data *drf.Data) (in entered, err error) {
	values, err := data.Read(
		drf.Field{Name: "username"},
		drf.Field{Name: "password", KeepSpace: true},
		drf.Field{Name: "remember", Type: drf.Boolean, Optional: true},
	)
	if err != nil {
		return in, err
	}
	in.username, in.password = values.String("username"), values.String("password")
	in.remember, in.asked = values.Bool("remember"), values.Has("remember")
	return in, nil
}

// isForm reports whether the body was one of an HTML form.
func isForm(data *drf.Data) bool {
	_, ok := data.Form("username")
	return ok
}

// next returns where somebody was on the way to, which the form says, or else
// the query.
func (e *Endpoint) next(r *http.Request, data *drf.Data) string {
	if data != nil {
		if next, ok := data.Form(sessions.NextField); ok {
			return sessions.SafeNext(next)
		}
	}
	return sessions.SafeNext(r.URL.Query().Get(sessions.NextField))
}

func or(text, otherwise string) string {
	if text != "" {
		return text
	}
	return otherwise
}

// writeState answers with what JSON says of a browser.
func writeState(w http.ResponseWriter, r *http.Request, session *sessions.Session, token string) error {
	state := drf.Object{
		{Name: "authenticated", Value: session != nil},
		{Name: "username", Value: nil},
		{Name: "session", Value: nil},
		{Name: "expires", Value: nil},
		{Name: "csrf_token", Value: token},
	}
	if session != nil {
		state[1].Value, state[2].Value = session.User.ID, session.ID
		state[3].Value = timestamp(session.Expires)
	}
	return drf.Write(w, r, http.StatusOK, state)
}

// timestamp returns a time as JSON, or null for none.
func timestamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return drf.Timestamp(t)
}

func redirect(w http.ResponseWriter, status int, location string) error {
	w.Header().Set("Location", location)
	w.WriteHeader(status)
	return nil
}
