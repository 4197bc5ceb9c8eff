// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const (
	spend = `UPDATE credentials SET state = ?, sealed = ?, grace = ?, slot = '',
		ends = CASE WHEN expires = ? THEN ? ELSE expires END WHERE digest = ?`
	silence       = `UPDATE credentials SET state = 1, sealed = ? WHERE digest = ? AND state <> 0`
	silenceFamily = `UPDATE credentials SET state = 1, sealed = ? WHERE family = ? AND family <> '' AND state = 2`
	livingFamily  = ` AND c.family = ? AND c.family <> '' AND c.state = 0`
)

// Consume is tokenstore.Store's.
func (o Ops) Consume(ctx context.Context, digest []byte, now time.Time) (c tokenstore.Credential, err error) {
	err = o.Engine.Write(ctx, func(t *Tx) error {
		c = tokenstore.Credential{}
		rec, err := t.find(ctx, findRecord, digest)
		if err != nil {
			return err
		}
		if rec != nil && rec.state != living {
			return t.reused(ctx, rec)
		}
		if err := rec.standing(now); err != nil {
			return err
		}
		c = rec.Credential
		return t.spend(ctx, rec, spent, nil, 0, now)
	})
	if err != nil {
		return tokenstore.Credential{}, err
	}
	return c, nil
}

// Rotate is tokenstore.Store's.
func (o Ops) Rotate(ctx context.Context, old []byte, next []tokenstore.Credential, sealed []byte, now time.Time, grace time.Duration) (reply []byte, won bool, err error) {
	if len(sealed) > tokenstore.MaxData {
		return nil, false, tokenstore.ErrTooLarge
	}
	for _, c := range next {
		if err := check(c); err != nil {
			return nil, false, err
		}
	}
	err = o.Engine.Write(ctx, func(t *Tx) error {
		reply, won = nil, false
		rec, err := t.find(ctx, findRecord, old)
		if err != nil {
			return err
		}
		if rec != nil && rec.state != living {
			reply, err = t.again(ctx, rec, now)
			return err
		}
		if err := rec.standing(now); err != nil {
			return err
		}
		if err := t.spend(ctx, rec, rotated, sealed, micros(now.Add(grace)), now); err != nil {
			return err
		}
		for _, c := range next {
			if err := t.create(ctx, c, 0, false); err != nil {
				return err
			}
		}
		reply, won = append([]byte(nil), sealed...), true
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	return reply, won, nil
}

// again answers a retry of the rotation of a spent record.
func (t *Tx) again(ctx context.Context, rec *record, now time.Time) ([]byte, error) {
	if rec.state != rotated || micros(now) >= rec.grace {
		return nil, t.reused(ctx, rec)
	}
	if !rec.bound() || !userless(rec.UserKey) && !rec.user.Active {
		return nil, tokenstore.ErrNotFound
	}
	return rec.sealed, nil
}

func (t *Tx) spend(ctx context.Context, rec *record, state int, sealed []byte, grace int64, now time.Time) error {
	_, err := t.Exec(ctx, spend, state, blob(sealed), grace, never, micros(now.Add(tokenstore.SpentLife)), rec.Digest)
	t.changed(tokenstore.Change{CredentialID: rec.ID})
	return err
}

// reused revokes the family of a spent record that came again. Its spent members
// stay, so that they are noticed too, but hand out no reply any more.
func (t *Tx) reused(ctx context.Context, rec *record) error {
	if _, err := t.Exec(ctx, silence, blob(nil), rec.Digest); err != nil {
		return err
	}
	if rec.Family == "" {
		return tokenstore.ErrReused
	}
	if _, err := t.Exec(ctx, silenceFamily, blob(nil), rec.Family); err != nil {
		return err
	}
	if _, err := t.revoke(ctx, livingFamily, rec.Family); err != nil {
		return err
	}
	t.changed(tokenstore.Change{Family: rec.Family})
	return tokenstore.ErrReused
}
