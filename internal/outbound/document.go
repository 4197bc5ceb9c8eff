// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package outbound

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Fetch gets a document, and says how long it is good, or 0 for no word.
type Fetch[T any] func(ctx context.Context) (value *T, life time.Duration, err error)

// Document is what a server says, fetched in the background and again before it
// is old. Who asks for it gets the last good answer at once and waits only while
// there is none. Ages are measured by the monotonic clock: a clock that is set
// makes nothing older.
type Document[T any] struct {
	policy  Policy
	fetch   Fetch[T]
	settled func(old, new State[T]) // after each fetch, in the background

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	begun  sync.Once
	done   chan struct{}
	kick   chan struct{}

	state   atomic.Pointer[State[T]]
	waiting atomic.Int32

	mu       sync.Mutex
	flight   chan struct{} // closed at the end of the fetch under way or due
	demanded time.Time     // when a caller last had it fetched
}

// State is what is known of a document.
type State[T any] struct {
	Value    *T        // the last good answer, if it is not too old
	Good     time.Time // when that was fetched
	Tried    time.Time // when a fetch last began
	Next     time.Time // when it will be fetched again
	Err      error     // why the last fetch failed, or nil
	Failures int       // fetches that failed since the last good one
	Fetched  uint64    // fetches that succeeded
	Failed   uint64    // and that did not
}

// Keep returns a document that is fetched once it is started or asked for.
// settled, if not nil, is told of every fetch.
func Keep[T any](policy Policy, fetch Fetch[T], settled func(old, new State[T])) *Document[T] {
	d := &Document[T]{
		policy: policy, fetch: fetch, settled: settled,
		done: make(chan struct{}), kick: make(chan struct{}, 1),
	}
	d.ctx, d.cancel = context.WithCancel(context.Background()) //nolint:gosec,forbidigo // no request's: others wait for it too; Close ends it
	d.state.Store(new(State[T]))
	return d
}

// Start begins fetching. Only its first call does.
func (d *Document[T]) Start() { d.start(false) }

func (d *Document[T]) start(demanded bool) {
	d.begun.Do(func() {
		d.mu.Lock()
		d.flight = make(chan struct{})
		if demanded {
			d.demanded = time.Now()
		}
		d.mu.Unlock()
		go d.run()
	})
}

// Close ends fetching, and returns when it has ended.
func (d *Document[T]) Close() {
	d.cancel()
	d.begun.Do(func() { close(d.done) })
	<-d.done
}

// State returns what is known now.
func (d *Document[T]) State() State[T] {
	s := *d.state.Load()
	if !d.stands(&s) {
		s.Value = nil
	}
	return s
}

// run fetches until the document is closed.
func (d *Document[T]) run() {
	defer close(d.done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	for d.ctx.Err() == nil {
		timer.Reset(d.renew())
		select {
		case <-timer.C:
		case <-d.kick:
		case <-d.ctx.Done():
		}
	}
}

// renew fetches once, and returns when to do it again.
func (d *Document[T]) renew() time.Duration {
	d.mu.Lock()
	if d.flight == nil {
		d.flight = make(chan struct{})
	}
	flight := d.flight
	d.mu.Unlock()

	began := time.Now()
	value, life, err := d.fetch(d.ctx)

	old := *d.state.Load()
	s := old
	s.Tried = began
	var wait time.Duration
	if err == nil {
		s.Value, s.Good, s.Err, s.Failures, s.Fetched = value, time.Now(), nil, 0, s.Fetched+1
		wait = d.policy.wait(life)
	} else {
		s.Err, s.Failures, s.Failed = err, s.Failures+1, s.Failed+1
		wait = d.policy.backoff(s.Failures)
		if !d.stands(&s) {
			s.Value = nil
		}
	}
	s.Next = time.Now().Add(wait)
	d.state.Store(&s)
	if d.settled != nil && d.ctx.Err() == nil {
		d.settled(old, s)
	}

	d.mu.Lock()
	select {
	case <-d.kick: // it was this fetch that was asked for
	default:
	}
	d.flight = nil
	d.mu.Unlock()
	close(flight)
	return wait
}
