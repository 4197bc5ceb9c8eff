// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package durin

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/durin"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/issue"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/serverkey"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/memory"
)

// fixture is an API over a store with a user and the client web.
type fixture struct {
	*Endpoint
	store *wrapped
	user  *auth.Identity
}

// wrapped is a store in memory that fails, or does something, at one of its calls.
type wrapped struct {
	tokenstore.Store
	calls  int
	failAt int
	during func(call int)
}

func (s *wrapped) called() error {
	s.calls++
	if s.during != nil {
		s.during(s.calls)
	}
	if s.calls == s.failAt {
		return tokenstore.ErrUnavailable
	}
	return nil
}

func (s *wrapped) Client(ctx context.Context, id string) (tokenstore.Client, error) {
	if err := s.called(); err != nil {
		return tokenstore.Client{}, err
	}
	return s.Store.Client(ctx, id)
}

func (s *wrapped) Create(ctx context.Context, c tokenstore.Credential, max int, evict bool) error {
	if err := s.called(); err != nil {
		return err
	}
	return s.Store.Create(ctx, c, max, evict)
}

func (s *wrapped) List(ctx context.Context, f tokenstore.Filter, cursor string, n int) ([]tokenstore.Credential, string, error) {
	if err := s.called(); err != nil {
		return nil, "", err
	}
	return s.Store.List(ctx, f, cursor, n)
}

func (s *wrapped) Touch(ctx context.Context, digest []byte, used, expires time.Time) error {
	if err := s.called(); err != nil {
		return err
	}
	return s.Store.Touch(ctx, digest, used, expires)
}

func (s *wrapped) Delete(ctx context.Context, f tokenstore.Filter, digests ...[]byte) (int, error) {
	if err := s.called(); err != nil {
		return 0, err
	}
	return s.Store.Delete(ctx, f, digests...)
}

// directory lets alice in.
type directory struct{ id *auth.Identity }

