// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"errors"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const (
	addRevoked = `INSERT INTO revoked (family, ends) VALUES (?, ?) ON CONFLICT (family) DO UPDATE
		SET ends = CASE WHEN revoked.ends < excluded.ends THEN excluded.ends ELSE revoked.ends END`
	isRevoked  = `SELECT count(*) FROM revoked WHERE family = ?`
	anyRevoked = `SELECT count(*) FROM (SELECT 1 FROM revoked LIMIT 1) AS one`
)

// Revoke is tokenstore.Store's.
func (o Ops) Revoke(ctx context.Context, family string, until time.Time) error {
	if family == "" {
		return errors.New("revoking a family without a name")
	}
	if err := within(family); err != nil {
		return err
	}
	filter := tokenstore.Filter{Family: family}
	conditions, args := where(filter)
	return o.Engine.Write(ctx, func(t *Tx) error {
		if _, err := t.Exec(ctx, addRevoked, family, end(until)); err != nil {
			return err
		}
		if _, err := t.revokeAll(ctx, common(filter), conditions, args...); err != nil {
			return err
		}
		t.changed(tokenstore.Change{Family: family})
		return nil
	})
}

// Revoked is tokenstore.Store's.
func (o Ops) Revoked(ctx context.Context, family string) (revoked bool, err error) {
	statement, args := isRevoked, []any{family}
	if family == "" {
		statement, args = anyRevoked, nil
	}
	err = o.Engine.Read(ctx, func(conn *Conn) error {
		var n int
		_, err := conn.Row(ctx, statement, args, &n)
		revoked = n > 0
		return err
	})
	return revoked && err == nil, err
}
