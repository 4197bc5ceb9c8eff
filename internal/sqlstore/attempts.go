// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const (
	getAttempts  = `SELECT key, n, latest FROM attempts WHERE key = ?`
	listAttempts = `SELECT key, n, latest FROM attempts WHERE key >= ? ORDER BY key LIMIT ?`
	putAttempts  = `INSERT INTO attempts (key, n, latest, ends) VALUES (?, ?, ?, ?)
		ON CONFLICT (key) DO UPDATE SET n = excluded.n, latest = excluded.latest, ends = excluded.ends`
	refund         = `UPDATE attempts SET n = n - 1 WHERE key = ?`
	refunded       = `DELETE FROM attempts WHERE key = ? AND n <= 0`
	forgetAttempts = `DELETE FROM attempts WHERE key = ?`
)

var errNoKey = errors.New("counting an attempt without a key")

// Attempt is tokenstore.Store's. It reads first, since who is told to wait need
// not wait for a transaction, nor have others do so.
func (o Ops) Attempt(ctx context.Context, key string, b tokenstore.Backoff, now time.Time) (wait time.Duration, err error) {
	if key == "" {
		return 0, errNoKey
	}
	key = tokenstore.AttemptKey(key)
	err = o.Engine.Read(ctx, func(conn *Conn) error {
		counted, err := conn.attempts(ctx, key)
		wait = b.Wait(counted, now)
		return err
	})
	if err != nil || wait > 0 {
		return wait, err
	}
	err = o.Engine.Write(ctx, func(t *Tx) error {
		counted, err := t.attempts(ctx, key)
		if err != nil {
			return err
		}
		if wait = b.Wait(counted, now); wait > 0 {
			return nil
		}
		next := b.Count(counted, now)
		_, err = t.Exec(ctx, putAttempts, key, next.Count, micros(next.Last), micros(b.Ends(next)))
		return err
	})
	if err != nil {
		return 0, err
	}
	return wait, nil
}

// attempts reads what is counted under a key.
func (c *Conn) attempts(ctx context.Context, key string) (tokenstore.Attempts, error) {
	counted := tokenstore.Attempts{Key: key}
	var latest int64
	_, err := c.Row(ctx, getAttempts, []any{key}, &counted.Key, &counted.Count, &latest)
	counted.Last = moment(latest)
	return counted, err
}

// Refund is tokenstore.Store's.
func (o Ops) Refund(ctx context.Context, key string) error {
	key = tokenstore.AttemptKey(key)
	return o.Engine.Write(ctx, func(t *Tx) error {
		if n, err := t.Exec(ctx, refund, key); err != nil || n == 0 {
			return err
		}
		_, err := t.Exec(ctx, refunded, key)
		return err
	})
}

// Attempted is tokenstore.Store's.
func (o Ops) Attempted(ctx context.Context, key string) (counted tokenstore.Attempts, err error) {
	key = tokenstore.AttemptKey(key)
	err = o.Engine.Read(ctx, func(conn *Conn) error {
		counted, err = conn.attempts(ctx, key)
		return err
	})
	if err != nil {
		return tokenstore.Attempts{}, err
	}
	return counted, nil
}

// Attempts is tokenstore.Store's.
func (o Ops) Attempts(ctx context.Context, prefix, cursor string, n int) (page []tokenstore.Attempts, next string, err error) {
	start, err := pageStart(attemptCursors, prefix, cursor)
	if err != nil {
		return nil, "", err
	}
	n = clamp(n)
	err = o.Engine.Read(ctx, func(conn *Conn) error {
		page = nil
		return conn.Rows(ctx, listAttempts, []any{start, n + 1}, func(row Scanner) error {
			var counted tokenstore.Attempts
			var latest int64
			err := row.Scan(&counted.Key, &counted.Count, &latest)
			counted.Last = moment(latest)
			if strings.HasPrefix(counted.Key, prefix) {
				page = append(page, counted)
			}
			return err
		})
	})
	if err != nil {
		return nil, "", err
	}
	if len(page) > n {
		page = page[:n]
		next = newCursor(attemptCursors, page[n-1].Key)
	}
	return page, next, nil
}