func (d directory) Authenticate(_ context.Context, name, pw string) (*auth.Identity, error) {
	if name != d.id.ID || pw != "pw" {
		return nil, &auth.Failure{Err: errors.New("wrong password")}
	}
	return d.id, nil
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	store := memory.New()
	t.Cleanup(func() { _ = store.Close() })
	user, err := store.PutUser(t.Context(), tokenstore.User{Name: "alice", Active: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = store.PutClient(t.Context(), tokenstore.Client{ID: durin.ClientID("web"), Data: durin.Encode(durin.Client{TokenTTL: time.Hour})})
	if err != nil {
		t.Fatal(err)
	}
	id := &auth.Identity{ID: "alice", Key: user.Key, Source: "store", Method: "token"}
	f := &fixture{store: &wrapped{Store: store}, user: id}
	f.Endpoint = &Endpoint{
		APIAccessClientName: "web", RefreshTokenOnLogin: true, now: time.Now, logger: zap.NewNop(), directory: directory{id},
		issuer: issue.New(f.store, serverkey.New(&certmagic.FileStorage{Path: t.TempDir()})),
	}
	if err := f.check(); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fixture) logIn() (*httptest.ResponseRecorder, error) {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"username":"alice","password":"pw","client":"web"}`))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	return w, f.login(w, r, auth.Anonymous)
}

// All who log in at once get the same token.
func TestLogin_together(t *testing.T) {
	f := newFixture(t)
	f.RefreshTokenOnLogin = false
	answers := make([]string, 32)
	var group sync.WaitGroup
	endpoint := *f.Endpoint
	endpoint.issuer = issue.New(f.issuer.Store().(*wrapped).Store, serverkey.New(&certmagic.FileStorage{Path: t.TempDir()}))
	for i := range answers {
		group.Go(func() {
			w, err := (&fixture{Endpoint: &endpoint}).logIn()
			if err != nil {
				t.Error(err)
			}
			answers[i] = w.Body.String()
		})
	}
	group.Wait()
	for _, answer := range answers {
		if answer != answers[0] {
			t.Fatalf("one was answered %s, another %s", answers[0], answer)
		}
	}
}

// A client that is deleted while somebody logs in leaves no token behind.
func TestLogin_clientDeleted(t *testing.T) {
	f := newFixture(t)
	f.store.during = func(call int) {
		if call != 3 { // the client was read, the user's tokens listed
			return
		}
		if err := f.store.DeleteClient(t.Context(), durin.ClientID("web")); err != nil {
			t.Error(err)
		}
	}
	if w, err := f.logIn(); err != error(errUnknownClient) || w.Body.Len() > 0 {
		t.Errorf("login = %v, %s", err, w.Body)
	}
	if left, _, err := f.store.Store.List(t.Context(), tokenstore.Filter{UserKey: f.user.Key}, "", 10); err != nil || len(left) > 0 {
		t.Errorf("%d tokens are left, %v", len(left), err)
	}
}

// Wherever the store fails, the answer is that it did, and nothing is written.
func TestFaults(t *testing.T) {
	for name, call := range map[string]func(f *fixture, w http.ResponseWriter, r *http.Request) error{
		"login": func(f *fixture, w http.ResponseWriter, _ *http.Request) error {
			recorded, err := f.logIn()
			_, _ = w.Write(recorded.Body.Bytes())
			return err
		},
		"refresh":          func(f *fixture, w http.ResponseWriter, r *http.Request) error { return f.refresh(w, r, f.user) },
		"logout":           func(f *fixture, w http.ResponseWriter, r *http.Request) error { return f.logout(w, r, f.user) },
		"logoutall":        func(f *fixture, w http.ResponseWriter, r *http.Request) error { return f.logoutAll(w, r, f.user) },
		"sessions":         func(f *fixture, w http.ResponseWriter, r *http.Request) error { return f.listSessions(w, r, f.user) },
		"end a session":    func(f *fixture, w http.ResponseWriter, r *http.Request) error { return f.endSession(w, r, f.user) },
		"show apiaccess":   func(f *fixture, w http.ResponseWriter, r *http.Request) error { return f.showAPIAccess(w, r, f.user) },
		"delete apiaccess": func(f *fixture, w http.ResponseWriter, r *http.Request) error { return f.deleteAPIAccess(w, r, f.user) },
	} {
		t.Run(name, func(t *testing.T) {
			for failAt := 1; ; failAt++ {
				f := newFixture(t)
				if _, err := f.logIn(); err != nil {
					t.Fatal(err)
				}
				page, _, err := f.store.List(t.Context(), tokenstore.Filter{UserKey: f.user.Key}, "", 1)
				if err != nil || len(page) != 1 {
					t.Fatal(err, len(page))
				}
				id := *f.user
				id.Credential, f.user = page[0].ID, &id
				r := httptest.NewRequest(http.MethodPost, "/", nil)
				if name == "end a session" {
					id.Credential = "another"
					r.SetPathValue("id", page[0].ID)
				}
				f.store.calls, f.store.failAt = 0, failAt
				w := httptest.NewRecorder()
				err = call(f, w, r)
				if f.store.calls < failAt {
					if err != nil {
						t.Errorf("with a good store: %v", err)
					}
					return
				}
				if _, down := errors.AsType[*auth.Unavailable](err); !down || w.Body.Len() > 0 {
					t.Errorf("failing at call %d: %T %v, %s", failAt, err, err, w.Body)
				}
			}
		})
	}
}

// Who is no user has no tokens, and ends nobody's.
func TestNobody(t *testing.T) {
	f := newFixture(t)
	if _, err := f.logIn(); err != nil {
		t.Fatal(err)
	}
	machine := &auth.Identity{Method: "token", Credential: "handle", Client: durin.ClientID("web")}
	r := func() *http.Request { return httptest.NewRequest(http.MethodPost, "/", nil) }
	for name, err := range map[string]error{
		"logout":           f.logout(httptest.NewRecorder(), r(), machine),
		"logoutall":        f.logoutAll(httptest.NewRecorder(), r(), machine),
		"refresh":          f.refresh(httptest.NewRecorder(), r(), machine),
		"end a session":    f.endSession(httptest.NewRecorder(), r(), machine),
		"create apiaccess": f.createAPIAccess(httptest.NewRecorder(), r(), machine),
		"show apiaccess":   f.showAPIAccess(httptest.NewRecorder(), r(), machine),
		"delete apiaccess": f.deleteAPIAccess(httptest.NewRecorder(), r(), machine),
	} {
		if err == nil {
			t.Errorf("%s was done", name)
		}
	}
	w := httptest.NewRecorder()
	if err := f.listSessions(w, r(), machine); err != nil || w.Body.String() != "[]" {
		t.Errorf("sessions: %s, %v", w.Body, err)
	}
	if left, _, err := f.store.List(t.Context(), tokenstore.Filter{UserKey: f.user.Key}, "", 10); err != nil || len(left) != 1 {
		t.Errorf("%d tokens are left, %v", len(left), err)
	}
}

func FuzzClientName(f *testing.F) {
	for _, body := range []string{`{"client":"web"}`, `{"client":null}`, `{"client":[1]}`, `{"client":"\u0000"}`, `client=web`, `[]`, `{"client":"\ud800"}`} {
		f.Add(body, strings.HasPrefix(body, "{"))
	}
	f.Fuzz(func(t *testing.T, body string, isJSON bool) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if isJSON {
			r.Header.Set("Content-Type", "application/json")
		}
		data, err := drf.Decode(r)
		if err != nil {
			return
		}
		name, err := clientName(data)
		if _, refused := errors.AsType[*drf.Error](err); err != nil && !refused || err == nil && (name == "" || len(name) > 4*durin.MaxName) {
			t.Errorf("%q is the client %q, %v", body, name, err)
		}
	})
}
