// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"fmt"
	"math"
	"strconv"

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

	// pruned is the name in table meta of the highest number that was pruned.
	pruned = "pruned"
)

// ErrGap says that changes were missed.
var ErrGap = fmt.Errorf("changes were missed: %w", tokenstore.ErrUnavailable)

// Report writes what the transaction changed, just before it is committed.
func (w *Work) Report(ctx context.Context, conn *Conn) error {
	for _, c := range w.Changes() {
		var seq int64
		if _, err := conn.Row(ctx, addChange, []any{flag(c.All), c.UserKey, c.CredentialID, c.Family, c.ClientID}, &seq); err != nil {
			return err
		}
		if upTo, due := PruneUpTo(seq, 1); due {
			if err := Prune(ctx, conn, upTo); err != nil {
				return err
			}
		}
	}
	return nil
}

// PruneUpTo reports whether it is for whoever wrote at most n changes, the last of
// that number, to prune the feed, and up to where.
func PruneUpTo(seq int64, n int) (upTo int64, due bool) {
	return seq - feedLength, seq%pruneEvery < int64(n)
}

// Prune removes what only those need who are too far behind, up to a number,
// within a transaction that the caller has begun and will commit. Where the numbers
// have holes it must be the only one.
func Prune(ctx context.Context, conn *Conn, upTo int64) error {
	if conn.dialect.Holes {
		if before, err := prunedUpTo(ctx, conn); err != nil || before >= upTo {
			return err
		}
		if _, err := conn.Exec(ctx, putMeta, pruned, strconv.FormatInt(upTo, 10)); err != nil {
			return err
		}
	}
	_, err := conn.Exec(ctx, pruneChanges, upTo)
	return err
}

// prunedUpTo returns the highest number that was pruned.
func prunedUpTo(ctx context.Context, conn *Conn) (int64, error) {
	var text string
	exists, err := conn.Row(ctx, getMeta, []any{pruned}, &text)
	if err != nil || !exists {
		return math.MinInt64, err
	}
	upTo, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("reading how far the feed was pruned: %w", err)
	}
	return upTo, nil
}

// FeedEnd returns the number of the last change.
func FeedEnd(ctx context.Context, conn *Conn) (seq int64, err error) {
	_, err = conn.Row(ctx, lastChange, nil, &seq)
	return seq, err
}

// FeedSince returns what changed after a number, and the number of the last of
// these changes. It is ErrGap if some of them are not there any more, which shows
// by a hole in the numbers or, where those have holes, by what was pruned, or by
// an end before seq.
func FeedSince(ctx context.Context, conn *Conn, seq int64) (changes []tokenstore.Change, last int64, err error) {
	last = seq
	for more := true; more; {
		n := 0
		err = conn.Rows(ctx, changesSince, []any{last, feedPage}, func(row Scanner) error {
			var next, all int64
			var c tokenstore.Change
			if err := row.Scan(&next, &all, &c.UserKey, &c.CredentialID, &c.Family, &c.ClientID); err != nil {
				return err
			}
			if next != last+1 && !conn.dialect.Holes {
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
		more = n == feedPage
	}
	if err := checkGap(ctx, conn, seq, len(changes) > 0); err != nil {
		return nil, seq, err
	}
	return changes, last, nil
}

// checkGap looks for what FeedSince may have missed. It comes after the changes
// were read, so that what was pruned meanwhile is noticed.
func checkGap(ctx context.Context, conn *Conn, seq int64, found bool) error {
	if conn.dialect.Holes {
		if upTo, err := prunedUpTo(ctx, conn); err != nil {
			return err
		} else if upTo > seq {
			return ErrGap
		}
	}
	if found {
		return nil
	}
	latest, err := FeedEnd(ctx, conn)
	if err == nil && latest < seq {
		err = ErrGap
	}
	return err
}
