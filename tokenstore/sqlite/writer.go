// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"sync"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/sqlstore"
)

// maxBatch bounds how many writes share a transaction, and so how long it takes.
const maxBatch = 128

// A writer runs writes on the one connection that writes. Those who come while
// a transaction is under way wait, and the next transaction is of all of them:
// a disk does as many syncs as it can, and each is for as many as there are.
//
// There is no goroutine for it. One of those who wait gets the turn, and works for
// all of them.
type writer struct {
	handle *handle
	conn   *sqlstore.Conn
	turn   chan struct{} // holds the right to use conn

	mu      sync.Mutex
	waiting []*job
}

type job struct {
	f    func(*sqlstore.Tx) error
	err  error
	done chan struct{}
}

func newWriter(h *handle, conn *sqlstore.Conn) *writer {
	w := &writer{handle: h, conn: conn, turn: make(chan struct{}, 1)}
	w.turn <- struct{}{}
	return w
}

// do runs f in a transaction, and returns when that is on the disk.
func (w *writer) do(ctx context.Context, f func(*sqlstore.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j := &job{f: f, done: make(chan struct{})}
	w.mu.Lock()
	w.waiting = append(w.waiting, j)
	w.mu.Unlock()
	for {
		select {
		case <-j.done:
			return j.err
		case <-w.turn:
			w.work(ctx)
		case <-w.handle.retired:
			if w.withdraw(j) {
				return errRetired
			}
			<-j.done
			return j.err
		case <-ctx.Done():
			if w.withdraw(j) {
				return ctx.Err()
			}
			// It is being done, and f may not run on after its caller.
			<-j.done
			return j.err
		}
	}
}

// exclusively runs f with the connection that writes.
func (w *writer) exclusively(ctx context.Context, f func(*sqlstore.Conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-w.turn:
		defer func() { w.turn <- struct{}{} }()
		return f(w.conn)
	case <-w.handle.retired:
		return errRetired
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stop waits for the writes under way; then nobody gets the turn any more.
func (w *writer) stop() { <-w.turn }

// withdraw takes a job back that nobody has begun.
func (w *writer) withdraw(j *job) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, other := range w.waiting {
		if other == j {
			w.waiting = append(w.waiting[:i], w.waiting[i+1:]...)
			return true
		}
	}
	return false
}

// work does what waits, and passes the turn on.
func (w *writer) work(ctx context.Context) {
	w.mu.Lock()
	n := min(len(w.waiting), maxBatch)
	batch := w.waiting[:n:n]
	w.waiting = append([]*job(nil), w.waiting[n:]...)
	w.mu.Unlock()
	for _, j := range batch {
		j.err = errInterrupted // by a panic of one of them
	}
	defer func() {
		for _, j := range batch {
			close(j.done)
		}
		w.turn <- struct{}{}
	}()
	if len(batch) > 0 {
		w.run(ctx, batch)
	}
}

// run does a batch in one transaction. If that fails, by whomever's fault, each
// is done by itself.
func (w *writer) run(ctx context.Context, batch []*job) {
	fail := func(err error) {
		for _, j := range batch {
			j.err = err
		}
	}
	if len(batch) == 1 {
		batch[0].err = w.handle.transact(ctx, func() error { return sqlstore.Run(ctx, w.conn, batch[0].f) })
		return
	}
	results := make([]error, len(batch))
	err := w.handle.transact(ctx, func() error {
		for i, j := range batch {
			results[i] = within(ctx, w.conn, func() error { return sqlstore.Run(ctx, w.conn, j.f) })
			if results[i] != nil && !sqlstore.IsAnswer(results[i]) {
				return &failed{results[i]}
			}
		}
		return nil
	})
	switch err := err.(type) {
	case nil:
		for i, j := range batch {
			j.err = results[i]
		}
	case *failed:
		for _, j := range batch {
			w.run(ctx, []*job{j})
		}
	default:
		fail(err)
	}
}

// failed says that one of a batch failed, and not the transaction itself.
type failed struct{ error }
