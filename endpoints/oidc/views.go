// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/csrf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/oidclogin"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/page"
	sessions "github.com/caddy-rest-auth/caddy-rest-auth/internal/session"
)

// csrfPrefix begins what a program is told of a refusal for want of a token.
const csrfPrefix = "CSRF Failed: "

// What the pages are executed with. Templates of sites know these names:
// docs/endpoints/oidc.md lists them.
type (
	loginView struct {
		User      string // who is logged in already, or empty
		Providers []providerView
	}

	providerView struct {
		Label string
		Path  string // where the login begins
	}

	logoutView struct {
		CSRFField, CSRFToken string
		Error                string
		User                 string // who is logged in, or empty
		Provider             string // where the session began, or empty
		Next                 string
		Login                string // path of the login page
	}

	leavingView struct {
		Provider string
		Location string // where the session ends at the provider
	}

	enteredView struct {
		Location string // where to go on
	}

	messageView struct {
		Text, Login string
	}
)

// samples are examples of every page, by which a site's template is tried out.
var samples = map[string]any{
	"login":   loginView{User: "alice", Providers: []providerView{{"Example", "/login/example/"}}},
	"logout":  logoutView{Error: "Error", User: "alice", Provider: "Example", Next: "/", Login: "/login/"},
	"leaving": leavingView{"Example", "https://id.example.com/"},
	"entered": enteredView{"/"},
	"message": messageView{Text: "Text", Login: "/login/"},
}

func (e *Endpoint) writeLogout(w http.ResponseWriter, r *http.Request, status int, view logoutView) error {
	title := "Logged out"
	if view.User != "" {
		title = "Log out"
		view.CSRFField, view.CSRFToken = csrf.Field, e.sessions.CSRF().Token(w, r)
	}
	// Where people come after a logout may be closed to them, and lead on to the
	// login at a provider.
	return e.pages.Write(w, page.View{Status: status, Name: "logout", Title: title, Data: view, Leads: true})
}

// Refuse tells people why not, and what they can try again.
func (e *Endpoint) Refuse(w http.ResponseWriter, r *http.Request, status int, said map[string]any) error {
	text := explained(status, said, w.Header().Get("Retry-After"))
	asked := strings.TrimPrefix(path.Clean(r.URL.Path)+"/", e.at.Path)
	if r.Method == http.MethodPost && asked == logoutPath {
		view := logoutView{Error: text, Login: e.path(r, loginPath), Next: nextOf(r)}
		if data, err := drf.Decode(r); err == nil {
			if next, ok := data.Form(sessions.NextField); ok {
				view.Next = sessions.SafeNext(next)
			}
		}
		if session, err := e.current(r); err == nil && session != nil {
			view.User, view.Provider = session.User.ID, e.labelOf(session)
			return e.writeLogout(w, r, status, view)
		}
	}
	view := messageView{Text: text}
	if status < http.StatusInternalServerError && status != http.StatusTooManyRequests {
		view.Login = e.again(r)
	}
	return e.pages.Write(w, page.View{Status: status, Name: "message", Title: titleOf(status, asked), Data: view})
}

// again returns where the login begins anew that the request was about.
func (e *Endpoint) again(r *http.Request) string {
	next, _ := caddyhttp.GetVar(r.Context(), nextVar).(string)
	if next == "" {
		next = nextOf(r)
	}
	if p := e.provider(r.PathValue("provider")); p != nil {
		return e.beginPath(r, p, next)
	}
	return e.path(r, loginPath)
}

// explained returns what people are told.
func explained(status int, said map[string]any, retryAfter string) string {
	detail, _ := said["detail"].(string)
	switch {
	case status == http.StatusTooManyRequests:
		return "Too many attempts. Please try again " + in(retryAfter) + "."
	case status == http.StatusServiceUnavailable:
		return "This does not work at the moment. Please try again " + in(retryAfter) + "."
	case strings.HasPrefix(detail, csrfPrefix):
		return "The form was out of date, or your browser keeps no cookies. Please try again."
	case detail != "":
		return detail
	}
	return "The request could not be understood."
}

// in returns how long a number of seconds is, in words.
func in(retryAfter string) string {
	seconds, err := strconv.Atoi(retryAfter)
	switch {
	case err != nil || seconds < 1:
		return "later"
	case seconds == 1:
		return "in 1 second"
	case seconds > 2*60:
		return "in " + strconv.Itoa((seconds+59)/60) + " minutes"
	}
	return "in " + strconv.Itoa(seconds) + " seconds"
}

func titleOf(status int, asked string) string {
	switch {
	case status == http.StatusForbidden, status == http.StatusUnauthorized:
		return "No access"
	case status == http.StatusNotFound:
		return "Not found"
	case status == http.StatusTooManyRequests:
		return "Please wait"
	case status < http.StatusInternalServerError && strings.HasPrefix(asked, callbackPath):
		return "Login failed"
	}
	return "Something went wrong"
}

// sessionsKey names a logout token of an issuer, of whatever length both are.
func sessionsKey(logout *oidclogin.Logout) string {
	digest := sha256.Sum256([]byte(logout.Issuer + "\x00" + logout.ID))
	return base64.RawURLEncoding.EncodeToString(digest[:])
}
