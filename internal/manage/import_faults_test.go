// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	_ "github.com/caddyserver/caddy/v2/modules/filestorage"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/memory"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/sqlite"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/storetest"
)

// TestImport_allOrNothing meets a store that fails in the middle.
func TestImport_allOrNothing(t *testing.T) {
	f := newFixture(t)
	rows := "[" + strings.Join([]string{groupRow(1, "g"), userRow(1, "a"), userRow(2, "b"), tokenRow(someKey, 2)}, ",") + "]"
	for fails := range 6 {
		f.m.Store = &failingAfter{Store: f.store, left: fails}
		f.fail(503, "importing", "POST", "import", rows)
		page, _, err := f.store.Users(t.Context(), "", 10)
		if err != nil || len(page) > 0 || f.group("g") != nil {
			t.Fatalf("after %d operations: %v, %v", fails, page, err)
		}
	}
	// Without transactions what was done stays, and another import goes on.
	plain := &failingAfter{Store: f.store, left: 6}
	f.m.Store = struct{ tokenstore.Store }{plain}
	f.fail(501, "no transactions", "POST", "import?dry_run=true", rows)
	f.fail(503, "importing", "POST", "import", rows)
	plain.left = 1000
	report := must[ImportReport](f, "POST", "import", rows)
	if report.Users != (ImportCounts{Created: 1, Unchanged: 1}) || !f.accepts(someKey) {
		t.Errorf("resumed: %+v", report)
	}
	rows = "[" + userRow(3, "off", `"is_active": false`) + "," + tokenRow("x"+someKey, 3) + "]"
	f.notes(must[ImportReport](f, "POST", "import", rows), noteInactiveOwner)
}

// TestImport_everyFault lets every single call of the store fail, or its answer be
// lost, in an import that does all that an import can.
func TestImport_everyFault(t *testing.T) {
	for name, store := range map[string]tokenstore.Store{"memory": memory.New(), "sqlite": sqliteStore(t)} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.store = store
			failing := storetest.Failing(store)
			f.m.Store = failing
			t.Cleanup(func() { _ = store.Close() })
			f.imports("", groupRow(1, "g", "add_book"), groupRow(2, "old", "add_book"), userRow(1, "a"), userRow(2, "b"), userRow(3, "gone"), userRow(4, "off"),
				userRow(5, "deleted"), userRow(6, "shut"), tokenRow(someKey, 1), tokenRow("gone"+someKey, 3), tokenRow("revoked"+someKey, 2),
				knoxRow("known", 1, soon), knoxRow("pruned", 1, soon), clientRow(2, "web", ""), durinRow("first", 1, 2, nextYear))
			must[any](f, "DELETE", "users/deleted", "")
			must[any](f, "PATCH", "users/shut", `{"active":false}`)
			must[any](f, "DELETE", "tokens?user=b", "")
			dump := "[" + strings.Join([]string{
				groupRow(1, "g", "change_book"), groupRow(3, "new", "add_book"), userRow(1, "b"), userRow(2, "a", `"groups": [["g"]]`), userRow(7, "new"),
				userRow(4, "off", `"is_active": false`, `"password": "`+otherHash+`"`), userRow(5, "deleted"), userRow(6, "shut"),
				tokenRow("next"+someKey, 1), tokenRow("off"+someKey, 4), tokenRow("revoked"+someKey, 2), tokenRow("new"+someKey, 7), tokenRow("x"+someKey, 5),
				knoxRow("known", 1, nextYear), clientRow(2, "web", "5/m"), clientRow(3, "cli", ""), durinRow("second", 1, 2, nextYear),
				sessionRow(cookieKey, 1, djangoHash, soon), sessionRow("b"+cookieKey[1:], 4, otherHash, soon),
			}, ",") + "]"
			imports := func(dryRun bool) error {
				_, err := f.m.Import(t.Context(), strings.NewReader(dump), ImportOptions{Passwords: true, Prune: true, DryRun: dryRun, SecretKeys: []string{projectKey}})
				return err
			}
			before := f.contents()
			failing.FailAt(0)
			if err := imports(true); err != nil || f.contents() != before {
				t.Fatalf("a dry run: %v", err)
			}
			calls := append([]string{"Sweep"}, failing.Calls()...) // which a dry run does not
			if len(calls) < 50 {
				t.Errorf("the import is %d calls", len(calls))
			}
			whole := slices.Index(calls, "InTx") + 1
			for n := range len(calls) {
				for _, fault := range []func(int){failing.FailAt, failing.LoseAt} {
					if n+1 == whole {
						continue
					}
					fault(n + 1)
					err := imports(false)
					if !errors.Is(err, tokenstore.ErrUnavailable) {
						t.Errorf("call %d, %s: %v", n+1, calls[n], err)
					}
					if after := f.contents(); after != before {
						t.Fatalf("call %d, %s, left a part:\n%s\nbefore:\n%s", n+1, calls[n], after, before)
					}
				}
			}
			failing.FailAt(whole)
			if err := imports(false); !errors.Is(err, tokenstore.ErrUnavailable) || f.contents() != before {
				t.Errorf("no transaction: %v", err)
			}
			// It is done, and nobody was told: another import finds that out.
			failing.LoseAt(whole)
			err := imports(false)
			after := f.contents()
			if !errors.Is(err, tokenstore.ErrUnavailable) || after == before {
				t.Errorf("a lost answer: %v", err)
			}
			failing.FailAt(0)
			if err := imports(false); err != nil || f.contents() != after {
				t.Errorf("after a lost answer: %v\n%s\nbefore:\n%s", err, f.contents(), after)
			}
		})
	}
}

