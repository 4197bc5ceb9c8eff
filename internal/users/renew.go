// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package users

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const (
	// maxRenewals bounds how many hashes are renewed at once. A user whose turn
	// it is not is renewed after a later login.
	maxRenewals = 2

	// renewalTimeout bounds how long a renewal keeps a password in memory.
	renewalTimeout = 30 * time.Second
)

// renew replaces an old hash of a user of the store, whose password was just
// verified against it, by one of today's strength. The login does not wait for
// it, and only the log learns if it fails.
func (d *Directory) renew(ctx context.Context, key, hash, pw string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, busy := d.renewing[key]; busy || d.closed || len(d.renewing) >= maxRenewals {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewalTimeout)
	d.renewing[key] = cancel
	d.renewals.Go(func() {
		defer d.renewed(key)
		err := d.rehash(ctx, key, hash, pw)
		if err != nil && !errors.Is(err, context.Canceled) {
			d.logger.Warn("renewing the hash of a password", zap.String("user_key", key), zap.Error(err))
		}
	})
}

func (d *Directory) rehash(ctx context.Context, key, old, pw string) error {
	hash, err := d.hasher.Hash(ctx, pw)
	if err != nil {
		return err
	}
	if err = d.rememberHash(ctx, key, old); err == nil {
		err = d.store.Rehash(ctx, key, old, hash)
	}
	if errors.Is(err, tokenstore.ErrStale) || errors.Is(err, tokenstore.ErrNotFound) {
		return nil // the password was changed, or the user deleted, meanwhile
	}
	return err
}

func (d *Directory) renewed(key string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.renewing[key]()
	delete(d.renewing, key)
}

// Close ends the renewals under way and waits for them.
func (d *Directory) Close() error {
	d.mu.Lock()
	d.closed = true
	for _, cancel := range d.renewing {
		cancel()
	}
	d.mu.Unlock()
	d.renewals.Wait()
	return nil
}
