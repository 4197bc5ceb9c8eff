// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func TestManager_Start(t *testing.T) {
	f := newFixture(t, Settings{})
	stored, alice := f.user("alice")
	r := request()
	r.Header.Set("User-Agent", "Mozilla\x00\n "+strings.Repeat("é", 200))
	w := httptest.NewRecorder()
	s, err := f.Start(w, r, alice, true)
	if err != nil {
		t.Fatal(err)
	}
	cookies := w.Result().Cookies()
	if len(cookies) != 2 {
		t.Fatalf("cookies %v", cookies)
	}
	session, csrf := cookies[0], cookies[1]
	if session.Name != "sessionid" || !isKey(session.Value) || session.MaxAge != 1209600 || !session.HttpOnly || session.Path != "/" || session.Secure {
		t.Errorf("session cookie %v", session)
	}
	if csrf.Name != "csrftoken" || len(csrf.Value) != 32 || csrf.MaxAge != 31449600 || csrf.HttpOnly || csrf.Path != "/" {
		t.Errorf("CSRF cookie %v", csrf)
	}
	if s.Address != "192.0.2.1" || !strings.HasPrefix(s.Agent, "Mozilla é") || len(s.Agent) > maxAgent || !s.Remember || s.User.Method != Method || s.User.Credential != s.ID {
		t.Errorf("session %+v", s)
	}
	record, _, err := f.store.Store.Lookup(t.Context(), digestOf(session.Value), f.at)
	if err != nil || record.Kind != tokenstore.KindSession || record.UserKey != stored.Key || record.PasswordVersion != 1 || !record.Expires.Equal(f.at.Add(1209600*time.Second)) {
		t.Errorf("record %+v, %v", record, err)
	}
	if strings.Contains(string(record.Data)+record.ID+record.Label, session.Value) {
		t.Error("the record holds the key")
	}

	got, err := f.Of(request("sessionid=" + session.Value))
	if err != nil || got.ID != s.ID || got.User.ID != "alice" || got.Agent != s.Agent || f.store.touches != 0 {
		t.Errorf("Of = %+v, %v", got, err)
	}

	w = httptest.NewRecorder()
	if _, err := f.Start(w, request(), alice, false); err != nil {
		t.Fatal(err)
	}
	if c := w.Result().Cookies()[0]; c.MaxAge != 0 || !c.Expires.IsZero() {
		t.Errorf("a cookie that ends with the browser: %v", c)
	}
}

// TestManager_Start_rotates ends the session that a client brings to a login,
// whether it is its own, another's, or one that a stranger has given it.
func TestManager_Start_rotates(t *testing.T) {
	f := newFixture(t, Settings{})
	_, alice := f.user("alice")
	_, mallory := f.user("mallory")
	_, before := f.start(mallory)
	_, after := f.start(alice, before)
	if before == after || f.alive(before) || !f.alive(after) {
		t.Errorf("before %q lives: %v, after %q lives: %v", before, f.alive(before), after, f.alive(after))
	}
	// A key that nobody was given does not become one.
	chosen := "sessionid=" + strings.Repeat("x", 32)
	if _, got := f.start(alice, chosen); got == chosen || f.alive(chosen) {
		t.Errorf("a client chose its key: %q", got)
	}
	_, first := f.start(alice)
	_, second := f.start(alice)
	f.start(alice, first+"; "+second)
	if f.alive(first) || f.alive(second) {
		t.Error("of two sessions one outlives a login")
	}
}

