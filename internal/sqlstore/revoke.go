// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"errors"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const (
	selectRevoked = `SELECT c.id, c.state, c.origin FROM credentials c WHERE 1 = 1`
	countLiving   = `SELECT count(*) FROM credentials c WHERE c.state = 0`
	entomb        = `INSERT INTO tombstones (digest, ends)
		SELECT c.digest, ? FROM credentials c WHERE c.origin <> ''`
	entombEnd     = ` ON CONFLICT (digest) DO UPDATE SET ends = excluded.ends`
	deleteRecords = `DELETE FROM credentials AS c WHERE 1 = 1`
)

// manyRevoked is from where on records are revoked unseen, and reported by what
// they have in common.
const manyRevoked = 64

// Delete is tokenstore.Store's.
func (o Ops) Delete(ctx context.Context, f tokenstore.Filter, digests ...[]byte) (n int, err error) {
	if f == (tokenstore.Filter{}) && len(digests) == 0 {
		return 0, errors.New("deleting without a filter or digests")
	}
	conditions, args := where(f)
	err = o.Engine.Write(ctx, func(t *Tx) (err error) {
		n = 0
		if len(digests) == 0 {
			if n, err = t.revokeAll(ctx, common(f), conditions, args...); err != nil {
				return err
			}
		}
		for _, digest := range digests {
			m, err := t.revoke(ctx, ` AND c.digest = ?`+conditions, append([]any{digest}, args...)...)
			if err != nil {
				return err
			}
			n += m
		}
		if f.Family != "" {
			t.changed(tokenstore.Change{Family: f.Family})
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// common is the report of many records that match a filter.
func common(f tokenstore.Filter) tokenstore.Change {
	switch {
	case f.UserKey != "":
		return tokenstore.Change{UserKey: f.UserKey}
	case f.ClientID != "":
		return tokenstore.Change{ClientID: f.ClientID}
	default:
		return tokenstore.Change{All: true}
	}
}

// revoke removes records, and reports how many of them were not spent.
func (t *Tx) revoke(ctx context.Context, conditions string, args ...any) (n int, err error) {
	return t.revokeAll(ctx, tokenstore.Change{All: true}, conditions, args...)
}

func (t *Tx) revokeAll(ctx context.Context, many tokenstore.Change, conditions string, args ...any) (n int, err error) {
	var ids []string
	imported := false
	err = t.Rows(ctx, selectRevoked+conditions+` LIMIT ?`, append(args[:len(args):len(args)], manyRevoked), func(row Scanner) error {
		var id, origin string
		var state int
		if err := row.Scan(&id, &state, &origin); err != nil {
			return err
		}
		ids = append(ids, id)
		imported = imported || origin != ""
		if state == living {
			n++
		}
		return nil
	})
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	unseen := len(ids) == manyRevoked
	if imported || unseen {
		if _, err := t.Exec(ctx, entomb+conditions+entombEnd, append([]any{int64(forever)}, args...)...); err != nil {
			return 0, err
		}
	}
	if unseen {
		if _, err := t.Row(ctx, countLiving+conditions, args, &n); err != nil {
			return 0, err
		}
		t.changed(many)
	} else {
		for _, id := range ids {
			t.changed(tokenstore.Change{CredentialID: id})
		}
	}
	_, err = t.Exec(ctx, deleteRecords+conditions, args...)
	return n, err
}
