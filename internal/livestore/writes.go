// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package livestore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// errDryRun refuses what a request would write that is only asked about.
var errDryRun = fmt.Errorf("writing in a dry run: %w", errors.ErrUnsupported)

// write does an operation, and announces the changes that f names, whether it
// failed or not. Only then does the caller learn of it.
func (s *Store) write(ctx context.Context, operation string, f func(tokenstore.Store) ([]tokenstore.Change, error)) error {
	if auth.DryRun(ctx) {
		return errDryRun
	}
	return s.call(ctx, operation, func(inner tokenstore.Store) error {
		changes, err := f(inner)
		s.shared.feed.announce(changes...)
		return err
	})
}

// Create implements tokenstore.Store.
func (s *Store) Create(ctx context.Context, c tokenstore.Credential, max int, evict bool) error {
	return s.write(ctx, "create", func(inner tokenstore.Store) ([]tokenstore.Change, error) {
		err := inner.Create(ctx, c, max, evict)
		return created(c, max, evict, err), err
	})
}

// Consume implements tokenstore.Store.
func (s *Store) Consume(ctx context.Context, digest []byte, now time.Time) (c tokenstore.Credential, err error) {
	err = s.write(ctx, "consume", func(inner tokenstore.Store) (_ []tokenstore.Change, err error) {
		c, err = inner.Consume(ctx, digest, now)
		return consumed(c, err), err
	})
	return c, err
}

// Rotate implements tokenstore.Store.
func (s *Store) Rotate(ctx context.Context, old []byte, next []tokenstore.Credential, sealed []byte, now time.Time, grace time.Duration) (reply []byte, won bool, err error) {
	err = s.write(ctx, "rotate", func(inner tokenstore.Store) (_ []tokenstore.Change, err error) {
		reply, won, err = inner.Rotate(ctx, old, next, sealed, now, grace)
		return rotated(next, won, err), err
	})
	return reply, won, err
}

// Delete implements tokenstore.Store.
func (s *Store) Delete(ctx context.Context, f tokenstore.Filter, digests ...[]byte) (n int, err error) {
	err = s.write(ctx, "delete", func(inner tokenstore.Store) (_ []tokenstore.Change, err error) {
		n, err = inner.Delete(ctx, f, digests...)
		return deleted(f), err
	})
	return n, err
}

// Revoke implements tokenstore.Store.
func (s *Store) Revoke(ctx context.Context, family string, until time.Time) error {
	return s.write(ctx, "revoke", func(inner tokenstore.Store) ([]tokenstore.Change, error) {
		return named(tokenstore.Change{Family: family}), inner.Revoke(ctx, family, until)
	})
}

// PutUser implements tokenstore.Store.
func (s *Store) PutUser(ctx context.Context, u tokenstore.User) (stored tokenstore.User, err error) {
	err = s.write(ctx, "put_user", func(inner tokenstore.Store) (_ []tokenstore.Change, err error) {
		stored, err = inner.PutUser(ctx, u)
		key := u.Key
		if key == "" {
			key = stored.Key
		}
		if key == "" { // nobody remembers a user who got no key
			return nil, err
		}
		return changedUser(key), err
	})
	return stored, err
}

// Rehash implements tokenstore.Store.
func (s *Store) Rehash(ctx context.Context, key, old, new string) error {
	return s.write(ctx, "rehash", func(inner tokenstore.Store) ([]tokenstore.Change, error) {
		return changedUser(key), inner.Rehash(ctx, key, old, new)
	})
}

// DeleteUser implements tokenstore.Store.
func (s *Store) DeleteUser(ctx context.Context, key string) error {
	return s.write(ctx, "delete_user", func(inner tokenstore.Store) ([]tokenstore.Change, error) {
		return changedUser(key), inner.DeleteUser(ctx, key)
	})
}

// PutGroup implements tokenstore.Store.
func (s *Store) PutGroup(ctx context.Context, g tokenstore.Group) error {
	return s.write(ctx, "put_group", func(inner tokenstore.Store) ([]tokenstore.Change, error) {
		return everything, inner.PutGroup(ctx, g)
	})
}