func TestManager_Start_refused(t *testing.T) {
	f := newFixture(t, Settings{}, users.User{Name: "frozen", Password: hash, Inactive: true})
	stored, alice := f.user("alice")
	stored.Active = false
	if _, err := f.store.PutUser(t.Context(), stored); err != nil {
		t.Fatal(err)
	}
	for name, id := range map[string]*auth.Identity{
		"inactive meanwhile": alice,
		"deleted meanwhile":  {ID: "x", Key: "store:x", Source: "store", Proof: "v1"},
		"deleted, no proof":  {ID: "x", Key: "store:x", Source: "store"},
		"frozen":             {ID: "frozen", Key: "config:frozen", Source: "config"},
		"not configured":     {ID: "x", Key: "config:x", Source: "config"},
		"of a file":          {ID: "x", Key: "htpasswd:f|x", Source: "htpasswd"},
		"of an issuer":       {ID: "x", Key: "https://issuer|x", Source: "https://issuer"},
	} {
		w := httptest.NewRecorder()
		s, err := f.Start(w, request(), id, true)
		if _, failed := errors.AsType[*auth.Failure](err); !failed || s != nil || len(w.Header()) > 0 {
			t.Errorf("%s: %v, %v, %q", name, s, err, w.Header())
		}
	}
	_, bob := f.user("bob")
	_, cookie := f.start(bob)
	f.store.err = tokenstore.ErrUnavailable
	w := httptest.NewRecorder()
	if _, err := f.Start(w, request(cookie), bob, true); !isUnavailable(err) || len(w.Header()) > 0 {
		t.Errorf("store down: %v, %q", err, w.Header())
	}
	if n, err := f.End(w, request(cookie)); n != 0 || !isUnavailable(err) || len(w.Header()) > 0 {
		t.Errorf("logout, store down: %d, %v, %q", n, err, w.Header())
	}
	if _, err := f.Of(request(cookie)); !isUnavailable(err) {
		t.Errorf("look-up, store down: %v", err)
	}
	f.store.err = nil
	if !f.alive(cookie) {
		t.Error("the session did not survive")
	}
	if n, err := f.End(w, request(cookie)); n != 1 || err != nil || f.alive(cookie) || !strings.Contains(w.Header().Get("Set-Cookie"), "sessionid=; ") {
		t.Errorf("logout: %d, %v, %q", n, err, w.Header())
	}
	if n, err := f.End(httptest.NewRecorder(), request()); n != 0 || err != nil {
		t.Errorf("logout of nobody: %d, %v", n, err)
	}
}

func isUnavailable(err error) bool {
	_, ok := errors.AsType[*auth.Unavailable](err)
	return ok
}

// TestManager_ends is what kills a session on the server.
func TestManager_ends(t *testing.T) {
	carol := users.User{Name: "carol", Password: hash}
	tests := map[string]struct {
		settings Settings
		kill     func(t *testing.T, f *fixture, alice tokenstore.User)
	}{
		"password": {kill: func(t *testing.T, f *fixture, alice tokenstore.User) {
			alice.PasswordHash = "!new"
			put(t, f, alice)
		}},
		"disabled": {kill: func(t *testing.T, f *fixture, alice tokenstore.User) {
			alice.Active = false
			put(t, f, alice)
		}},
		"deleted": {kill: func(t *testing.T, f *fixture, alice tokenstore.User) {
			if err := f.store.DeleteUser(t.Context(), alice.Key); err != nil {
				t.Fatal(err)
			}
			f.user("alice") // who inherits nothing
		}},
		"age":      {kill: func(_ *testing.T, f *fixture, _ tokenstore.User) { f.at = f.at.Add(1209600 * time.Second) }},
		"idle":     {Settings{IdleTimeout: duration(time.Hour)}, func(_ *testing.T, f *fixture, _ tokenstore.User) { f.at = f.at.Add(time.Hour) }},
		"absolute": {Settings{AbsoluteTimeout: duration(time.Hour)}, func(_ *testing.T, f *fixture, _ tokenstore.User) { f.at = f.at.Add(time.Hour) }},
		"idle, set later": {kill: func(_ *testing.T, f *fixture, _ tokenstore.User) {
			f.configure(Settings{IdleTimeout: duration(time.Hour)}, carol)
			f.at = f.at.Add(time.Hour)
		}},
		"absolute, set later": {kill: func(_ *testing.T, f *fixture, _ tokenstore.User) {
			f.configure(Settings{AbsoluteTimeout: duration(time.Hour)}, carol)
			f.at = f.at.Add(time.Hour)
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, test.settings, carol)
			stored, alice := f.user("alice")
			_, cookie := f.start(alice)
			if !f.alive(cookie) {
				t.Fatal("not alive at first")
			}
			test.kill(t, f, stored)
			if f.alive(cookie) {
				t.Error("still alive")
			}
		})
	}
}

