// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"errors"
	"time"

	"go.uber.org/zap"
)

const checkEvery = time.Second

// suspect has the file examined and opened anew.
func (s *Store) suspect() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// maintain looks after the file: once a second, and soon after an error that is
// not known to pass.
func (s *Store) maintain() {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	var last time.Time
	for {
		again := false
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
		case <-s.wake:
			again = time.Since(last) > checkEvery
		}
		st := s.state.Load()
		if st.err != nil && time.Since(last) < checkEvery/2 {
			continue
		}
		if st.err == nil && !again && st.handle.check() == nil {
			continue
		}
		last = time.Now()
		s.reopen(st)
	}
}

// reopen replaces the handle, or finds out why there is none to use.
func (s *Store) reopen(old *state) {
	if old.handle != nil {
		lost := old.handle.check()
		switch {
		case lost == nil && old.err != nil:
			s.replace(old, &state{handle: old.handle})
			return
		case lost != nil && old.err == nil:
			// Nobody may use what is lost while its successor is looked for.
			next := &state{handle: old.handle, err: s.driver.lost(lost)}
			s.driver.reports.Failure(next.err)
			if !s.replace(old, next) {
				return
			}
			old = next
		}
		if lost != nil {
			if err := s.driver.sortLog(old.handle); err != nil {
				s.driver.reports.Failure(unavailable(s.driver.Path, err))
				return
			}
			if old.handle.check() == nil {
				s.replace(old, &state{handle: old.handle})
				return
			}
		}
		if lost != nil && old.handle.file.check() == nil {
			// Only the log, or its index, is gone. SQLite puts what it still knows of it into the
			// file when the last connection closes, and until then would take the
			// next log for this one.
			next := &state{err: old.err}
			if !s.replace(old, next) {
				return
			}
			s.retiring.Wait()
			old = next
		}
	}
	next := new(state)
	next.handle, next.err = s.driver.connect(s.ctx, existing)
	switch {
	case s.ctx.Err() != nil:
		// Close has put the last state, or will.
	case next.err == nil:
		if s.replace(old, next) {
			return
		}
	default:
		if errors.Is(next.err, errNoStore) {
			next.err = s.driver.lost(next.err)
		}
		s.driver.reports.Failure(next.err)
		if next.handle = nil; old.err != nil {
			next.handle = old.handle
		}
		s.replace(old, next)
		return
	}
	if next.handle != nil {
		next.handle.abandon()
	}
}

// replace puts one state in the place of another, unless it is another already.
func (s *Store) replace(old, next *state) bool {
	if !s.state.CompareAndSwap(old, next) {
		return false
	}
	if old.err != nil && next.err == nil {
		s.driver.reports.Recovery()
	}
	if h := old.handle; h != nil && h != next.handle {
		close(h.retired)
		s.retiring.Go(func() {
			if err := h.close(); err != nil {
				s.driver.logger.Debug("closing a file that was replaced", zap.String("file", s.driver.Path), zap.Error(err))
			}
		})
	}
	return true
}