// contents are all that the store holds.
func (f *fixture) contents() string {
	f.t.Helper()
	groups, err := f.store.Groups(f.t.Context())
	people, _, usersErr := f.store.Users(f.t.Context(), "", tokenstore.MaxPage)
	tokens, _, listErr := f.store.List(f.t.Context(), tokenstore.Filter{}, "", tokenstore.MaxPage)
	if err := errors.Join(err, usersErr, listErr); err != nil {
		f.t.Fatal(err)
	}
	return fmt.Sprintf("%+v\n%+v\n%+v", groups, people, tokens)
}

// sqliteStore opens a new file.
func sqliteStore(t *testing.T) tokenstore.Store {
	t.Helper()
	ctx, err := caddy.ProvisionContext(&caddy.Config{
		Admin: &caddy.AdminConfig{Disabled: true}, StorageRaw: fmt.Appendf(nil, `{"module":"file_system","root":%q}`, t.TempDir()),
	})
	if err != nil {
		t.Fatal(err)
	}
	driver := &sqlite.Driver{Path: filepath.Join(t.TempDir(), "private", "rest_auth.db")}
	if err := driver.Provision(ctx); err != nil {
		t.Fatal(err)
	}
	store, err := driver.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// TestImport_canceled ends the request in the midst of the transaction.
func TestImport_canceled(t *testing.T) {
	f := newFixture(t)
	ctx, cancel := context.WithCancel(t.Context())
	f.m.Directory = hangUp{cancel}
	_, err := f.m.Import(ctx, strings.NewReader(userRow(1, "a")+userRow(2, "b")+userRow(3, "last")+userRow(4, "d")), ImportOptions{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Import = %v, want %v", err, context.Canceled)
	}
	if page, _, err := f.store.Users(t.Context(), "", 10); err != nil || len(page) > 0 {
		t.Errorf("a canceled import left %v, %v", page, err)
	}
}

// hangUp is a Directory that cancels when it is asked for the last user.
type hangUp struct{ cancel func() }

func (h hangUp) Configured(name string) bool {
	if name == "last" {
		h.cancel()
	}
	return false
}

func (h hangUp) Active(string) bool { return true }

func (h hangUp) Names() []string { return nil }

// A failingAfter store fails after some operations.
type failingAfter struct {
	tokenstore.Store
	left int
}

func (s *failingAfter) use() error {
	if s.left--; s.left < 0 {
		return tokenstore.ErrUnavailable
	}
	return nil
}

func (s *failingAfter) InTx(ctx context.Context, f func(tokenstore.Store) error) error {
	return s.Store.(tokenstore.Transactor).InTx(ctx, func(inner tokenstore.Store) error {
		return f(&failingAfter{inner, s.left})
	})
}

func (s *failingAfter) PutUser(ctx context.Context, u tokenstore.User) (tokenstore.User, error) {
	if err := s.use(); err != nil {
		return tokenstore.User{}, err
	}
	return s.Store.PutUser(ctx, u)
}

func (s *failingAfter) PutGroup(ctx context.Context, g tokenstore.Group) error {
	if err := s.use(); err != nil {
		return err
	}
	return s.Store.PutGroup(ctx, g)
}

func (s *failingAfter) Create(ctx context.Context, c tokenstore.Credential, max int, evict bool) error {
	if err := s.use(); err != nil {
		return err
	}
	return s.Store.Create(ctx, c, max, evict)
}

func (s *failingAfter) Remember(ctx context.Context, key string, until time.Time) (bool, error) {
	if err := s.use(); err != nil {
		return false, err
	}
	return s.Store.Remember(ctx, key, until)
}
