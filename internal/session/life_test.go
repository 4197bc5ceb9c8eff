// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// TestManager_touch uses a session every ten seconds for an hour.
func TestManager_touch(t *testing.T) {
	f := newFixture(t, Settings{})
	_, alice := f.user("alice")
	_, cookie := f.start(alice)
	for range 360 {
		f.at = f.at.Add(10 * time.Second)
		if !f.alive(cookie) {
			t.Fatal("not alive")
		}
	}
	if f.store.touches != 60 {
		t.Errorf("%d touches in an hour, want 60", f.store.touches)
	}
	if s, err := f.Of(request(cookie)); err != nil || !s.Expires.Equal(s.Created.Add(1209600*time.Second)) || !s.LastUsed.Equal(f.at) {
		t.Errorf("%+v, %v: used since %v, and nothing slides", s, err, f.at)
	}
	f.at = f.at.Add(time.Minute)
	f.store.touches = 0
	f.store.Store = failingTouch{f.store.Store}
	if !f.alive(cookie) {
		t.Error("a session depends on remembering its use")
	}
}

type failingTouch struct{ tokenstore.Store }

func (failingTouch) Touch(context.Context, []byte, time.Time, time.Time) error {
	return tokenstore.ErrUnavailable
}

// TestManager_idle keeps a session alive by use, until its absolute end.
func TestManager_idle(t *testing.T) {
	f := newFixture(t, Settings{IdleTimeout: duration(30 * time.Minute), AbsoluteTimeout: duration(8 * time.Hour)})
	_, alice := f.user("alice")
	began := f.at
	_, cookie := f.start(alice)
	for f.at = f.at.Add(25 * time.Minute); f.at.Before(began.Add(8 * time.Hour)); f.at = f.at.Add(25 * time.Minute) {
		if !f.alive(cookie) {
			t.Fatalf("not alive %v after the login", f.at.Sub(began))
		}
	}
	f.at = began.Add(8*time.Hour - time.Second)
	if !f.alive(cookie) {
		t.Error("ended before its time")
	}
	f.at = began.Add(8 * time.Hour)
	if f.alive(cookie) {
		t.Error("alive after its absolute end")
	}
	_, cookie = f.start(alice)
	f.at = f.at.Add(30 * time.Minute)
	if f.alive(cookie) {
		t.Error("alive although it was idle")
	}
}

// TestManager_idle_cookie has the browser keep a session that lives as long as it
// is used.
func TestManager_idle_cookie(t *testing.T) {
	for name, test := range map[string]struct {
		settings Settings
		age      int
	}{
		"idle":               {Settings{IdleTimeout: duration(30 * time.Minute)}, 1209600},
		"idle, and absolute": {Settings{IdleTimeout: duration(30 * time.Minute), AbsoluteTimeout: duration(8 * time.Hour)}, 8 * 3600},
		"idle, and slides":   {Settings{IdleTimeout: duration(30 * time.Minute), SaveEveryRequest: yes(), CookieAge: duration(time.Hour)}, 3600},
	} {
		f := newFixture(t, test.settings)
		_, alice := f.user("alice")
		w := httptest.NewRecorder()
		if _, err := f.Start(w, request(), alice, true); err != nil {
			t.Fatal(err)
		}
		cookie := w.Result().Cookies()[0]
		if cookie.MaxAge != test.age {
			t.Errorf("%s: the browser keeps it for %d seconds, want %d", name, cookie.MaxAge, test.age)
		}
		f.at = f.at.Add(20 * time.Minute)
		r := request(cookie.Name + "=" + cookie.Value)
		id, err := f.Authenticate(r)
		if err != nil {
			t.Fatal(err)
		}
		again := httptest.NewRecorder()
		f.Respond(again, r, id)
		if told := again.Result().Cookies(); f.slides() != (len(told) == 1) || len(told) == 1 && told[0].MaxAge != test.age {
			t.Errorf("%s: after use the browser is told %v", name, told)
		}
	}
}

