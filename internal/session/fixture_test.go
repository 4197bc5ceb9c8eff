// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/password"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/memory"
)

// hash is of "pw", and of no strength.
const hash = "$2a$04$sBovKJG2XWhsOFcu26xZeeVJyN0HAUsxPhg4wJTJdjLjRDXc4j/my"

// counting is a store that counts what sessions ask of it, and fails on demand.
type counting struct {
	tokenstore.Store
	err                      error
	lookups, touches, writes int
}

func (s *counting) Lookup(ctx context.Context, digest []byte, now time.Time) (tokenstore.Credential, tokenstore.User, error) {
	s.lookups++
	if s.err != nil {
		return tokenstore.Credential{}, tokenstore.User{}, s.err
	}
	return s.Store.Lookup(ctx, digest, now)
}

func (s *counting) Touch(ctx context.Context, digest []byte, used, expires time.Time) error {
	s.touches++
	if s.err != nil {
		return s.err
	}
	return s.Store.Touch(ctx, digest, used, expires)
}

func (s *counting) Create(ctx context.Context, c tokenstore.Credential, limit int, evict bool) error {
	s.writes++
	if s.err != nil {
		return s.err
	}
	return s.Store.Create(ctx, c, limit, evict)
}

func (s *counting) Delete(ctx context.Context, f tokenstore.Filter, digests ...[]byte) (int, error) {
	s.writes++
	if s.err != nil {
		return 0, s.err
	}
	return s.Store.Delete(ctx, f, digests...)
}

func (s *counting) List(ctx context.Context, f tokenstore.Filter, cursor string, n int) ([]tokenstore.Credential, string, error) {
	if s.err != nil {
		return nil, "", s.err
	}
	return s.Store.List(ctx, f, cursor, n)
}

// fixture is a manager whose time is the test's.
type fixture struct {
	*Manager
	t     testing.TB
	store *counting
	at    time.Time
}

func newFixture(t testing.TB, settings Settings, configured ...users.User) *fixture {
	t.Helper()
	f := &fixture{t: t, store: &counting{Store: memory.New()}, at: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)}
	f.configure(settings, configured...)
	return f
}

// configure is a reload with other settings and users.
func (f *fixture) configure(settings Settings, configured ...users.User) {
	f.t.Helper()
	directory, err := users.New(configured, f.store, password.New(password.Config{}), nil)
	if err != nil {
		f.t.Fatal(err)
	}
	if err := settings.complete(nil); err != nil {
		f.t.Fatal(err)
	}
	if f.Manager, err = newManager(&settings, f.store, directory, zap.NewNop()); err != nil {
		f.t.Fatal(err)
	}
	f.now = func() time.Time { return f.at }
}

// user stores a user and returns it as Authenticate does.
func (f *fixture) user(name string) (tokenstore.User, *auth.Identity) {
	f.t.Helper()
	stored, err := f.store.PutUser(f.t.Context(), tokenstore.User{Name: name, Active: true, PasswordHash: "!"})
	if err != nil {
		f.t.Fatal(err)
	}
	id := users.Identity(stored)
	id.Proof = "v1"
	return stored, id
}

// request returns one with these cookies, as Caddy hands it on.
func request(cookies ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "http://example.com/", nil)
	r = r.WithContext(context.WithValue(r.Context(), caddyhttp.VarsCtxKey, map[string]any{caddyhttp.ClientIPVarKey: "192.0.2.1"}))
	if len(cookies) > 0 {
		r.Header["Cookie"] = cookies
	}
	return r
}

// start logs in and returns the session's cookie as the client sends it.
func (f *fixture) start(id *auth.Identity, cookies ...string) (*Session, string) {
	f.t.Helper()
	w := httptest.NewRecorder()
	s, err := f.Start(w, request(cookies...), id, true)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, c := range w.Result().Cookies() {
		if c.Name == f.settings.Cookie {
			return s, c.Name + "=" + c.Value
		}
	}
	f.t.Fatalf("no session cookie in %q", w.Header())
	return nil, ""
}

// alive reports whether the cookie is a live session's, and uses it if so.
func (f *fixture) alive(cookie string) bool {
	f.t.Helper()
	id, err := f.Authenticate(request(cookie))
	if err != nil && !errors.Is(err, auth.ErrNoCredentials) {
		f.t.Fatal(err)
	}
	return err == nil && id.Authenticated()
}

func duration(d time.Duration) caddy.Duration { return caddy.Duration(d) }

func yes() *bool {
	on := true
	return &on
}
