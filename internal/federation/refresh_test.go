// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package federation

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// disabling is a store in which an operator disables users whenever they are
// read.
type disabling struct{ tokenstore.Store }

func (s disabling) User(ctx context.Context, key string) (tokenstore.User, error) {
	read, err := s.Store.User(ctx, key)
	disabled := read
	disabled.Active = false
	_, failed := s.PutUser(ctx, disabled)
	return read, errors.Join(err, failed)
}

func TestAccounts_Refresh(t *testing.T) {
	for name, test := range map[string]struct {
		link        string
		claims      string
		name, email string
	}{
		"both":            {"subject", `{"sub":"u1","name":"Alice B.","email":"b@example.com"}`, "Alice B.", "b@example.com"},
		"nothing said":    {"subject", `{"sub":"u1"}`, "Alice", "alice@example.com"},
		"not verified":    {"subject", `{"sub":"u1","email":"b@example.com","email_verified":false}`, "Alice", "alice@example.com"},
		"linked by claim": {"login", `{"sub":"u1","login":"alice","name":"Mallory","email":"b@example.com"}`, "Alice", "alice@example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			a, store := newAccounts(t, test.link, false)
			stated, err := new(Mapping).Identity(json.RawMessage(test.claims))
			if err != nil {
				t.Fatal(err)
			}
			id, err := a.Identity(t.Context(), stated, testIssuer, "u1")
			if err != nil {
				t.Fatal(err)
			}
			before, _ := store.UserByName(t.Context(), "alice")
			a.Refresh(auth.WithDryRun(t.Context()), id, stated)
			if after, _ := store.UserByName(t.Context(), "alice"); after.Version != before.Version {
				t.Error("a dry run writes")
			}
			a.Refresh(t.Context(), id, stated)
			after, err := store.UserByName(t.Context(), "alice")
			if err != nil || after.FullName != test.name || after.Email != test.email || id.Name != test.name || id.Email != test.email {
				t.Errorf("the user is %+v, %v, for this login %s %s", after, err, id.Name, id.Email)
			}
			if !after.Active || !after.Staff || len(after.Groups) != 1 || after.Key != before.Key || after.OriginID != "u1" {
				t.Errorf("something else has changed: %+v", after)
			}
			a.Refresh(t.Context(), id, stated)
			if again, _ := store.UserByName(t.Context(), "alice"); again.Version != after.Version {
				t.Error("what is known is written again")
			}
		})
	}
}

// TestAccounts_Refresh_raced has an operator disable the user meanwhile, which has
// to stay.
func TestAccounts_Refresh_raced(t *testing.T) {
	a, store := newAccounts(t, "subject", false)
	stated := &auth.Identity{ID: "u1", Name: "Other"}
	id, err := a.Identity(t.Context(), stated, testIssuer, "u1")
	if err != nil {
		t.Fatal(err)
	}
	a.store = disabling{store}
	a.Refresh(t.Context(), id, stated)
	if user, err := store.UserByName(t.Context(), "alice"); err != nil || user.Active || user.FullName != "Alice" {
		t.Errorf("the user is %+v, %v", user, err)
	}
}
