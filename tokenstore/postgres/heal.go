// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// A database that is lost is looked for after healMin to healMax, longer
	// each time.
	healMin = 100 * time.Millisecond
	healMax = time.Second
)

// judge draws conclusions for others from an error that one call met.
func (s *Store) judge(st *state, err error) {
	var connecting connectError
	var gone goneError
	var busy busyError
	switch {
	case errors.As(err, &gone), errors.As(err, &busy):
	case errors.As(err, &connecting):
		// While the server is full those connections that we have are good, and one
		// that somebody ends is one.
		if !full(err) && !ended(err) {
			s.fall(st, err)
		}
	case errors.Is(err, errUnknown) && silent(err): // it may wait for a standby that is away
	case refusesWrites(err), silent(err), lost(err):
		s.fall(st, err)
	case cut(err):
		st.pool.Reset() // the others have probably gone with it
	}
}

// fall has every call refused at once until the database is found again: a queue
// of requests would help nobody.
func (s *Store) fall(st *state, cause error) {
	down := &state{err: s.driver.unavailable(cause)}
	if !s.state.CompareAndSwap(st, down) {
		return
	}
	s.driver.reports.Failure(down.err)
	s.background(func() { s.heal(down) })
	// Connections that do not answer take their time to close, and the pool
	// counts them until then: another takes its place.
	s.background(st.pool.Close)
}

// heal looks for the database until it is found.
func (s *Store) heal(down *state) {
	for delay := healMin; ; delay = min(2*delay, healMax) {
		timer := time.NewTimer(delay)
		select {
		case <-timer.C:
		case <-s.ctx.Done():
			timer.Stop()
			return
		}
		pool, err := s.reconnect()
		if s.ctx.Err() != nil {
			if err == nil {
				pool.Close()
			}
			return
		}
		next := &state{pool: pool}
		if err != nil {
			next.err = s.driver.unavailable(err)
			s.driver.reports.Failure(next.err)
		}
		if !s.state.CompareAndSwap(down, next) { // closed meanwhile
			if err == nil {
				pool.Close()
			}
			return
		}
		if err == nil {
			s.driver.reports.Recovery()
			return
		}
		down = next
	}
}

// reconnect returns a new pool once the database answers and has the same store.
func (s *Store) reconnect() (*pgxpool.Pool, error) {
	ctx, cancel := context.WithTimeout(s.ctx, time.Duration(s.driver.ConnectTimeout)+margin)
	defer cancel()
	conn, err := s.driver.single(ctx, "")
	if err != nil {
		return nil, err
	}
	defer hangUp(ctx, conn)
	if err := s.driver.recognize(ctx, conn, s.id); err != nil {
		return nil, err
	}
	return s.newPool()
}