func put(t *testing.T, f *fixture, u tokenstore.User) {
	t.Helper()
	if _, err := f.store.PutUser(t.Context(), u); err != nil {
		t.Fatal(err)
	}
}

// TestManager_configured has users without a store: what proves their password
// is in the record.
func TestManager_configured(t *testing.T) {
	carol := users.User{Name: "carol", Password: hash, Groups: []string{"ops"}}
	f := newFixture(t, Settings{}, carol)
	id := &auth.Identity{ID: "carol", Key: "config:carol", Source: "config"}
	_, cookie := f.start(id)
	if got, err := f.Of(request(cookie)); err != nil || got.User.ID != "carol" || !got.User.InGroup("ops") || got.User.Key != "config:carol" || got.User.Proof != "" {
		t.Fatalf("Of = %+v, %v", got, err)
	}
	for name, change := range map[string]users.User{
		"password": {Name: "carol", Password: strings.Replace(hash, "sBov", "tBov", 1)},
		"inactive": {Name: "carol", Password: hash, Inactive: true},
		"gone":     {Name: "other", Password: hash},
	} {
		f.configure(Settings{}, change)
		if f.alive(cookie) {
			t.Errorf("%s: alive", name)
		}
	}
	f.configure(Settings{}, carol)
	if !f.alive(cookie) {
		t.Error("not alive after all")
	}
	// A record that proves nothing is nobody's.
	record := tokenstore.Credential{ID: "forged", Kind: tokenstore.KindSession, Digest: digestOf(strings.Repeat("a", 32)), UserKey: "config:carol", Created: f.at}
	if err := f.store.Create(t.Context(), record, 0, false); err != nil {
		t.Fatal(err)
	}
	if f.alive("sessionid=" + strings.Repeat("a", 32)) {
		t.Error("a record without a proof is alive")
	}
}

// TestManager_shadowed has the configuration give a name to somebody else.
func TestManager_shadowed(t *testing.T) {
	f := newFixture(t, Settings{})
	_, alice := f.user("alice")
	_, cookie := f.start(alice)
	f.configure(Settings{}, users.User{Name: "alice", Password: hash})
	if f.alive(cookie) {
		t.Error("a session of the store's alice is the configuration's")
	}
	f.configure(Settings{}, users.User{Name: "bob", Password: hash})
	if !f.alive(cookie) {
		t.Error("not alive after all")
	}
}

// TestManager_Of_kinds keeps what was issued for something else from being a
// session.
func TestManager_Of_kinds(t *testing.T) {
	f := newFixture(t, Settings{})
	stored, _ := f.user("alice")
	for i, kind := range append(tokenstore.RequestKinds(), "refresh", "") {
		key := strings.Repeat(string(rune('a'+i)), 32)
		record := tokenstore.Credential{ID: key, Kind: kind, Digest: digestOf(key), UserKey: stored.Key, Created: f.at}
		if kind == "" {
			record.Kind, record.UserKey = tokenstore.KindSession, "" // of nobody
		}
		if err := f.store.Create(t.Context(), record, 0, false); err != nil {
			t.Fatal(err)
		}
		if f.alive("sessionid=" + key) {
			t.Errorf("a record of kind %q is a session", kind)
		}
	}
}

func TestCutAgent(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux)":                   "Mozilla/5.0 (X11; Linux)",
		"a\x00\t\x1b[31m\x7f\u009b\u202eb\u2028\xff": "a[31mb",
		strings.Repeat("x", 300):                     strings.Repeat("x", maxAgent),
		strings.Repeat("x", maxAgent-1) + "é":        strings.Repeat("x", maxAgent-1),
		"größe":                                      "größe",
	} {
		if got := cutAgent(agent); got != want {
			t.Errorf("%q is kept as %q, want %q", agent, got, want)
		}
	}
}

