// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const (
	remember = `INSERT INTO remembered (key, ends) VALUES (?, ?) ON CONFLICT (key) DO NOTHING`
	prolong  = `UPDATE remembered SET ends = ? WHERE key = ? AND ends < ?`
	isKnown  = `SELECT count(*) FROM remembered WHERE key = ?`
	unlearn  = `DELETE FROM remembered WHERE key = ?`
	uncount  = `DELETE FROM counters WHERE key = ?`
)

// Remember is tokenstore.Store's.
func (o Ops) Remember(ctx context.Context, key string, until time.Time) (fresh bool, err error) {
	key = indexed(key)
	err = o.Engine.Write(ctx, func(t *Tx) error {
		n, err := t.Exec(ctx, remember, key, end(until))
		fresh = n > 0
		if err != nil || fresh {
			return err
		}
		_, err = t.Exec(ctx, prolong, end(until), key, end(until))
		return err
	})
	return fresh && err == nil, err
}

// Known is tokenstore.Store's.
func (o Ops) Known(ctx context.Context, key string) (known bool, err error) {
	key = indexed(key)
	err = o.Engine.Read(ctx, func(conn *Conn) error {
		var n int
		_, err := conn.Row(ctx, isKnown, []any{key}, &n)
		known = n > 0
		return err
	})
	return known && err == nil, err
}

// Forget is tokenstore.Store's.
func (o Ops) Forget(ctx context.Context, key string) error {
	return o.Engine.Write(ctx, func(t *Tx) error {
		if _, err := t.Exec(ctx, unlearn, indexed(key)); err != nil {
			return err
		}
		if _, err := t.Exec(ctx, uncount, indexed(key)); err != nil {
			return err
		}
		_, err := t.Exec(ctx, forgetAttempts, tokenstore.AttemptKey(key))
		return err
	})
}
