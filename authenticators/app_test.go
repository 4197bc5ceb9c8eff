// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/password"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/revocation"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/signing"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/memory"
)

func init() {
	caddy.RegisterModule(new(app))
}

// app stands for the app of the root package, which guests may not import.
type app struct {
	Users []users.User `json:"users,omitempty"`

	store     *flakyStore
	directory *users.Directory
	revoked   *revocation.List
	signing   *signing.Keys
}

func (*app) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "rest_auth", New: func() caddy.Module { return new(app) }}
}

func (a *app) Provision(ctx caddy.Context) (err error) {
	a.signing = signing.New(ctx.Storage(), ctx.Logger())
	a.store = &flakyStore{Store: memory.New()}
	a.revoked = revocation.New(a.store)
	a.directory, err = users.New(a.Users, a.store, password.New(password.Config{}), nil)
	return err
}

func (a *app) Start() error                    { return nil }
func (a *app) Stop() error                     { return nil }
func (a *app) TokenStore() tokenstore.Store    { return a.store }
func (a *app) UserDirectory() *users.Directory { return a.directory }
func (a *app) Revocations() *revocation.List   { return a.revoked }
func (a *app) SigningKeys() *signing.Keys      { return a.signing }
func (a *app) OnStart(f func())                { f() }

// flakyStore is a store that can be told to fail, and counts.
type flakyStore struct {
	tokenstore.Store
	err error

	mu      sync.Mutex
	lookups int
	touches []time.Time
}

func (s *flakyStore) Lookup(ctx context.Context, digest []byte, now time.Time) (tokenstore.Credential, tokenstore.User, error) {
	s.mu.Lock()
	s.lookups++
	s.mu.Unlock()
	if s.err != nil {
		return tokenstore.Credential{}, tokenstore.User{}, s.err
	}
	return s.Store.Lookup(ctx, digest, now)
}

func (s *flakyStore) Touch(ctx context.Context, digest []byte, used, expires time.Time) error {
	if s.err != nil {
		return s.err
	}
	s.mu.Lock()
	s.touches = append(s.touches, used)
	s.mu.Unlock()
	return s.Store.Touch(ctx, digest, used, expires)
}

func (s *flakyStore) UserByName(ctx context.Context, name string) (tokenstore.User, error) {
	if s.err != nil {
		return tokenstore.User{}, s.err
	}
	return s.Store.UserByName(ctx, name)
}

// newApp returns a context with an app of these users.
func newApp(t testing.TB, config ...users.User) (caddy.Context, *app) {
	t.Helper()
	raw, err := json.Marshal(app{Users: config})
	if err != nil {
		t.Fatal(err)
	}
	ctx, err := caddy.ProvisionContext(&caddy.Config{AppsRaw: caddy.ModuleMap{"rest_auth": raw}})
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := ctx.App("rest_auth")
	if err != nil {
		t.Fatal(err)
	}
	a := loaded.(*app)
	t.Cleanup(func() { _ = errors.Join(a.directory.Close(), a.store.Close()) })
	return ctx, a
}

// load provisions an authenticator as the handler does.
func load(ctx caddy.Context, name, config string) (auth.Authenticator, error) {
	guest, err := ctx.LoadModuleByID("rest_auth.authenticators."+name, json.RawMessage(config))
	if err != nil {
		return nil, err
	}
	return guest.(auth.Authenticator), nil
}

func mustLoad[A auth.Authenticator](t testing.TB, ctx caddy.Context, name, config string) A {
	t.Helper()
	a, err := load(ctx, name, config)
	if err != nil {
		t.Fatal(err)
	}
	return a.(A)
}

func addUser(t testing.TB, s tokenstore.Store, u tokenstore.User) tokenstore.User {
	t.Helper()
	u, err := s.PutUser(t.Context(), u)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// with returns a request with these Authorization lines.
func with(authorization ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if len(authorization) > 0 {
		r.Header["Authorization"] = authorization
	}
	return r
}

func failure(detail string) *auth.Failure {
	return &auth.Failure{Code: auth.CodeAuthenticationFailed, Detail: detail}
}
