// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package sqlstore is what token stores over SQL databases share: the schema and
// its migrations, the statements, and the operations of tokenstore.Store in terms
// of them. A driver brings an Engine, which knows connections and transactions,
// and a Dialect.
package sqlstore

import (
	"context"
	"errors"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// An Engine runs functions on connections. Errors of the database that it
// returns wrap tokenstore.ErrUnavailable.
type Engine interface {
	// Read runs f on a connection whose statements each see everything that
	// was committed before Read was called.
	Read(ctx context.Context, f func(*Conn) error) error

	// Write runs f in a transaction and returns once that is durable. It may
	// run f several times, of which the last counts. An error of f undoes what
	// it did, except where Keeps says otherwise.
	Write(ctx context.Context, f func(*Tx) error) error
}

// Keeps reports whether a transaction is committed although f returned err.
func Keeps(err error) bool { return err == nil || errors.Is(err, tokenstore.ErrReused) }

// Ops are the operations of tokenstore.Store, but for Watch and Close, which
// are a driver's own.
type Ops struct {
	Engine Engine

	// SweepBatch bounds how many rows one transaction of Sweep removes, and so
	// how long it keeps other writers waiting.
	SweepBatch int
}
