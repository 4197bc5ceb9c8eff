// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/auth/authtest"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/session"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// addSession stores a session of a user with that key.
func addSession(t testing.TB, s tokenstore.Store, key string, user tokenstore.User) {
	t.Helper()
	digest := sha256.Sum256([]byte(key))
	err := s.Create(t.Context(), tokenstore.Credential{
		ID: "id-" + key[:5], Kind: tokenstore.KindSession, Digest: digest[:], UserKey: user.Key,
		Created: time.Now(), LastUsed: time.Now(), Expires: time.Now().Add(time.Hour), PasswordVersion: user.PasswordVersion,
	}, 0, false)
	if err != nil {
		t.Fatal(err)
	}
}

func withCookie(method string, lines ...string) *http.Request {
	r := httptest.NewRequest(method, "http://example.com/", nil)
	if len(lines) > 0 {
		r.Header["Cookie"] = lines
	}
	return r
}

func key(name string) string { return name + strings.Repeat("0", 32-len(name)) }

func TestSession(t *testing.T) {
	ctx, app := newApp(t)
	alice := addUser(t, app.store, tokenstore.User{Name: "alice", Active: true, Staff: true, Groups: []string{"editors"}})
	bob := addUser(t, app.store, tokenstore.User{Name: "bob", Active: true})
	gone := addUser(t, app.store, tokenstore.User{Name: "gone", Active: true})
	addSession(t, app.store, key("alice"), alice)
	addSession(t, app.store, key("bob00"), bob)
	addSession(t, app.store, key("gone0"), gone)
	addToken(t, app.store, key("token"), tokenstore.Credential{UserKey: alice.Key})
	gone.Active = false
	addUser(t, app.store, gone)
	good := &auth.Identity{
		ID: "alice", Key: alice.Key, Source: "store", Staff: true, Groups: []string{"editors"}, Method: "session", Credential: "id-alice",
	}
	a := mustLoad[*Session](t, ctx, "session", `{}`)
	authtest.Run(t, a, []authtest.Case{
		{Name: "good", Request: withCookie("GET", "sessionid="+key("alice")), Identity: good},
		{Name: "good POST", Request: withCookie("POST", "sessionid="+key("alice")), Identity: good}, // the guard refuses
		{Name: "among others", Request: withCookie("GET", "a=b; sessionid="+key("alice")+"; c=d"), Identity: good},
		{Name: "and a dead one", Request: withCookie("GET", "sessionid="+key("x")+"; sessionid="+key("alice")), Identity: good},
		{Name: "of two", Request: withCookie("GET", "sessionid="+key("bob00")+"; sessionid="+key("alice")), Err: session.ErrAmbiguous},
		{Name: "inactive", Request: withCookie("GET", "sessionid="+key("gone0")), Err: session.ErrNone},
		{Name: "a token", Request: withCookie("GET", "sessionid="+key("token")), Err: session.ErrNone},
		{Name: "unknown", Request: withCookie("GET", "sessionid="+key("x")), Err: session.ErrNone},
		{Name: "short", Request: withCookie("GET", "sessionid=x"), Err: auth.ErrNoCredentials},
		{Name: "other name", Request: withCookie("GET", "session="+key("alice")), Err: auth.ErrNoCredentials},
		{Name: "header", Request: with("Session " + key("alice")), Err: auth.ErrNoCredentials},
	})
	if _, challenges := auth.Authenticator(a).(auth.Challenger); challenges {
		t.Error("a session has a challenge")
	}
	app.store.err = errors.New("down")
	if _, err := a.Authenticate(withCookie("GET", "sessionid="+key("alice"))); err == nil || errors.Is(err, auth.ErrNoCredentials) {
		t.Errorf("store down: %v", err)
	}
	if _, err := a.Authenticate(withCookie("GET", "sessionid=x")); !errors.Is(err, auth.ErrNoCredentials) {
		t.Errorf("store down, and nothing to look up: %v", err)
	}
}

func TestSession_Guard(t *testing.T) {
	ctx, _ := newApp(t)
	a := mustLoad[*Session](t, ctx, "session", `{"csrf_cookie": "xsrf", "csrf_header": "X-XSRF"}`)
	secret := strings.Repeat("a", 32)
	r := withCookie("POST", "xsrf="+secret)
	if err := a.Guard(r, auth.Anonymous); err == nil {
		t.Error("no token is needed")
	}
	r.Header.Set("X-Xsrf", secret)
	if err := a.Guard(r, auth.Anonymous); err != nil {
		t.Error(err)
	}
	r.Method = http.MethodGet
	r.Header.Del("X-Xsrf")
	if err := a.Guard(r, auth.Anonymous); err != nil {
		t.Error(err)
	}
}

// BenchmarkSession_CacheKey and its guard are what a remembered session costs on
// each request before the cache hashes it.
func BenchmarkSession_CacheKey(b *testing.B) {
	ctx, _ := newApp(b)
	a := mustLoad[*Session](b, ctx, "session", `{}`)
	r := withCookie("GET", "csrftoken="+key("a")+"; sessionid="+key("alice"))
	b.ReportAllocs()
	for b.Loop() {
		a.CacheKey(r)
		_ = a.Guard(r, auth.Anonymous)
	}
}

// BenchmarkSession_Authenticate is a session that is seen for the first time, or
// again after a minute, with a store that costs next to nothing.
func BenchmarkSession_Authenticate(b *testing.B) {
	ctx, app := newApp(b)
	alice := addUser(b, app.store, tokenstore.User{Name: "alice", Active: true, Groups: []string{"editors"}})
	addSession(b, app.store, key("alice"), alice)
	a := mustLoad[*Session](b, ctx, "session", `{}`)
	r := withCookie("GET", "csrftoken="+key("a")+"; sessionid="+key("alice"))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Authenticate(r); err != nil {
			b.Fatal(err)
		}
	}
}