// TestManager_slides begins the age anew with the use of a session, and tells
// the browser, at most once a minute.
func TestManager_slides(t *testing.T) {
	f := newFixture(t, Settings{SaveEveryRequest: yes(), CookieAge: duration(time.Hour)})
	_, alice := f.user("alice")
	_, cookie := f.start(alice)
	use := func() (age int, told bool) {
		t.Helper()
		r, w := request(cookie), httptest.NewRecorder()
		id, err := f.Authenticate(r)
		if err != nil {
			t.Fatal(err)
		}
		if want := f.at.Add(time.Hour); id.Expires.After(want) || id.Expires.Before(want.Add(-time.Minute)) {
			t.Errorf("expires at %v, want %v", id.Expires, want)
		}
		f.Respond(w, r, id)
		f.Respond(w, r, id) // of another handler of the request
		cookies := w.Result().Cookies()
		if len(cookies) == 0 {
			return 0, false
		}
		if got := w.Header()["Cache-Control"]; len(got) != 1 || got[0] != "private" {
			t.Errorf("Cache-Control %q beside a cookie", got)
		}
		if len(cookies) > 1 || cookies[0].Name+"="+cookies[0].Value != cookie {
			t.Errorf("cookies %v", cookies)
		}
		return cookies[0].MaxAge, true
	}
	for range 5 {
		f.at = f.at.Add(59 * time.Second)
		if _, told := use(); told {
			t.Fatal("told before a minute")
		}
		f.at = f.at.Add(50 * time.Minute)
		if age, told := use(); !told || age != 3600 {
			t.Fatalf("age %d, %v", age, told)
		}
	}
	// One that ends with the browser lives on, and its cookie stays what it is.
	w := httptest.NewRecorder()
	if _, err := f.Start(w, request(), alice, false); err != nil {
		t.Fatal(err)
	}
	c := w.Result().Cookies()[0]
	cookie = c.Name + "=" + c.Value
	f.at = f.at.Add(50 * time.Minute)
	if _, told := use(); told {
		t.Error("a cookie that ends with the browser is given an age")
	}
	f.at = f.at.Add(50 * time.Minute)
	if !f.alive(cookie) {
		t.Error("ended though it was used")
	}
	f.at = f.at.Add(2 * time.Minute)
	r := request(cookie)
	r = r.WithContext(auth.WithDryRun(r.Context()))
	id, err := f.Authenticate(r)
	if err != nil {
		t.Fatal(err)
	}
	w = httptest.NewRecorder()
	if f.Respond(w, r, id); len(w.Header()["Set-Cookie"]) > 0 {
		t.Error("a dry run sets a cookie")
	}
}

func TestManager_lists(t *testing.T) {
	f := newFixture(t, Settings{})
	stored, alice := f.user("alice")
	other, bob := f.user("bob")
	_, bobs := f.start(bob)
	var sessions []*Session
	var cookies []string
	for range 5 {
		f.at = f.at.Add(time.Second)
		s, cookie := f.start(alice)
		sessions, cookies = append(sessions, s), append(cookies, cookie)
	}
	var listed []string
	for cursor := ""; ; {
		page, next, err := f.List(t.Context(), stored.Key, cursor, 2)
		if err != nil || len(page) > 2 {
			t.Fatalf("List = %v, %v", page, err)
		}
		for _, s := range page {
			if s.User != nil || s.Address != "192.0.2.1" {
				t.Errorf("listed %+v", s)
			}
			listed = append(listed, s.ID)
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	var want []string
	for _, s := range sessions {
		want = append(want, s.ID)
	}
	if fmt.Sprint(listed) != fmt.Sprint(want) {
		t.Errorf("listed %v, want %v", listed, want)
	}
	if ok, err := f.EndOne(t.Context(), other.Key, sessions[0].ID); ok || err != nil || !f.alive(cookies[0]) {
		t.Errorf("bob ends alice's session: %v, %v", ok, err)
	}
	if ok, err := f.EndOne(t.Context(), stored.Key, sessions[0].ID); !ok || err != nil || f.alive(cookies[0]) {
		t.Errorf("EndOne = %v, %v", ok, err)
	}
	if ok, err := f.EndOne(t.Context(), stored.Key, sessions[0].ID); ok || err != nil {
		t.Errorf("EndOne again = %v, %v", ok, err)
	}
	if n, err := f.EndAll(t.Context(), stored.Key, sessions[2].ID); n != 3 || err != nil || !f.alive(cookies[2]) || f.alive(cookies[4]) {
		t.Errorf("EndAll but one = %d, %v", n, err)
	}
	if n, err := f.EndAll(t.Context(), stored.Key, sessions[2].ID); n != 0 || err != nil {
		t.Errorf("EndAll but the only one = %d, %v", n, err)
	}
	if n, err := f.EndAll(t.Context(), stored.Key, ""); n != 1 || err != nil || f.alive(cookies[2]) || !f.alive(bobs) {
		t.Errorf("EndAll = %d, %v", n, err)
	}
	f.at = f.at.Add(1209600 * time.Second)
	if page, _, err := f.List(t.Context(), other.Key, "", 10); len(page) != 0 || err != nil {
		t.Errorf("List of what has ended = %v, %v", page, err)
	}
	// No user is not every user.
	if _, _, err := f.List(t.Context(), "", "", 10); err == nil {
		t.Error("List of nobody")
	}
	if _, err := f.EndAll(t.Context(), "", ""); err == nil {
		t.Error("EndAll of nobody")
	}
	if _, err := f.EndOne(t.Context(), "", "x"); err == nil {
		t.Error("EndOne of nobody")
	}
	f.store.err = tokenstore.ErrUnavailable
	if _, _, err := f.List(t.Context(), stored.Key, "", 10); !isUnavailable(err) {
		t.Errorf("List, store down: %v", err)
	}
	for _, except := range []string{"", "x"} {
		if n, err := f.EndAll(t.Context(), stored.Key, except); n != 0 || !isUnavailable(err) {
			t.Errorf("EndAll, store down: %d, %v", n, err)
		}
	}
	if ok, err := f.EndOne(t.Context(), stored.Key, "x"); ok || !isUnavailable(err) {
		t.Errorf("EndOne, store down: %v, %v", ok, err)
	}
}
