// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package livestore

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func TestWrites_announced(t *testing.T) {
	type changes = []tokenstore.Change
	unknown := fmt.Errorf("committing: %w", tokenstore.ErrUnavailable)
	user := changes{{UserKey: "u"}}
	next := []tokenstore.Credential{{UserKey: "u", Family: "f", ClientID: "c"}}
	rotate := func(next ...tokenstore.Credential) func(context.Context, *Store) error {
		return func(ctx context.Context, s *Store) error {
			_, _, err := s.Rotate(ctx, digest, next, nil, time.Now(), time.Second)
			return err
		}
	}
	remove := func(f tokenstore.Filter, digests ...[]byte) func(context.Context, *Store) error {
		return func(ctx context.Context, s *Store) error { _, err := s.Delete(ctx, f, digests...); return err }
	}
	create := func(c tokenstore.Credential, max int, evict bool) func(context.Context, *Store) error {
		return func(ctx context.Context, s *Store) error { return s.Create(ctx, c, max, evict) }
	}
	put := func(u tokenstore.User) func(context.Context, *Store) error {
		return func(ctx context.Context, s *Store) error { _, err := s.PutUser(ctx, u); return err }
	}
	tests := map[string]struct {
		do   func(ctx context.Context, s *Store) error
		call string
		err  error
		won  bool
		used tokenstore.Credential
		want changes
	}{
		"create":                    {call: "create", do: create(tokenstore.Credential{UserKey: "u"}, 2, false)},
		"create, evicting":          {call: "create", do: create(tokenstore.Credential{UserKey: "u"}, 2, true), want: user},
		"create, at the limit":      {call: "create", do: create(tokenstore.Credential{UserKey: "u"}, 2, true), err: tokenstore.ErrLimit},
		"create, outcome unknown":   {call: "create", do: create(tokenstore.Credential{UserKey: "u"}, 2, true), err: unknown, want: user},
		"consume":                   {call: "consume", do: operations["consume"], used: tokenstore.Credential{ID: "i", Family: "f"}, want: changes{{CredentialID: "i"}}},
		"consume, not there":        {call: "consume", do: operations["consume"], err: tokenstore.ErrNotFound},
		"consume, reused":           {call: "consume", do: operations["consume"], err: tokenstore.ErrReused, want: all},
		"consume, reused and told":  {call: "consume", do: operations["consume"], err: tokenstore.ErrReused, used: tokenstore.Credential{Family: "f"}, want: changes{{Family: "f"}}},
		"consume, cancelled":        {call: "consume", do: operations["consume"], err: context.Canceled, want: all},
		"rotate":                    {call: "rotate", do: rotate(next...), won: true, want: changes{{UserKey: "u", Family: "f"}}},
		"rotate, retried":           {call: "rotate", do: rotate(next...)},
		"rotate, not there":         {call: "rotate", do: rotate(next...), err: tokenstore.ErrNotFound},
		"rotate, reused":            {call: "rotate", do: rotate(next...), err: tokenstore.ErrReused, want: changes{{UserKey: "u", Family: "f"}}},
		"rotate, reused, no user":   {call: "rotate", do: rotate(tokenstore.Credential{Family: "f"}), err: tokenstore.ErrReused, want: all},
		"rotate, for a client":      {call: "rotate", do: rotate(tokenstore.Credential{ClientID: "c"}), won: true, want: changes{{ClientID: "c"}}},
		"rotate, nameless":          {call: "rotate", do: rotate(tokenstore.Credential{}), won: true, want: all},
		"rotate, into nothing":      {call: "rotate", do: rotate(), won: true, want: all},
		"rotate, into two":          {call: "rotate", do: rotate(next[0], next[0], tokenstore.Credential{UserKey: "v"}), won: true, want: changes{{UserKey: "u", Family: "f"}, {UserKey: "v"}}},
		"delete by ID":              {call: "delete", do: remove(tokenstore.Filter{ID: "i"}), want: changes{{CredentialID: "i"}}},
		"delete by all names":       {call: "delete", do: remove(tokenstore.Filter{ID: "i", UserKey: "u", ClientID: "c", Family: "f", Kind: "k"}), want: changes{{CredentialID: "i", UserKey: "u", ClientID: "c", Family: "f"}}},
		"delete by kind":            {call: "delete", do: remove(tokenstore.Filter{Kind: "k"}), want: all},
		"delete by digest":          {call: "delete", do: remove(tokenstore.Filter{}, digest), want: all},
		"delete, outcome unknown":   {call: "delete", do: remove(tokenstore.Filter{UserKey: "u"}), err: unknown, want: user},
		"delete, cancelled":         {call: "delete", do: remove(tokenstore.Filter{UserKey: "u"}), err: context.DeadlineExceeded, want: user},
		"revoke":                    {call: "revoke", do: operations["revoke"], want: changes{{Family: "f"}}},
		"revoke, outcome unknown":   {call: "revoke", do: operations["revoke"], err: unknown, want: changes{{Family: "f"}}},
		"put user":                  {call: "put_user", do: put(tokenstore.User{Key: "u"}), want: user},
		"put user, new":             {call: "put_user", do: put(tokenstore.User{}), want: changes{{UserKey: "store:new"}}},
		"put user, outcome unknown": {call: "put_user", do: put(tokenstore.User{Key: "u"}), err: unknown, want: user},
		"put user, new and unknown": {call: "put_user", do: put(tokenstore.User{}), err: unknown},
		"rehash":                    {call: "rehash", do: func(ctx context.Context, s *Store) error { return s.Rehash(ctx, "u", "a", "b") }, want: user},
		"delete user":               {call: "delete_user", do: func(ctx context.Context, s *Store) error { return s.DeleteUser(ctx, "u") }, want: user},
		"delete user, by another":   {call: "delete_user", do: func(ctx context.Context, s *Store) error { return s.DeleteUser(ctx, "u") }, err: tokenstore.ErrNotFound, want: user},
		"put group":                 {call: "put_group", do: operations["put_group"], want: all},
		"delete group":              {call: "delete_group", do: operations["delete_group"], want: all},
		"put client": {call: "put_client", do: func(ctx context.Context, s *Store) error {
			_, err := s.PutClient(ctx, tokenstore.Client{ID: "c"})
			return err
		}, want: changes{{ClientID: "c"}}},
		"delete client":        {call: "delete_client", do: func(ctx context.Context, s *Store) error { return s.DeleteClient(ctx, "c") }, want: changes{{ClientID: "c"}}},
		"transaction":          {call: "in_tx", do: operations["in_tx"], want: all},
		"transaction, undone":  {call: "in_tx", do: operations["in_tx"], err: tokenstore.ErrExists},
		"transaction, unknown": {call: "in_tx", do: operations["in_tx"], err: unknown, want: all},
		"remember":             {call: "remember", do: operations["remember"]},
		"sweep":                {call: "sweep", do: operations["sweep"]},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d := newDriver()
			s, _ := acquire(t, d)
			other, _ := acquire(t, d) // another configuration hears of it too
			var h heard
			defer other.Subscribe(h.listen)()
			h.take()
			d.store.answer(test.call, test.err)
			d.store.won, d.store.credential = test.won, test.used
			d.store.during = func() {
				if got := h.take(); len(got) != 0 {
					t.Errorf("heard %v before the write was committed", got)
				}
			}
			// Announcements are made on this goroutine: what was not heard when
			// the writer returns, the writer was told too early.
			if err := test.do(t.Context(), s); err != test.err {
				t.Errorf("the writer was told %v, want %v", err, test.err)
			}
			if got := h.take(); !slices.Equal(got, test.want) {
				t.Errorf("heard %+v, want %+v", got, test.want)
			}
		})
	}
}
