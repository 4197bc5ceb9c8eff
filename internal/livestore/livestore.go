// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package livestore keeps a token store open over reloads.
//
// A Store stands before the store that a driver opens. It may be made while
// that one is absent: it opens in the background and at its first use, and
// until then answers with tokenstore.ErrUnavailable, never by waiting long.
// Configurations that name the same place share what is open.
//
// It also tells what cached knowledge is worth. Whoever remembers what a store
// said subscribes. Each write through a Store is announced to the subscribers
// of all configurations after it was committed and before the writer learns of
// it, also when it is unknown whether it was committed. The writes of other
// processes arrive by the store's own feed. While that feed is not known to be
// complete, Trusted is false, and nothing that was remembered may be relied on
// without asking again.
package livestore

import (
	"errors"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// pool holds a *shared for each Identifier of a driver in use.
var pool = caddy.NewUsagePool()

// Options say where a Store reports to. What happens in the background is
// reported to the latest configuration that uses the store.
type Options struct {
	// Logger gets one line when the store or its feed fails, and one when it
	// is back. Default: none.
	Logger *zap.Logger

	// Observe is called after every operation, with the name of the method in
	// snake case. Default: not called.
	Observe func(operation string, took time.Duration, err error)
}

// Store is one configuration's use of a shared store. It implements
// tokenstore.Store, and tokenstore.Transactor, Backuper and Verifier as far as
// the driver's store does; otherwise these return errors.ErrUnsupported.
type Store struct {
	shared  *shared
	options Options
	release func() error
}

// Acquire returns a Store for the driver's place. It does no input or output.
// Each Store needs its Release.
func Acquire(driver tokenstore.Driver, options Options) (*Store, error) {
	if driver == nil {
		return nil, errors.New("acquiring a store: no driver")
	}
	if options.Logger == nil {
		options.Logger = zap.NewNop()
	}
	if options.Observe == nil {
		options.Observe = func(string, time.Duration, error) {}
	}
	identifier := driver.Identifier()
	value, _, err := pool.LoadOrNew(identifier, func() (caddy.Destructor, error) {
		return newShared(driver, &options), nil
	})
	if err != nil {
		return nil, err
	}
	s := &Store{shared: value.(*shared), options: options}
	s.shared.join(s)
	s.release = sync.OnceValue(func() error {
		s.shared.part(s)
		_, err := pool.Delete(identifier)
		return err
	})
	return s, nil
}

// Start begins to open the store, to follow its feed and to sweep it, all in
// the background. More calls do nothing.
func (s *Store) Start() { s.shared.start() }

// Release ends this use of the store. The last one writes what is pending,
// stops what runs in the background, waits a few seconds at most for
// operations under way, and closes the driver's store. More calls do nothing.
func (s *Store) Release() error { return s.release() }

// Close is Release.
func (s *Store) Close() error { return s.Release() }

// Subscribe has f called with every change, first at once with one of
// everything, since f may have missed some. F must not block and must not use
// the store. The subscription outlives the Store and ends with cancel; a call
// that is under way then may still be heard.
func (s *Store) Subscribe(f func(tokenstore.Change)) (cancel func()) {
	return s.shared.feed.subscribe(f)
}

// Trusted reports whether subscribers hear of every change, of any process.
func (s *Store) Trusted() bool { return s.shared.feed.trusted.Load() }

// Status reports whether the store is open, and why it is not, or else why its
// feed is not to be trusted.
func (s *Store) Status() (opened bool, err error) {
	if s.shared.inner.Load() == nil {
		return false, s.shared.openError()
	}
	return true, s.shared.feed.failure()
}

// Interface guards
var (
	_ tokenstore.Store      = (*Store)(nil)
	_ tokenstore.Transactor = (*Store)(nil)
	_ tokenstore.Backuper   = (*Store)(nil)
	_ tokenstore.Verifier   = (*Store)(nil)
)
