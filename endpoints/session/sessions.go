// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/endpoints"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/page"
	sessions "github.com/caddy-rest-auth/caddy-rest-auth/internal/session"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// pageSize is how many sessions one answer lists.
const pageSize = 100

var errNotFound = drf.Detail(http.StatusNotFound, "Not found.")

// A holder is the user whose sessions somebody asks for.
type holder struct {
	key, name string
	own       bool
}

// holder returns whose sessions the request is about: the caller's own, or
// those of the user that `?user=` names, which staff alone may ask for.
func (e *Endpoint) holder(r *http.Request, id *auth.Identity) (holder, error) {
	switch name := r.URL.Query().Get("user"); {
	case !id.Authenticated():
		return holder{}, auth.ErrNoCredentials
	case !id.HasUser():
		return holder{}, &auth.Denial{}
	case name == "" || name == id.ID:
		return holder{id.Key, id.ID, true}, nil
	case !id.Staff && !id.Superuser:
		return holder{}, &auth.Denial{}
	default:
		name = users.Canonical(name)
		key, err := e.keyOf(r.Context(), name)
		return holder{key, name, false}, err
	}
}

func (e *Endpoint) keyOf(ctx context.Context, name string) (string, error) {
	if e.users.Configured(name) {
		return users.SourceConfig + ":" + name, nil
	}
	user, err := e.store.UserByName(ctx, name)
	switch {
	case errors.Is(err, tokenstore.ErrNotFound):
		return "", errNotFound
	case err != nil:
		return "", &auth.Unavailable{Err: err}
	}
	return user.Key, nil
}

func (e *Endpoint) list(w http.ResponseWriter, r *http.Request, id *auth.Identity) error {
	of, err := e.holder(r, id)
	if errors.Is(err, auth.ErrNoCredentials) && page.Wanted(r) {
		login := or(e.sessions.Settings().LoginURL, e.path(r, loginPath))
		return redirect(w, http.StatusFound, withNext(login, e.path(r, sessionsPath)))
	}
	if err != nil {
		return err
	}
	listed, next, err := e.sessions.List(r.Context(), of.key, r.URL.Query().Get("cursor"), pageSize)
	switch {
	case errors.Is(err, tokenstore.ErrCursor):
		return drf.Detail(http.StatusNotFound, "Invalid cursor")
	case err != nil:
		return err
	case page.Wanted(r):
		return e.writeSessions(w, r, of, listed, next, id)
	}
	items := make([]drf.Object, 0, len(listed))
	for _, s := range listed {
		items = append(items, drf.Object{
			{Name: "handle", Value: s.ID},
			{Name: "current", Value: isCurrent(s, id)},
			{Name: "created", Value: timestamp(s.Created)},
			{Name: "last_used", Value: timestamp(s.LastUsed)},
			{Name: "expires", Value: timestamp(s.Expires)},
			{Name: "remember", Value: s.Remember},
			{Name: "address", Value: s.Address},
			{Name: "user_agent", Value: s.Agent},
		})
	}
	var more any
	if next != "" {
		more = next
	}
	return drf.Write(w, r, http.StatusOK, drf.Object{{Name: "sessions", Value: items}, {Name: "next", Value: more}})
}

func isCurrent(s *sessions.Session, id *auth.Identity) bool {
	return id.Method == sessions.Method && id.Credential == s.ID
}

// withNext adds to the address of a login page where to go on.
func withNext(login, next string) string {
	u, err := url.Parse(login)
	if err != nil {
		return login
	}
	query := u.Query()
	query.Set(sessions.NextField, next)
	u.RawQuery = query.Encode()
	return u.String()
}

func (e *Endpoint) writeSessions(w http.ResponseWriter, r *http.Request, of holder, listed []*sessions.Session, next string, id *auth.Identity) error {
	of.name = or(of.name, id.ID)
	path := e.path(r, sessionsPath)
	query := url.Values{}
	if !of.own {
		query.Set("user", of.name)
	}
	view := sessionsView{
		CSRFField: csrfField, CSRFToken: e.sessions.CSRF().Token(w, r),
		User: of.name, Own: of.own, Path: withQuery(path, query), Logout: e.path(r, logoutPath),
	}
	for _, s := range listed {
		view.Sessions = append(view.Sessions, sessionView{
			ID: s.ID, Current: isCurrent(s, id), Device: device(s.Agent), Agent: s.Agent, Address: s.Address,
			Created: s.Created, LastUsed: s.LastUsed, Expires: s.Expires, End: withQuery(path+s.ID+"/", query),
		})
	}
	// The newest tell people most; their own goes before them.
	slices.Reverse(view.Sessions)
	slices.SortStableFunc(view.Sessions, func(a, b sessionView) int {
		switch {
		case a.Current == b.Current:
			return 0
		case a.Current:
			return -1
		}
		return 1
	})
	if next != "" {
		query.Set("cursor", next)
		view.More = withQuery(path, query)
	}
	return e.pages.Write(w, page.View{Name: "sessions", Title: "Sessions", Data: view})
}

func withQuery(path string, query url.Values) string {
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

// fromForm has a request carry a CSRF token whoever the caller is: a browser sends
// a password of Basic along with the forms of any site. DELETE, which no form
// sends, is judged by what authenticates the caller.
func (e *Endpoint) fromForm(action endpoints.Action) endpoints.Action {
	return func(w http.ResponseWriter, r *http.Request, id *auth.Identity) error {
		if id.Authenticated() {
			if err := e.sessions.CSRF().Check(r); err != nil {
				return err
			}
		}
		return action(w, r, id)
	}
}

// end ends one session.
func (e *Endpoint) end(w http.ResponseWriter, r *http.Request, id *auth.Identity) error {
	of, err := e.holder(r, id)
	if err != nil {
		return err
	}
	handle := r.PathValue("id")
	ended, err := e.sessions.EndOne(r.Context(), of.key, handle)
	if err != nil {
		return err
	}
	if !ended {
		return errNotFound
	}
	e.log("session ended", r, id, zap.String("credential", handle), zap.String("of", of.key))
	current := id.Method == sessions.Method && id.Credential == handle
	if current {
		// It is gone already; this has the browser forget its cookie.
		if _, err := e.sessions.End(w, r); err != nil {
			return err
		}
	}
	switch {
	case !page.Wanted(r):
		return drf.Write(w, r, http.StatusNoContent, nil)
	case current:
		return redirect(w, http.StatusSeeOther, e.path(r, logoutPath))
	}
	return e.back(w, r, of)
}

// endOthers ends all sessions of the user but the caller's.
func (e *Endpoint) endOthers(w http.ResponseWriter, r *http.Request, id *auth.Identity) error {
	of, err := e.holder(r, id)
	if err != nil {
		return err
	}
	except := ""
	if id.Method == sessions.Method {
		except = id.Credential
	}
	n, err := e.sessions.EndAll(r.Context(), of.key, except)
	if err != nil {
		return err
	}
	e.log("sessions ended", r, id, zap.Int("ended", n), zap.String("of", of.key))
	if page.Wanted(r) {
		return e.back(w, r, of)
	}
	return drf.Write(w, r, http.StatusOK, drf.Object{{Name: "ended", Value: n}})
}

// back returns from a form to the page that it was on.
func (e *Endpoint) back(w http.ResponseWriter, r *http.Request, of holder) error {
	query := url.Values{}
	if !of.own {
		query.Set("user", of.name)
	}
	return redirect(w, http.StatusSeeOther, withQuery(e.path(r, sessionsPath), query))
}
