// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authtoken

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	_ "github.com/caddyserver/caddy/v2/modules/filestorage"
	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/issue"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/serverkey"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/memory"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/sqlite"
)

// anyone lets everybody in, or nobody if it is an error.
type anyone struct {
	user tokenstore.User
	err  error
}

func (a *anyone) Authenticate(_ context.Context, name, _ string) (*auth.Identity, error) {
	if a.err != nil {
		return nil, a.err
	}
	return &auth.Identity{ID: name, Key: a.user.Key, Source: "store"}, nil
}

// faulty fails at what it is told to.
type faulty struct {
	tokenstore.Store
	list, create error
}

func (f *faulty) List(ctx context.Context, filter tokenstore.Filter, cursor string, n int) ([]tokenstore.Credential, string, error) {
	if f.list != nil {
		return nil, "", f.list
	}
	return f.Store.List(ctx, filter, cursor, n)
}

func (f *faulty) Create(ctx context.Context, c tokenstore.Credential, max int, evict bool) error {
	if f.create != nil {
		return f.create
	}
	return f.Store.Create(ctx, c, max, evict)
}

func newEndpoint(t testing.TB, store tokenstore.Store) (*Endpoint, *anyone) {
	t.Helper()
	t.Cleanup(func() { _ = store.Close() })
	alice, err := store.PutUser(t.Context(), tokenstore.User{Name: "alice", Active: true})
	if err != nil {
		t.Fatal(err)
	}
	directory := &anyone{user: alice}
	keys := serverkey.New(&certmagic.FileStorage{Path: t.TempDir()})
	return &Endpoint{issuer: issue.New(store, keys), directory: directory, logger: zap.NewNop()}, directory
}

const login = `{"username":"alice","password":"pw"}`

func post(e *Endpoint) (*httptest.ResponseRecorder, error) {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(login))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	return w, e.obtain(w, r, auth.Anonymous)
}

// Whatever the store does, there is an answer that says so, and no token that
// the store does not know.
func TestObtain_faults(t *testing.T) {
	down := errors.Join(errors.New("disk full"), tokenstore.ErrUnavailable)
	store := &faulty{Store: memory.New()}
	e, directory := newEndpoint(t, store)
	for name, fault := range map[string]faulty{"reading": {list: down}, "writing": {create: down}} {
		store.list, store.create = fault.list, fault.create
		w, err := post(e)
		if _, ok := errors.AsType[*auth.Unavailable](err); !ok || w.Body.Len() > 0 {
			t.Errorf("%s: answered %q, %v", name, w.Body, err)
		}
	}
	store.list, store.create = nil, nil
	if page, _, err := store.List(t.Context(), tokenstore.Filter{}, "", 10); len(page) != 0 || err != nil {
		t.Errorf("half a token was issued: %v, %v", page, err)
	}
	for _, want := range []error{&auth.Throttled{Wait: time.Second}, &auth.Unavailable{Err: down}} {
		directory.err = want
		if _, err := post(e); err != want {
			t.Errorf("a login that ends with %v is answered %v", want, err)
		}
	}
	directory.err = &auth.Failure{Detail: "Invalid username/password."}
	_, err := post(e)
	if answer, ok := errors.AsType[*drf.Error](err); !ok || answer.Status != http.StatusBadRequest || !errors.Is(err, directory.err) {
		t.Errorf("a failed login is answered %v", err)
	}
	// A user who was deleted between the password and the token.
	directory.err, directory.user.Key = nil, "store:nobody"
	_, err = post(e)
	if _, ok := errors.AsType[*auth.Failure](err); !ok {
		t.Errorf("a user who is gone is answered %v", err)
	}
}

// The store never holds the token.
func TestObtain_atRest(t *testing.T) {
	store := memory.New()
	e, _ := newEndpoint(t, store)
	w, err := post(e)
	if err != nil {
		t.Fatal(err)
	}
	token := strings.TrimSuffix(strings.TrimPrefix(w.Body.String(), `{"token":"`), `"}`)
	page, _, err := store.List(t.Context(), tokenstore.Filter{}, "", 10)
	if err != nil || len(page) != 1 || len(token) != tokenDigits {
		t.Fatalf("%d records, %v, token of %d", len(page), err, len(token))
	}
	record := page[0]
	if string(record.Digest) != string(issue.Digest(token)) || strings.Contains(string(record.Data)+record.ID+record.Slot+record.Label, token[:16]) {
		t.Errorf("the record is %+v", record)
	}
	if !record.Expires.IsZero() || record.PasswordVersion != 0 || record.Kind != tokenstore.KindAuthtoken {
		t.Errorf("the record ends: %+v", record)
	}
}

// sqliteStore opens a new file.
func sqliteStore(b *testing.B) tokenstore.Store {
	b.Helper()
	ctx, err := caddy.ProvisionContext(&caddy.Config{
		Admin: &caddy.AdminConfig{Disabled: true}, StorageRaw: fmt.Appendf(nil, `{"module":"file_system","root":%q}`, b.TempDir()),
	})
	if err != nil {
		b.Fatal(err)
	}
	driver := &sqlite.Driver{Path: filepath.Join(b.TempDir(), "rest_auth.db")}
	if err := driver.Provision(ctx); err != nil {
		b.Fatal(err)
	}
	store, err := driver.Open(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	return store
}

// BenchmarkObtain is what a call costs, hashing the password apart: the first
// of a user, and another one.
func BenchmarkObtain(b *testing.B) {
	for name, open := range map[string]func(*testing.B) tokenstore.Store{
		"memory": func(*testing.B) tokenstore.Store { return memory.New() },
		"sqlite": sqliteStore,
	} {
		b.Run("again/"+name, func(b *testing.B) {
			e, _ := newEndpoint(b, open(b))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := post(e); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("first/"+name, func(b *testing.B) {
			store := open(b)
			e, directory := newEndpoint(b, store)
			var users []tokenstore.User
			for i := range b.N {
				user, err := store.PutUser(b.Context(), tokenstore.User{Name: fmt.Sprint("user", i), Active: true})
				if err != nil {
					b.Fatal(err)
				}
				users = append(users, user)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				directory.user = users[i]
				if _, err := post(e); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