// DeleteGroup implements tokenstore.Store.
func (s *Store) DeleteGroup(ctx context.Context, name string) error {
	return s.write(ctx, "delete_group", func(inner tokenstore.Store) ([]tokenstore.Change, error) {
		return everything, inner.DeleteGroup(ctx, name)
	})
}

// PutClient implements tokenstore.Store.
func (s *Store) PutClient(ctx context.Context, c tokenstore.Client) (stored tokenstore.Client, err error) {
	err = s.write(ctx, "put_client", func(inner tokenstore.Store) (_ []tokenstore.Change, err error) {
		stored, err = inner.PutClient(ctx, c)
		return named(tokenstore.Change{ClientID: c.ID}), err
	})
	return stored, err
}

// DeleteClient implements tokenstore.Store.
func (s *Store) DeleteClient(ctx context.Context, id string) error {
	return s.write(ctx, "delete_client", func(inner tokenstore.Store) ([]tokenstore.Change, error) {
		return named(tokenstore.Change{ClientID: id}), inner.DeleteClient(ctx, id)
	})
}

// InTx implements tokenstore.Transactor.
func (s *Store) InTx(ctx context.Context, f func(tokenstore.Store) error) error {
	return s.write(ctx, "in_tx", func(inner tokenstore.Store) ([]tokenstore.Change, error) {
		transactor, ok := inner.(tokenstore.Transactor)
		if !ok {
			return nil, fmt.Errorf("beginning a transaction: %w", errors.ErrUnsupported)
		}
		err := transactor.InTx(ctx, f)
		return transacted(err), err
	})
}

// Remember implements tokenstore.Store. In a dry run it only looks.
func (s *Store) Remember(ctx context.Context, key string, until time.Time) (fresh bool, err error) {
	if auth.DryRun(ctx) {
		known, err := s.Known(ctx, key)
		return err == nil && !known, err
	}
	err = s.call(ctx, "remember", func(inner tokenstore.Store) (err error) {
		fresh, err = inner.Remember(ctx, key, until)
		return err
	})
	return fresh, err
}

// Hit implements tokenstore.Store. In a dry run nothing is counted, and nobody
// waits.
func (s *Store) Hit(ctx context.Context, key string, limit int, per time.Duration, now time.Time) (wait time.Duration, err error) {
	if auth.DryRun(ctx) {
		return 0, nil
	}
	err = s.call(ctx, "hit", func(inner tokenstore.Store) (err error) {
		wait, err = inner.Hit(ctx, key, limit, per, now)
		return err
	})
	return wait, err
}

// Attempt implements tokenstore.Store. In a dry run it only looks.
func (s *Store) Attempt(ctx context.Context, key string, b tokenstore.Backoff, now time.Time) (wait time.Duration, err error) {
	if auth.DryRun(ctx) {
		counted, err := s.Attempted(ctx, key)
		return b.Wait(counted, now), err
	}
	err = s.call(ctx, "attempt", func(inner tokenstore.Store) (err error) {
		wait, err = inner.Attempt(ctx, key, b, now)
		return err
	})
	return wait, err
}

// Refund implements tokenstore.Store.
func (s *Store) Refund(ctx context.Context, key string) error {
	if auth.DryRun(ctx) {
		return nil
	}
	return s.call(ctx, "refund", func(inner tokenstore.Store) error {
		return inner.Refund(ctx, key)
	})
}

// Forget implements tokenstore.Store.
func (s *Store) Forget(ctx context.Context, key string) error {
	if auth.DryRun(ctx) {
		return nil
	}
	return s.call(ctx, "forget", func(inner tokenstore.Store) error {
		return inner.Forget(ctx, key)
	})
}

// Sweep implements tokenstore.Store. What goes has ended, so that nobody
// remembers it as good.
func (s *Store) Sweep(ctx context.Context, before time.Time, max int) (n int, err error) {
	err = s.call(ctx, "sweep", func(inner tokenstore.Store) (err error) {
		n, err = inner.Sweep(ctx, before, max)
		return err
	})
	return n, err
}
