// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package livestore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// call does an operation that changes nothing that anybody remembers.
func (s *Store) call(ctx context.Context, operation string, f func(tokenstore.Store) error) error {
	began := time.Now()
	inner, err := s.shared.use(ctx)
	if err == nil {
		defer s.shared.leave()
		err = f(inner)
	}
	s.options.Observe(operation, time.Since(began), err)
	return err
}

// Lookup implements tokenstore.Store.
func (s *Store) Lookup(ctx context.Context, digest []byte, now time.Time) (c tokenstore.Credential, u tokenstore.User, err error) {
	err = s.call(ctx, "lookup", func(inner tokenstore.Store) (err error) {
		c, u, err = inner.Lookup(ctx, digest, now)
		return err
	})
	return c, u, err
}

// Revoked implements tokenstore.Store.
func (s *Store) Revoked(ctx context.Context, family string) (revoked bool, err error) {
	err = s.call(ctx, "revoked", func(inner tokenstore.Store) (err error) {
		revoked, err = inner.Revoked(ctx, family)
		return err
	})
	return revoked, err
}

// List implements tokenstore.Store.
func (s *Store) List(ctx context.Context, f tokenstore.Filter, cursor string, n int) (page []tokenstore.Credential, next string, err error) {
	err = s.call(ctx, "list", func(inner tokenstore.Store) (err error) {
		page, next, err = inner.List(ctx, f, cursor, n)
		return err
	})
	return page, next, err
}

// User implements tokenstore.Store.
func (s *Store) User(ctx context.Context, key string) (u tokenstore.User, err error) {
	err = s.call(ctx, "user", func(inner tokenstore.Store) (err error) {
		u, err = inner.User(ctx, key)
		return err
	})
	return u, err
}

// UserByName implements tokenstore.Store.
func (s *Store) UserByName(ctx context.Context, name string) (u tokenstore.User, err error) {
	err = s.call(ctx, "user_by_name", func(inner tokenstore.Store) (err error) {
		u, err = inner.UserByName(ctx, name)
		return err
	})
	return u, err
}

// UserByOrigin implements tokenstore.Store.
func (s *Store) UserByOrigin(ctx context.Context, origin, id string) (u tokenstore.User, err error) {
	err = s.call(ctx, "user_by_origin", func(inner tokenstore.Store) (err error) {
		u, err = inner.UserByOrigin(ctx, origin, id)
		return err
	})
	return u, err
}

// Users implements tokenstore.Store.
func (s *Store) Users(ctx context.Context, cursor string, n int) (page []tokenstore.User, next string, err error) {
	err = s.call(ctx, "users", func(inner tokenstore.Store) (err error) {
		page, next, err = inner.Users(ctx, cursor, n)
		return err
	})
	return page, next, err
}

// Groups implements tokenstore.Store.
func (s *Store) Groups(ctx context.Context) (groups []tokenstore.Group, err error) {
	err = s.call(ctx, "groups", func(inner tokenstore.Store) (err error) {
		groups, err = inner.Groups(ctx)
		return err
	})
	return groups, err
}

// Client implements tokenstore.Store.
func (s *Store) Client(ctx context.Context, id string) (c tokenstore.Client, err error) {
	err = s.call(ctx, "client", func(inner tokenstore.Store) (err error) {
		c, err = inner.Client(ctx, id)
		return err
	})
	return c, err
}

// Clients implements tokenstore.Store.
func (s *Store) Clients(ctx context.Context, prefix, cursor string, n int) (page []tokenstore.Client, next string, err error) {
	err = s.call(ctx, "clients", func(inner tokenstore.Store) (err error) {
		page, next, err = inner.Clients(ctx, prefix, cursor, n)
		return err
	})
	return page, next, err
}

// Known implements tokenstore.Store.
func (s *Store) Known(ctx context.Context, key string) (known bool, err error) {
	err = s.call(ctx, "known", func(inner tokenstore.Store) (err error) {
		known, err = inner.Known(ctx, key)
		return err
	})
	return known, err
}

// Attempted implements tokenstore.Store.
func (s *Store) Attempted(ctx context.Context, key string) (counted tokenstore.Attempts, err error) {
	err = s.call(ctx, "attempted", func(inner tokenstore.Store) (err error) {
		counted, err = inner.Attempted(ctx, key)
		return err
	})
	return counted, err
}

// Attempts implements tokenstore.Store.
func (s *Store) Attempts(ctx context.Context, prefix, cursor string, n int) (page []tokenstore.Attempts, next string, err error) {
	err = s.call(ctx, "attempts", func(inner tokenstore.Store) (err error) {
		page, next, err = inner.Attempts(ctx, prefix, cursor, n)
		return err
	})
	return page, next, err
}

// Watch implements tokenstore.Store. Subscribe is cheaper and spans failures.
func (s *Store) Watch(ctx context.Context, changed func(tokenstore.Change)) error {
	return s.call(ctx, "watch", func(inner tokenstore.Store) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(s.shared.ctx, cancel)()
		return inner.Watch(ctx, changed)
	})
}

// Backup implements tokenstore.Backuper.
func (s *Store) Backup(ctx context.Context, w io.Writer) error {
	return s.call(ctx, "backup", func(inner tokenstore.Store) error {
		backuper, ok := inner.(tokenstore.Backuper)
		if !ok {
			return fmt.Errorf("backing up: %w", errors.ErrUnsupported)
		}
		return backuper.Backup(ctx, w)
	})
}

// Verify implements tokenstore.Verifier.
func (s *Store) Verify(ctx context.Context) (problems []string, err error) {
	err = s.call(ctx, "verify", func(inner tokenstore.Store) (err error) {
		verifier, ok := inner.(tokenstore.Verifier)
		if !ok {
			return fmt.Errorf("verifying: %w", errors.ErrUnsupported)
		}
		problems, err = verifier.Verify(ctx)
		return err
	})
	return problems, err
}
