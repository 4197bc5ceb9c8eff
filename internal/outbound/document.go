// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package outbound

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// firstBackoff is how soon a failed fetch is repeated, twice as late each
	// time it fails again.
	firstBackoff = time.Second

	// patience is how long a caller waits for a fetch under way.
	patience = 2 * time.Second

	// maxWaiting bounds the callers that wait.
	maxWaiting = 1024
)

// Policy says how a Document is kept.
type Policy struct {
	// Interval is between two fetches, where the server does not say how long
	// its answer is good. What it says is heeded from a minute to four times the
	// interval.
	Interval time.Duration

	// MinInterval is the least between two fetches that callers demand.
	MinInterval time.Duration

	// StaleBound is how long an answer is believed while no newer one is to be
	// had.
	StaleBound time.Duration

	// MaxBackoff is the longest wait before a failed fetch is repeated.
	MaxBackoff time.Duration
}

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
	d.ctx, d.cancel = context.WithCancel(context.Background()) // no request's: others wait for it too
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

// Value returns the last good answer. It waits for the first one, and not if
// that has failed.
func (d *Document[T]) Value(ctx context.Context) (*T, error) {
	if s := d.state.Load(); d.stands(s) {
		return s.Value, nil
	}
	d.start(true)
	s := d.state.Load()
	if s.Failures == 0 {
		if err := d.await(ctx, d.underway()); err != nil {
			return nil, err
		}
		s = d.state.Load()
	}
	if !d.stands(s) {
		return nil, d.unavailable(s)
	}
	return s.Value, nil
}

// Demand is for who misses something in the answer since he came: it has the
// document fetched, though not twice within the least interval, and waits for
// that. It fails if the latest fetch did.
func (d *Document[T]) Demand(ctx context.Context, since time.Time) (*T, error) {
	d.start(true)
	if s := d.state.Load(); s.Tried.Before(since) {
		if flight := d.demand(); flight != nil {
			if err := d.await(ctx, flight); err != nil {
				return nil, err
			}
		}
	}
	s := d.state.Load()
	if s.Err != nil || !d.stands(s) {
		return nil, d.unavailable(s)
	}
	return s.Value, nil
}

// Renew has the document fetched now and waits for that, whatever the least
// interval. It is for the background alone, which bounds itself.
func (d *Document[T]) Renew(ctx context.Context) (*T, error) {
	d.start(false)
	d.mu.Lock()
	flight := d.fly()
	d.mu.Unlock()
	select {
	case <-flight:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-d.ctx.Done():
	}
	s := d.state.Load()
	if s.Err != nil || !d.stands(s) {
		return nil, d.unavailable(s)
	}
	return s.Value, nil
}

// demand returns the fetch to wait for, or nil if it is too early for one.
func (d *Document[T]) demand() chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.flight != nil {
		return d.flight
	}
	now := time.Now()
	if !d.demanded.IsZero() && now.Sub(d.demanded) < d.policy.MinInterval {
		return nil
	}
	d.demanded = now
	return d.fly()
}

// fly returns the fetch under way, or has one begin. The caller holds mu.
func (d *Document[T]) fly() chan struct{} {
	if d.flight == nil {
		d.flight = make(chan struct{})
		d.kick <- struct{}{} // has room: it is emptied before flight is nil again
	}
	return d.flight
}

func (d *Document[T]) underway() chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.flight
}

// await waits for a fetch, which may be nil.
func (d *Document[T]) await(ctx context.Context, flight chan struct{}) error {
	if flight == nil {
		return nil
	}
	if d.waiting.Add(1) > maxWaiting {
		d.waiting.Add(-1)
		return &UnavailableError{RetryAfter: patience, Err: errBusy}
	}
	defer d.waiting.Add(-1)
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-flight:
		return nil
	case <-timer.C:
		return &UnavailableError{RetryAfter: firstBackoff, Err: errSlow}
	case <-ctx.Done():
		return &UnavailableError{Err: ctx.Err()}
	case <-d.ctx.Done():
		return &UnavailableError{Err: errClosed}
	}
}

// stands reports whether the answer may be believed.
func (d *Document[T]) stands(s *State[T]) bool {
	return s.Value != nil && time.Since(s.Good) < d.policy.StaleBound
}

func (d *Document[T]) unavailable(s *State[T]) error {
	err := s.Err
	if err == nil {
		err = errClosed
	}
	return &UnavailableError{RetryAfter: max(time.Until(s.Next), time.Second), Err: err}
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

// wait returns how long an answer is good, a little different each time, so
// that many servers do not ask at once.
func (p *Policy) wait(life time.Duration) time.Duration {
	if life <= 0 {
		life = p.Interval
	}
	life = min(max(life, min(time.Minute, p.Interval)), 4*p.Interval)
	return spread(min(life, p.StaleBound))
}

// backoff returns how long to wait after that many failures.
func (p *Policy) backoff(failures int) time.Duration {
	return spread(min(firstBackoff<<min(failures-1, 20), p.MaxBackoff))
}

func spread(d time.Duration) time.Duration {
	return d - time.Duration(rand.Int64N(int64(d)/5+1))
}
