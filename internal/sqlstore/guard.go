// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"errors"
	"sync"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

var (
	errEnded     = errors.New("transaction has ended")
	errWatchInTx = errors.New("watching within a transaction")
)

// A Guard is what the Store of InTx has beside its operations: they are done one
// after another, not after the transaction, and not after one of them failed.
type Guard struct {
	// Unavailable says what a caller gets of an error of the database.
	Unavailable func(error) error

	mu     sync.Mutex
	ended  bool
	broken error
}

// Use runs one operation.
func (g *Guard) Use(ctx context.Context, f func() error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.ended:
		return errEnded
	case ctx.Err() != nil:
		return ctx.Err()
	case g.broken != nil:
		return g.Unavailable(g.broken)
	}
	err := f()
	if err != nil && !IsAnswer(err) {
		g.broken = err
		return g.Unavailable(err)
	}
	return err
}

// Broken returns what the database refused: then nothing may be committed.
func (g *Guard) Broken() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.broken
}

// End is for when the transaction has ended.
func (g *Guard) End() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended = true
}

// Watch is tokenstore.Store's.
func (*Guard) Watch(context.Context, func(tokenstore.Change)) error { return errWatchInTx }

// Close is tokenstore.Store's.
func (*Guard) Close() error { return nil }
