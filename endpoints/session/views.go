// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/endpoints"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/csrf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/page"
)

// csrfField is the name of the form field that has the token.
const csrfField = csrf.Field

// csrfPrefix begins what a program is told of a refusal for want of a token.
const csrfPrefix = "CSRF Failed: "

// What the pages are executed with. Templates of sites know these names:
// docs/endpoints/session.md lists them.
type (
	loginView struct {
		CSRFField, CSRFToken string

		// Error is about the form as a whole; the others are about a field.
		Error, UsernameError, PasswordError string

		Username string // as it was entered
		Next     string // where to go on, or empty
		User     string // who is logged in already, or empty

		// RememberMe says whether to ask, and Remember what to suggest.
		RememberMe, Remember bool

		// Logins are the other ways to log in that this site has.
		Logins []linkView
	}

	linkView struct {
		Label, Path string
	}

	logoutView struct {
		CSRFField, CSRFToken string
		Error                string
		User                 string // who is logged in, or empty
		Next                 string
		Login                string // path of the login page
	}

	sessionsView struct {
		CSRFField, CSRFToken string
		User                 string // whose they are
		Own                  bool   // they are those of who asks
		Sessions             []sessionView
		More                 string // address of the next page, or empty
		Path                 string // of the page
		Logout               string // path of the logout page
	}

	sessionView struct {
		ID                         string
		Current                    bool
		Device                     string // as "Chromium on Linux"
		Agent, Address             string
		Created, LastUsed, Expires time.Time
		End                        string // address of the form that ends it
	}

	messageView struct {
		Text, Login string
	}
)

// samples are examples of every page, by which a site's template is tried out.
var samples = map[string]any{
	"login": loginView{
		Error: "Error", UsernameError: "Error", PasswordError: "Error", Username: "alice", Next: "/", User: "alice", RememberMe: true,
		Logins: []linkView{{"Example", "/login/example/"}},
	},
	"logout": logoutView{Error: "Error", User: "alice", Next: "/", Login: "/login/"},
	"sessions": sessionsView{User: "alice", More: "?cursor=x", Sessions: []sessionView{
		{Current: true, Device: "Firefox on Linux"},
		{Address: "192.0.2.1", Agent: "x"},
	}},
	"message": messageView{Text: "Text", Login: "/login/"},
}

func (e *Endpoint) writeLogin(w http.ResponseWriter, r *http.Request, status int, view loginView) error {
	view.CSRFField, view.CSRFToken = csrfField, e.sessions.CSRF().Token(w, r)
	view.RememberMe = e.RememberMe
	for _, link := range e.logins {
		path := endpoints.Base(r, endpoints.Mount{Path: link.Path})
		if view.Next != "" {
			path = withNext(path, view.Next)
		}
		view.Logins = append(view.Logins, linkView{link.Label, path})
	}
	return e.pages.Write(w, page.View{Status: status, Name: "login", Title: "Log in", Data: view})
}

func (e *Endpoint) writeLogout(w http.ResponseWriter, r *http.Request, status int, view logoutView) error {
	title := "Logged out"
	if view.User != "" {
		title = "Log out"
		view.CSRFField, view.CSRFToken = csrfField, e.sessions.CSRF().Token(w, r)
	}
	// Where people come after a logout may be closed to them, and lead on to the
	// login at a provider.
	return e.pages.Write(w, page.View{Status: status, Name: "logout", Title: title, Data: view, Leads: true})
}

// path returns one of our paths as the client knows it.
func (e *Endpoint) path(r *http.Request, path string) string { return endpoints.Base(r, e.at) + path }

// Refuse tells people why not. What they can try again is the same form.
func (e *Endpoint) Refuse(w http.ResponseWriter, r *http.Request, status int, said map[string]any) error {
	text := explained(status, said, w.Header().Get("Retry-After"))
	switch asked := strings.TrimPrefix(path.Clean(r.URL.Path)+"/", e.at.Path); {
	case r.Method == http.MethodPost && asked == loginPath:
		return e.refuseLogin(w, r, status, said, text)
	case r.Method == http.MethodPost && asked == logoutPath:
		view := logoutView{Error: text, Login: e.path(r, loginPath), Next: e.next(r, formOf(r))}
		if session, err := e.current(r); err == nil && session != nil {
			view.User = session.User.ID
			return e.writeLogout(w, r, status, view)
		}
	}
	view := messageView{Text: text}
	if status < http.StatusInternalServerError && status != http.StatusTooManyRequests {
		view.Login = e.path(r, loginPath)
	}
	return e.pages.Write(w, page.View{Status: status, Name: "message", Title: titleOf(status), Data: view})
}

func (e *Endpoint) refuseLogin(w http.ResponseWriter, r *http.Request, status int, said map[string]any, text string) error {
	data := formOf(r)
	view := loginView{Error: text, Next: e.next(r, data), Remember: e.sessions.Remembers()}
	if data != nil {
		var sent bool
		if view.Username, sent = data.Form("username"); sent {
			remember, _ := data.Form("remember")
			view.Remember = remember != ""
		}
	}
	if said["username"] != nil || said["password"] != nil {
		view.Error, view.UsernameError, view.PasswordError = "", first(said["username"]), first(said["password"])
	}
	return e.writeLogin(w, r, status, view)
}

// formOf returns the form that was sent, or nil.
func formOf(r *http.Request) *drf.Data {
	data, err := drf.Decode(r)
	if err != nil {
		return nil
	}
	return data
}

// explained returns what people are told.
func explained(status int, said map[string]any, retryAfter string) string {
	if text := first(said["non_field_errors"]); text != "" {
		return text
	}
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
	if err != nil || seconds < 1 {
		return "later"
	}
	n, unit := seconds, "second"
	switch {
	case seconds > 2*3600:
		n, unit = (seconds+3599)/3600, "hour"
	case seconds > 2*60:
		n, unit = (seconds+59)/60, "minute"
	}
	if n != 1 {
		unit += "s"
	}
	return "in " + strconv.Itoa(n) + " " + unit
}

func titleOf(status int) string {
	switch status {
	case http.StatusForbidden, http.StatusUnauthorized:
		return "No access"
	case http.StatusNotFound:
		return "Not found"
	case http.StatusTooManyRequests:
		return "Please wait"
	}
	return "Something went wrong"
}

// first returns the first error of a field.
func first(texts any) string {
	list, _ := texts.([]any)
	if len(list) == 0 {
		return ""
	}
	text, _ := list[0].(string)
	return text
}
