// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"context"
	"errors"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/csrf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/oidclogin"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/page"
	sessions "github.com/caddy-rest-auth/caddy-rest-auth/internal/session"
)

// logoutPatience bounds how long a logout waits for a provider that is not
// known yet: the session has ended already.
const logoutPatience = 3 * time.Second

// showLogout asks people whether they want to. A link must not log anybody out:
// any page could have the browser follow it. It is also where providers send
// people back to.
func (e *Endpoint) showLogout(w http.ResponseWriter, r *http.Request, _ *auth.Identity) error {
	if r.URL.Query().Has("state") {
		if next, back := e.comeBack(w, r); back {
			return redirect(w, http.StatusSeeOther, next)
		}
	}
	session, err := e.sessions.Of(r)
	// Somebody else has set cookies here; to say that nobody is logged in would
	// leave the session of whoever was.
	several := errors.Is(err, sessions.ErrAmbiguous) || errors.Is(err, sessions.ErrTooMany)
	if err != nil && !errors.Is(err, auth.ErrNoCredentials) {
		return err
	}
	if wantsJSON(r) {
		return e.writeState(w, r, session)
	}
	view := logoutView{Login: e.path(r, loginPath), Next: nextOf(r)}
	switch {
	case session != nil:
		view.User, view.Provider = session.User.ID, e.labelOf(session)
	case several:
		view.User = "more than one user"
	}
	return e.writeLogout(w, r, http.StatusOK, view)
}

// comeBack returns where somebody goes on to whom a provider has logged out, if
// that was begun by this browser.
func (e *Endpoint) comeBack(w http.ResponseWriter, r *http.Request) (next string, back bool) {
	jar, secure := e.jar(logoutKind), e.secure(r)
	attempt, err := jar.Find(r, secure, "", r.URL.Query().Get("state"))
	if err != nil {
		return "", false
	}
	jar.Forget(w, r, secure, attempt.State)
	return or(attempt.Next, or(e.LogoutRedirectURL, e.path(r, logoutPath))), true
}

// logout ends the session here, and then at the provider that it began at. It
// succeeds for who has none, and never where the store has not said that it is
// gone; a provider that does not answer is in nobody's way.
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
	next := nextOf(r)
	if inForm, ok := data.Form(sessions.NextField); ok {
		next = sessions.SafeNext(inForm)
	}
	there, label := "", ""
	if session != nil {
		e.log("logged out", r, session.User, zap.String("credential", session.ID))
		there, label = e.endThere(w, r, session, next)
	}
	_, form := data.Form(csrf.Field)
	switch {
	case !page.Wanted(r) && (!form || page.WantsJSON(r)):
		state := e.state(r, nil, e.sessions.CSRF().Token(w, r))
		return drf.Write(w, r, http.StatusOK, append(state, drf.Object{{Name: "end_session_url", Value: nullable(there)}}...))
	case there != "":
		// Not a redirection: browsers apply form-action to all that follow, and a
		// provider may send people on to hosts that nobody here knows.
		w.Header().Set("Refresh", "0; url="+there)
		return e.pages.Write(w, page.View{Name: "leaving", Title: "Logged out", Data: leavingView{label, there}})
	}
	return redirect(w, http.StatusSeeOther, or(next, or(e.LogoutRedirectURL, e.path(r, logoutPath))))
}

// endThere returns where the browser goes to be logged out at the provider too,
// or the empty string.
func (e *Endpoint) endThere(w http.ResponseWriter, r *http.Request, session *sessions.Session, next string) (location, label string) {
	if session.Login == nil {
		return "", ""
	}
	p := e.provider(session.Login.Provider)
	if p == nil {
		return "", ""
	}
	ctx, cancel := context.WithTimeout(r.Context(), logoutPatience)
	defer cancel()
	var hint []byte
	if len(session.Login.Hint) > 0 {
		// One that was sealed for another provider of the name is left out.
		hint, _ = e.sealer.Open(ctx, hintPurpose(p), session.Login.Hint)
	}
	attempt := oidclogin.NewAttempt(time.Now(), "", next)
	location, err := p.EndSession(ctx, string(hint), e.absolute(r, logoutPath), attempt.State)
	if err != nil {
		e.logger.Warn("logged out here, and not at the provider", zap.String("provider", p.Name), zap.Error(err))
		return "", ""
	}
	if location == "" {
		return "", ""
	}
	if err := e.jar(logoutKind).Put(w, r, e.secure(r), "", attempt); err != nil {
		return "", ""
	}
	return location, p.Label
}

// labelOf returns what people call the provider that a session began at, if it
// ends there too.
func (e *Endpoint) labelOf(session *sessions.Session) string {
	if session.Login == nil {
		return ""
	}
	if p := e.provider(session.Login.Provider); p != nil {
		return p.Label
	}
	return ""
}

func nullable(text string) any {
	if text == "" {
		return nil
	}
	return text
}