// TestManager_End_many ends one's own session whatever cookies another host of the
// domain has added, and says so if there are too many.
func TestManager_End_many(t *testing.T) {
	f := newFixture(t, Settings{})
	_, alice := f.user("alice")
	dead := func(n int) (cookies []string) {
		for i := range n {
			cookies = append(cookies, fmt.Sprintf("sessionid=%032d", i))
		}
		return cookies
	}
	for name, end := range map[string]func(r *http.Request) error{
		"logout": func(r *http.Request) error { _, err := f.End(httptest.NewRecorder(), r); return err },
		"login": func(r *http.Request) error {
			_, err := f.Start(httptest.NewRecorder(), r, alice, true)
			return err
		},
	} {
		_, cookie := f.start(alice)
		if err := end(request(append(dead(maxEnds), cookie)...)); err == nil || !f.alive(cookie) {
			t.Errorf("%s with %d cookies: %v", name, maxEnds+1, err)
		}
		if err := end(request(append(dead(maxEnds-1), cookie)...)); err != nil || f.alive(cookie) {
			t.Errorf("%s with %d cookies: %v, and the session lives: %v", name, maxEnds, err, f.alive(cookie))
		}
	}
}

// TestManager_cookies has several cookies of one name.
func TestManager_cookies(t *testing.T) {
	f := newFixture(t, Settings{})
	_, alice := f.user("alice")
	_, mallory := f.user("mallory")
	_, a := f.start(alice)
	_, b := f.start(alice)
	_, m := f.start(mallory)
	dead := "sessionid=" + strings.Repeat("x", 32)
	tests := map[string]struct {
		cookies []string
		want    error // nil is alice
		key     bool
	}{
		"one":                  {[]string{a}, nil, true},
		"twice the same":       {[]string{a + "; " + a}, nil, true},
		"quoted":               {[]string{`sessionid="` + strings.TrimPrefix(a, "sessionid=") + `"`}, nil, true},
		"a dead one before":    {[]string{dead + "; " + a}, nil, true},
		"a dead one after":     {[]string{a, dead}, nil, true},
		"garbage around":       {[]string{"sessionid=; " + a + "; sessionid=\xff; ;;="}, nil, true},
		"two of one user":      {[]string{a, b}, nil, true},
		"of two users":         {[]string{a, m}, ErrAmbiguous, true},
		"of two users, turned": {[]string{m, a}, ErrAmbiguous, true},
		"dead":                 {[]string{dead}, ErrNone, true},
		"none":                 {nil, auth.ErrNoCredentials, false},
		"another":              {[]string{"csrftoken=" + strings.Repeat("a", 32)}, auth.ErrNoCredentials, false},
		"in upper case":        {[]string{strings.ToUpper(a)}, auth.ErrNoCredentials, false},
		"too many":             {[]string{a, dead[:41] + "1", dead[:41] + "2", dead[:41] + "3", dead[:41] + "4"}, ErrTooMany, false},
	}
	for name, test := range tests {
		before := f.store.lookups
		id, err := f.Authenticate(request(test.cookies...))
		if test.want == nil && (err != nil || id.ID != "alice") || test.want != nil && (err != test.want || !errors.Is(err, auth.ErrNoCredentials)) {
			t.Errorf("%s: %v, %v, want %v", name, id, err, test.want)
		}
		if n := f.store.lookups - before; n > maxKeys {
			t.Errorf("%s: %d look-ups", name, n)
		}
		if _, ok := f.CacheKey(request(test.cookies...)); ok != test.key {
			t.Errorf("%s: CacheKey %v, want %v", name, ok, test.key)
		}
	}
	key := func(cookies ...string) string {
		secret, _ := f.CacheKey(request(cookies...))
		return string(secret)
	}
	if key(a, m) == key(a) || key(a, m) == key(m) || key(a, m) == key(m, a) || key(a, dead) == key(a) {
		t.Error("different cookies have one cache key")
	}
}
