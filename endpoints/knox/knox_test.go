// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package knox

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/issue"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/memory"
)

func newEndpoint(t *testing.T, store tokenstore.Store) *Endpoint {
	t.Helper()
	e := &Endpoint{now: time.Now, issuer: issue.New(store, nil)}
	if err := e.check(); err != nil {
		t.Fatal(err)
	}
	return e
}

// writer counts what a login costs: any call but Create is a panic.
type writer struct {
	tokenstore.Store
	err     error
	created []tokenstore.Credential
}

func (w *writer) Create(_ context.Context, c tokenstore.Credential, _ int, _ bool) error {
	if w.err != nil {
		return w.err
	}
	w.created = append(w.created, c)
	return nil
}

var alice = &auth.Identity{ID: "alice", Key: "store:1", Source: users.SourceStore, Method: "basic", Scopes: []string{"read"}, Client: "app"}

// A login is one write, and nothing else is asked of the store.
func TestLogin_writes(t *testing.T) {
	store := new(writer)
	w := httptest.NewRecorder()
	if err := newEndpoint(t, store).login(w, httptest.NewRequest(http.MethodPost, "/", nil), alice); err != nil {
		t.Fatal(err)
	}
	if len(store.created) != 1 {
		t.Fatalf("%d records, want 1", len(store.created))
	}
	made := store.created[0]
	if made.Kind != tokenstore.KindKnox || made.UserKey != alice.Key || made.ClientID != "app" || !slices.Equal(made.Scopes, alice.Scopes) ||
		!made.Expires.Equal(made.Created.Add(10*time.Hour)) || len(made.Data) > 0 {
		t.Errorf("the record is %+v", made)
	}
	if !strings.Contains(w.Body.String(), drf.Timestamp(made.Expires)) {
		t.Errorf("the answer is %s, want it to say %s", w.Body, drf.Timestamp(made.Expires))
	}
}

// What fails has issued nothing and written no answer.
func TestLogin_fails(t *testing.T) {
	foreign := *alice
	foreign.Source, foreign.Key = "https://login.example.com", "https://login.example.com|1"
	machine := auth.Identity{Method: "token", Client: "cron"}
	for name, test := range map[string]struct {
		id  *auth.Identity
		err error
		is  func(error) bool
	}{
		"the store is down":  {alice, tokenstore.ErrUnavailable, is[*auth.Unavailable]},
		"the user is gone":   {alice, tokenstore.ErrNotFound, is[*auth.Failure]},
		"over the limit":     {alice, tokenstore.ErrLimit, is[*drf.Error]},
		"a foreign user":     {&foreign, nil, is[*auth.Denial]},
		"no user":            {&machine, nil, is[*auth.Denial]},
		"nobody":             {auth.Anonymous, nil, is[*auth.Denial]},
		"a digest was taken": {alice, tokenstore.ErrExists, is[*auth.Unavailable]},
	} {
		store := &writer{err: test.err}
		w := httptest.NewRecorder()
		err := newEndpoint(t, store).login(w, httptest.NewRequest(http.MethodPost, "/", nil), test.id)
		if !test.is(err) || len(store.created) > 0 || w.Body.Len() > 0 {
			t.Errorf("%s: %T %v, after %d records and %q", name, err, err, len(store.created), w.Body)
		}
	}
}

func is[E error](err error) bool { _, ok := errors.AsType[E](err); return ok }

// A limit holds however many log in at once.
func TestLogin_limit(t *testing.T) {
	store := memory.New()
	t.Cleanup(func() { _ = store.Close() })
	user, err := store.PutUser(t.Context(), tokenstore.User{Name: "alice", Active: true})
	if err != nil {
		t.Fatal(err)
	}
	id := &auth.Identity{ID: user.Name, Key: user.Key, Source: users.SourceStore, Method: "basic"}
	for action, want := range map[string]int{limitDeny: 5, limitEvict: 64} {
		if _, err := store.Delete(t.Context(), tokenstore.Filter{UserKey: user.Key}); err != nil {
			t.Fatal(err)
		}
		e := newEndpoint(t, store)
		e.TokenLimitPerUser, e.TokenLimit = 5, action
		var group sync.WaitGroup
		passed := make([]bool, 64)
		for i := range passed {
			group.Go(func() {
				passed[i] = e.login(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", nil), id) == nil
			})
		}
		group.Wait()
		live, _, err := store.List(t.Context(), tokenstore.Filter{UserKey: user.Key}, "", 1000)
		refused := len(slices.DeleteFunc(passed, func(ok bool) bool { return ok }))
		if err != nil || len(live) != 5 || refused != 64-want {
			t.Errorf("%s: %d live tokens, %d logins refused; want 5, %d", action, len(live), refused, 64-want)
		}
	}
}

type deleter struct {
	tokenstore.Store
	err     error
	filters []tokenstore.Filter
}

func (d *deleter) Delete(_ context.Context, f tokenstore.Filter, _ ...[]byte) (int, error) {
	d.filters = append(d.filters, f)
	return 0, d.err
}

// A logout selects what is one user's, and never reports what the store did not
// do.
func TestLogout(t *testing.T) {
	known := &auth.Identity{ID: "alice", Key: "store:1", Method: "token", Credential: "handle"}
	for name, test := range map[string]struct {
		id   *auth.Identity
		one  tokenstore.Filter // what logout/ deletes
		all  tokenstore.Filter
		fail bool
	}{
		"a user": {id: known, one: tokenstore.Filter{ID: "handle", UserKey: "store:1", Kind: "knox"}, all: tokenstore.Filter{UserKey: "store:1", Kind: "knox"}},
		"nobody": {id: &auth.Identity{Method: "token", Credential: "handle"}, fail: true},
		"down":   {id: known, one: tokenstore.Filter{ID: "handle", UserKey: "store:1", Kind: "knox"}, all: tokenstore.Filter{UserKey: "store:1", Kind: "knox"}, fail: true},
	} {
		store := new(deleter)
		if name == "down" {
			store.err = tokenstore.ErrUnavailable
		}
		e := newEndpoint(t, store)
		for _, logout := range []struct {
			do   func(http.ResponseWriter, *http.Request, *auth.Identity) error
			want tokenstore.Filter
		}{{e.logout, test.one}, {e.logoutAll, test.all}} {
			store.filters = nil
			w := httptest.NewRecorder()
			err := logout.do(w, httptest.NewRequest(http.MethodPost, "/", nil), test.id)
			if (err != nil) != test.fail || err == nil && w.Code != http.StatusNoContent {
				t.Errorf("%s: %d, %v", name, w.Code, err)
			}
			if logout.want == (tokenstore.Filter{}) && len(store.filters) > 0 || logout.want != (tokenstore.Filter{}) && !slices.Equal(store.filters, []tokenstore.Filter{logout.want}) {
				t.Errorf("%s: deleted %+v, want %+v", name, store.filters, logout.want)
			}
			if name == "down" && !is[*auth.Unavailable](err) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
