// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const (
	addChange    = `INSERT INTO changes (everything, user_key, credential_id, family, client_id) VALUES (?, ?, ?, ?, ?) RETURNING seq`
	lastChange   = `SELECT COALESCE(max(seq), 0) FROM changes`
	changesSince = `SELECT seq, everything, user_key, credential_id, family, client_id FROM changes WHERE seq > ? ORDER BY seq LIMIT ?`
	pruneChanges = `DELETE FROM changes WHERE seq <= ?`
)

const (
	// feedLength is how many changes are kept for those who watch. Who is
	// further behind has to recheck everything.
	feedLength = 10_000
	pruneEvery = 256
	feedPage   = 1000
)

// ErrGap says that changes were missed.
var ErrGap = fmt.Errorf("changes were missed: %w", tokenstore.ErrUnavailable)

// report writes what the transaction changed.
func (t *Tx) report(ctx context.Context) error {
	told := make(map[tokenstore.Change]bool, len(t.changes))
	for _, c := range t.changes {
		if told[c] {
			continue
		}
		told[c] = true
		var seq int64
		if _, err := t.Row(ctx, addChange, []any{flag(c.All), c.UserKey, c.CredentialID, c.Family, c.ClientID}, &seq); err != nil {
			return err
		}
		if seq%pruneEvery == 0 {
			if _, err := t.Exec(ctx, pruneChanges, seq-feedLength); err != nil {
				return err
			}
		}
	}
	return nil
}

// FeedEnd returns the number of the last change.
func FeedEnd(ctx context.Context, conn *Conn) (seq int64, err error) {
	_, err = conn.Row(ctx, lastChange, nil, &seq)
	return seq, err
}

// FeedSince returns what changed after a number, and the number of the last of
// these changes. It needs numbers without holes, as SQLite gives them: a hole, or
// an end before seq, is ErrGap.
func FeedSince(ctx context.Context, conn *Conn, seq int64) (changes []tokenstore.Change, last int64, err error) {
	last = seq
	for {
		n := 0
		err = conn.Rows(ctx, changesSince, []any{last, feedPage}, func(rows *sql.Rows) error {
			var next, all int64
			var c tokenstore.Change
			if err := rows.Scan(&next, &all, &c.UserKey, &c.CredentialID, &c.Family, &c.ClientID); err != nil {
				return err
			}
			if next != last+1 {
				return ErrGap
			}
			c.All = all != 0
			changes, last = append(changes, c), next
			n++
			return nil
		})
		if err != nil {
			return nil, seq, err
		}
		if n < feedPage {
			break
		}
	}
	if len(changes) == 0 {
		latest, err := FeedEnd(ctx, conn)
		if err == nil && latest < seq {
			err = ErrGap
		}
		return nil, seq, err
	}
	return changes, last, nil
}
