// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"slices"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// MaxReported is how many changes of one transaction are reported one by one.
// Those who watch recheck everything after a larger one, which costs them less
// than to be told of each.
const MaxReported = 64

// A Tx is an operation under way in a transaction.
type Tx struct {
	*Conn
	work *Work
}

// Work is what is known of a transaction until it ends. The zero value is that of
// one that begins.
type Work struct {
	changes []tokenstore.Change
	groups  map[string][]string // permissions of those that were read or made
}

// Do runs an operation in the transaction. If that must be undone, which is up
// to the caller, the work is as it was before.
func (w *Work) Do(ctx context.Context, conn *Conn, f func(*Tx) error) error {
	before, kept := len(w.changes), false
	defer func() { // also if f panics
		if !kept {
			w.changes = w.changes[:min(before, len(w.changes))]
			w.groups = nil
		}
	}()
	err := f(&Tx{Conn: conn, work: w})
	kept = Keeps(err)
	return err
}

// Changes are what there is to report.
func (w *Work) Changes() []tokenstore.Change {
	if len(w.changes) > MaxReported {
		return []tokenstore.Change{{All: true}}
	}
	return w.changes
}

// Run runs f in a transaction that the caller has begun and will end. It
// records in the feed what f changed.
func Run(ctx context.Context, conn *Conn, f func(*Tx) error) error {
	var work Work
	err := work.Do(ctx, conn, f)
	if !Keeps(err) {
		return err
	}
	if feedErr := work.Report(ctx, conn); feedErr != nil {
		return feedErr
	}
	return err
}

// changed notes a change, unless so many are noted that they will be reported as
// one.
func (t *Tx) changed(c tokenstore.Change) {
	if len(t.work.changes) <= MaxReported && !slices.Contains(t.work.changes, c) {
		t.work.changes = append(t.work.changes, c)
	}
}

// permissions reads those of groups, none for one that does not exist, and
// reports which exist. A group that was read is not read again.
func (t *Tx) permissions(ctx context.Context, names []string) (found map[string][]string, err error) {
	found = make(map[string][]string, len(names))
	var unread []any
	for _, name := range names {
		if permissions, ok := t.work.groups[name]; ok {
			found[name] = permissions
		} else {
			unread = append(unread, name)
		}
	}
	for some := range slices.Chunk(unread, maxRows) {
		err := t.Rows(ctx, getGroups+tuple(len(some)), some, func(row Scanner) error {
			var name string
			var encoded []byte
			if err := row.Scan(&name, &encoded); err != nil {
				return err
			}
			permissions, err := decodeList[string](encoded)
			found[name] = permissions
			t.learn(name, permissions)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (t *Tx) learn(group string, permissions []string) {
	if t.work.groups == nil {
		t.work.groups = make(map[string][]string)
	}
	t.work.groups[group] = permissions
}

func (t *Tx) unlearn(group string) { delete(t.work.groups, group) }
