// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// TestImport_allOrNothing meets a store that fails in the middle.
func TestImport_allOrNothing(t *testing.T) {
	f := newFixture(t)
	rows := "[" + strings.Join([]string{groupRow(1, "g"), userRow(1, "a"), userRow(2, "b"), tokenRow(someKey, 2)}, ",") + "]"
	for fails := range 7 {
		f.m.Store = &failingAfter{Store: f.store, left: fails}
		f.fail(503, "importing", "POST", "import", rows)
		page, _, err := f.store.Users(t.Context(), "", 10)
		if err != nil || len(page) > 0 || f.group("g") != nil {
			t.Fatalf("after %d operations: %v, %v", fails, page, err)
		}
	}
	// Without transactions what was done stays, and another import goes on.
	plain := &failingAfter{Store: f.store, left: 4}
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
