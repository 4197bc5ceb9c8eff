// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"net/http"
	"net/url"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/oidclogin"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/page"
	sessions "github.com/caddy-rest-auth/caddy-rest-auth/internal/session"
)

var errNotFound = drf.Detail(http.StatusNotFound, "Not found.")

// showLogin leads to the provider, or lets people choose among several.
func (e *Endpoint) showLogin(w http.ResponseWriter, r *http.Request, _ *auth.Identity) error {
	session, err := e.current(r)
	if err != nil {
		return err
	}
	next := nextOf(r)
	if wantsJSON(r) {
		return e.writeState(w, r, session)
	}
	// A site that sends people here after the login would have them run in circles.
	to, here := or(next, e.LoginRedirectURL), e.path(r, loginPath)
	if session != nil && e.RedirectAuthenticatedUser && to != here {
		return redirect(w, http.StatusFound, to)
	}
	if len(e.Providers) == 1 && (session == nil || to != here) {
		return e.begin(w, r, e.Providers[0])
	}
	view := loginView{}
	if session != nil {
		view.User = session.User.ID
	}
	for _, p := range e.Providers {
		view.Providers = append(view.Providers, providerView{p.Label, e.beginPath(r, p, next)})
	}
	return e.pages.Write(w, page.View{Name: "login", Title: "Log in", Data: view})
}

// login leads to the provider of the path.
func (e *Endpoint) login(w http.ResponseWriter, r *http.Request, _ *auth.Identity) error {
	p := e.provider(r.PathValue("provider"))
	if p == nil {
		return errNotFound
	}
	return e.begin(w, r, p)
}

// begin leads to a provider. All that is to be remembered of it the browser
// keeps.
func (e *Endpoint) begin(w http.ResponseWriter, r *http.Request, p *oidclogin.Provider) error {
	attempt := oidclogin.NewAttempt(time.Now(), e.absolute(r, callbackPath+p.Name+"/"), nextOf(r))
	location, err := p.Begin(r.Context(), attempt)
	if err != nil {
		return err
	}
	if r.Method == http.MethodHead {
		return redirect(w, http.StatusFound, location)
	}
	if err := e.jar(loginKind).Put(w, r, e.secure(r), p.Name, attempt); err != nil {
		return err
	}
	if wantsJSON(r) {
		return drf.Write(w, r, http.StatusOK, drf.Object{{Name: "location", Value: location}})
	}
	return redirect(w, http.StatusFound, location)
}

// Kinds of attempts, so that one is not taken for another.
const (
	loginKind  = "login"
	logoutKind = "logout"
)

// beginPath returns where a login at a provider begins.
func (e *Endpoint) beginPath(r *http.Request, p *oidclogin.Provider, next string) string {
	path := e.path(r, loginPath+p.Name+"/")
	if next != "" {
		path += "?" + url.Values{sessions.NextField: {next}}.Encode()
	}
	return path
}

// nextOf returns where somebody was on the way to, or the empty string.
func nextOf(r *http.Request) string {
	return sessions.SafeNext(r.URL.Query().Get(sessions.NextField))
}

// wantsJSON reports whether the answer is for a program: a navigation of a
// browser names HTML.
func wantsJSON(r *http.Request) bool { return page.WantsJSON(r) && !page.Wanted(r) }

// writeState answers with what JSON says of a browser, and where it can log in.
func (e *Endpoint) writeState(w http.ResponseWriter, r *http.Request, session *sessions.Session) error {
	return drf.Write(w, r, http.StatusOK, e.state(r, session, e.sessions.CSRF().Token(w, r)))
}

func (e *Endpoint) state(r *http.Request, session *sessions.Session, token string) drf.Object {
	providers := make([]drf.Object, 0, len(e.Providers))
	for _, p := range e.Providers {
		providers = append(providers, drf.Object{
			{Name: "name", Value: p.Name}, {Name: "label", Value: p.Label}, {Name: "login_url", Value: e.beginPath(r, p, "")},
		})
	}
	state := drf.Object{
		{Name: "authenticated", Value: session != nil},
		{Name: "username", Value: nil},
		{Name: "session", Value: nil},
		{Name: "expires", Value: nil},
		{Name: "csrf_token", Value: token},
		{Name: "providers", Value: providers},
	}
	if session != nil {
		state[1].Value, state[2].Value = session.User.ID, session.ID
		if !session.Expires.IsZero() {
			state[3].Value = drf.Timestamp(session.Expires)
		}
	}
	return state
}

func redirect(w http.ResponseWriter, status int, location string) error {
	w.Header().Set("Location", location)
	w.WriteHeader(status)
	return nil
}
