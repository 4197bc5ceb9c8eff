// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package outbound

import (
	"context"
	"time"
)

const (
	// patience is how long a caller waits for a fetch under way.
	patience = 2 * time.Second

	// maxWaiting bounds the callers that wait.
	maxWaiting = 1024
)

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
