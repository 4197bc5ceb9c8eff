// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package memory

import (
	"context"
	"errors"
	"fmt"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// backlog is how many changes may wait for a watcher. One that is further behind
// is sent away: it rechecks everything, which is cheaper than to catch up.
const backlog = 4096

// manyChanges of one transaction are reported as one of everything.
const manyChanges = 64

// errBehind ends a Watch whose callback is too slow.
var errBehind = fmt.Errorf("watcher is more than %d changes behind: %w", backlog, tokenstore.ErrUnavailable)

// A watcher is one call of Watch.
type watcher struct {
	changes chan tokenstore.Change
	ended   chan error // receives the one reason to end
}

// Watch reports every change. It returns an error that wraps ErrUnavailable if
// the callback falls too far behind.
func (s *Store) Watch(ctx context.Context, changed func(tokenstore.Change)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w := &watcher{changes: make(chan tokenstore.Change, backlog), ended: make(chan error, 1)}
	s.db.mu.Lock()
	if s.db.closed {
		s.db.mu.Unlock()
		return errClosed
	}
	s.db.watchers[w] = struct{}{}
	s.db.mu.Unlock()
	defer func() {
		s.db.mu.Lock()
		defer s.db.mu.Unlock()
		delete(s.db.watchers, w)
	}()

	changed(tokenstore.Change{All: true})
	for {
		select {
		case c := <-w.changes:
			changed(c)
		case err := <-w.ended:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// publish gives changes to every watcher and waits for none. The caller holds
// the lock, so that all see them in the order of the commits.
func (db *database) publish(changes []tokenstore.Change) {
	if len(changes) > manyChanges {
		changes = []tokenstore.Change{{All: true}}
	}
	for w := range db.watchers {
		for _, c := range changes {
			select {
			case w.changes <- c:
				continue
			default:
			}
			db.end(w, errBehind)
			break
		}
	}
}

// end sends a watcher away. The caller holds the lock.
func (db *database) end(w *watcher, reason error) {
	delete(db.watchers, w)
	w.ended <- reason
}

// Watch is not for transactions, whose changes are nobody's business yet.
func (t *transaction) Watch(context.Context, func(tokenstore.Change)) error {
	return errors.New("watching within a transaction")
}
