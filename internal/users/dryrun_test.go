// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package users

import (
	"context"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/password"
)

// TestDirectory_dryRun logs in with a hash that is due for renewal, and creates
// a user, without either reaching the store.
func TestDirectory_dryRun(t *testing.T) {
	s := oldUser()
	s.rehash = func(context.Context, string, string, string) error {
		t.Error("a dry run renews a hash")
		return nil
	}
	d, err := New(nil, s, password.New(password.Config{}), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx := auth.WithDryRun(t.Context())
	if id, err := d.Authenticate(ctx, "alice", "secret"); err != nil || id.ID != "alice" {
		t.Errorf("Authenticate = %v, %v", id, err)
	}
	before := len(s.users)
	if id, err := d.Create(ctx, "bob"); err != nil || id.ID != "bob" || id.Key == "" || len(s.users) != before {
		t.Errorf("Create = %+v, %v, and the store has %d users", id, err, len(s.users))
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}
