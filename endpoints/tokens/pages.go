// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package tokens

import (
	_ "embed"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/endpoints"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/csrf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/page"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

//go:embed pages.html
var pages string

// What the pages are executed with. Templates of sites know these names:
// docs/endpoints/tokens.md lists them.
type (
	listView struct {
		CSRFField, CSRFToken string
		User                 string
		Error                string // about the form as a whole
		Tokens               []tokenView
		More                 string // address of the next page, or empty
		Path, RevokeAll      string

		// The form, as it was filled in.
		Label, LabelError, ScopesError, TTLError string
		Scopes                                   []scopeView
		TTLs                                     []ttlView
	}

	tokenView struct {
		Handle, Label              string
		Scopes                     []string
		Created, Expires, LastUsed time.Time
		Expired                    bool
		Revoke, Rotate             string // addresses of the forms
	}

	scopeView struct {
		Name    string
		Checked bool
	}

	ttlView struct {
		Seconds  int64 // 0: it does not end
		Name     string
		Selected bool
	}

	secretView struct {
		Secret, Path string
		Rotated      bool
		Previous     time.Time // until when the old one is accepted, or zero
	}

	messageView struct{ Text, Path string }
)

// samples are examples of every page, by which a site's template is tried out.
var samples = map[string]any{
	"tokens": listView{
		Error: "Error", LabelError: "Error", ScopesError: "Error", TTLError: "Error", More: "?cursor=x",
		Tokens: []tokenView{{Label: "x", Scopes: []string{"x"}, Expired: true}, {Handle: "x"}},
		Scopes: []scopeView{{Name: "x", Checked: true}}, TTLs: []ttlView{{Name: "x", Selected: true}},
	},
	"secret":  secretView{Secret: "x", Rotated: true, Previous: time.Unix(1, 0)},
	"message": messageView{Text: "Text"},
}

// showList answers with the page of the caller's tokens, and the form for a new
// one as it was filled in.
func (e *Endpoint) showList(w http.ResponseWriter, r *http.Request, id *auth.Identity, status int, view listView) error {
	cursor := r.URL.Query().Get("cursor")
	page1, next, err := e.issuer.Store().List(r.Context(), mine(id), cursor, pageSize)
	if errors.Is(err, tokenstore.ErrCursor) {
		return drf.Detail(http.StatusNotFound, "There is no such page of tokens.")
	}
	if err != nil {
		return &auth.Unavailable{Err: err}
	}
	base := endpoints.Base(r, e.at)
	now := e.now()
	for i := range page1 {
		record := &page1[i]
		view.Tokens = append(view.Tokens, tokenView{
			Handle: record.ID, Label: record.Label, Scopes: record.Scopes,
			Created: record.Created, Expires: record.Expires, LastUsed: record.LastUsed,
			Expired: !record.Expires.IsZero() && !record.Expires.After(now),
			Revoke:  base + record.ID + "/revoke/", Rotate: base + record.ID + "/rotate/",
		})
	}
	if next != "" {
		view.More = base + "?" + url.Values{"cursor": {next}}.Encode()
	}
	view.Path, view.RevokeAll, view.User = base, base+"revoke/", id.ID
	view.CSRFField, view.CSRFToken = csrf.Field, e.sessions.CSRF().Token(w, r)
	if view.Scopes == nil {
		view.Scopes = e.scopeViews(nil)
	}
	if view.TTLs == nil {
		view.TTLs = e.ttlViews(int64(time.Duration(e.DefaultTTL) / time.Second))
	}
	return e.pages.Write(w, page.View{Status: status, Name: "tokens", Title: "Access tokens", Data: view})
}

func (e *Endpoint) showSecret(w http.ResponseWriter, r *http.Request, view secretView) error {
	view.Path = endpoints.Base(r, e.at)
	return e.pages.Write(w, page.View{Status: http.StatusCreated, Name: "secret", Title: "New token", Data: view})
}

// Refuse tells people why not.
func (e *Endpoint) Refuse(w http.ResponseWriter, r *http.Request, status int, said map[string]any) error {
	text := "The request could not be understood."
	if detail, ok := said["detail"].(string); ok {
		text = detail
	}
	for name, texts := range said {
		if list, ok := texts.([]any); ok && len(list) > 0 {
			if first, ok := list[0].(string); ok {
				text = strings.TrimPrefix(name+": "+first, "non_field_errors: ")
			}
		}
	}
	return e.pages.Write(w, page.View{
		Status: status, Name: "message", Title: http.StatusText(status),
		Data: messageView{Text: text, Path: endpoints.Base(r, e.at)},
	})
}

// Interface guard
var _ endpoints.Refuser = (*Endpoint)(nil)
