// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const issuer = "https://id.example.com"

// loginAt logs a browser in at a provider and returns its session.
func (f *fixture) loginAt(user *auth.Identity, login Login) *Session {
	f.t.Helper()
	r := httptest.NewRequest(http.MethodGet, "http://example.com/", nil)
	session, err := f.StartAt(httptest.NewRecorder(), r, user, true, login)
	if err != nil {
		f.t.Fatal(err)
	}
	return session
}

func TestManager_EndLogins(t *testing.T) {
	f := newFixture(t, Settings{})
	stored, err := f.store.PutUser(t.Context(), tokenstore.User{Name: "dora", Active: true})
	if err != nil {
		t.Fatal(err)
	}
	dora := &auth.Identity{ID: "dora", Key: stored.Key, Source: "store"}
	at := func(issuer, subject, sid string) string {
		return f.loginAt(dora, Login{Provider: "corp", Issuer: issuer, Subject: subject, SID: sid, Hint: []byte("sealed")}).ID
	}
	live := func() map[string]bool {
		listed, _, err := f.List(t.Context(), stored.Key, "", 100)
		if err != nil {
			t.Fatal(err)
		}
		ids := make(map[string]bool)
		for _, session := range listed {
			if session.Login == nil || session.Login.Provider != "corp" || string(session.Login.Hint) != "sealed" {
				t.Errorf("a session says %+v of its login", session.Login)
			}
			ids[session.ID] = true
		}
		return ids
	}
	a, b, c := at(issuer, "1", "s1"), at(issuer, "1", "s2"), at(issuer, "1", "s3")
	other, elsewhere := at(issuer, "2", "s1"), at("https://other.example", "1", "s1")
	for _, step := range []struct {
		issuer, subject, sid string
		ended                int
		gone                 string
	}{
		{issuer, "1", "none", 0, ""},
		{issuer, "3", "", 0, ""},
		{"https://third.example", "1", "s1", 0, ""},
		{issuer, "1", "s1", 1, a},
		{issuer, "", "s2", 1, b},
		{issuer, "1", "", 1, c},
	} {
		ended, err := f.EndLogins(t.Context(), step.issuer, step.subject, step.sid)
		if ended != step.ended || err != nil {
			t.Errorf("ending %+v: %d, %v", step, ended, err)
		}
		if now := live(); now[step.gone] || !now[other] || !now[elsewhere] {
			t.Errorf("after %+v there are %v", step, now)
		}
	}
	if _, err := f.EndLogins(t.Context(), issuer, "", ""); err == nil {
		t.Error("nobody in particular is logged out")
	}
	// While all sessions are looked at, nobody else does that, and whoever names a
	// subject need not wait.
	f.scans <- struct{}{}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.EndLogins(ended, issuer, "", "s1"); !isUnavailable(err) {
		t.Errorf("all sessions are looked at twice at once: %v", err)
	}
	if _, err := f.EndLogins(t.Context(), issuer, "1", "s1"); err != nil {
		t.Errorf("a subject waits for others: %v", err)
	}
	<-f.scans
	f.store.err = tokenstore.ErrUnavailable
	for _, sid := range []string{"", "s1"} {
		if _, err := f.EndLogins(t.Context(), issuer, "1", sid); !isUnavailable(err) {
			t.Errorf("without a store: %v", err)
		}
	}
}

// TestManager_StartAt has what a provider says of a user hold for its session.
func TestManager_StartAt(t *testing.T) {
	f := newFixture(t, Settings{})
	stored, err := f.store.PutUser(t.Context(), tokenstore.User{Name: "dora", Active: true, Groups: []string{"b"}})
	if err != nil {
		t.Fatal(err)
	}
	dora := &auth.Identity{ID: "dora", Key: stored.Key, Source: "store", Groups: []string{"b"}}
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "http://example.com/", nil)
	login := Login{Provider: "corp", Issuer: issuer, Subject: "1", Staff: true, Groups: []string{"a", "b"}, Permissions: []string{"x.y"}, Hint: make([]byte, 20<<10)}
	if _, err := f.StartAt(w, r, dora, true, login); err != nil {
		t.Fatal(err)
	}
	again := httptest.NewRequest(http.MethodGet, "http://example.com/", nil)
	for _, c := range w.Result().Cookies() {
		again.AddCookie(c)
	}
	session, err := f.Of(again)
	if err != nil {
		t.Fatal(err)
	}
	if id := session.User; !id.Staff || id.Superuser || !slices.Equal(id.Groups, []string{"a", "b"}) || !id.HasPermission("x.y") || session.Login.Hint != nil {
		t.Errorf("the session is %+v of %+v", session, id)
	}
	login.Groups = []string{strings.Repeat("g", 20<<10)}
	if _, err := f.StartAt(httptest.NewRecorder(), r, dora, true, login); err == nil {
		t.Error("a session has more groups than a record has room for")
	}
	// Another password ends it, as all sessions of the user.
	stored.PasswordHash = hash
	if _, err := f.store.PutUser(t.Context(), stored); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Of(again); !errors.Is(err, auth.ErrNoCredentials) {
		t.Errorf("after a change of the password: %v", err)
	}
}
