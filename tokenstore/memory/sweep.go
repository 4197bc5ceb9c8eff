// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package memory

import (
	"context"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func (o ops) Sweep(ctx context.Context, before time.Time, max int) (n int, err error) {
	err = o.write(ctx, func(s *state) error {
		// due reports whether there is room for what ended at a time; the zero
		// time never comes.
		due := func(end time.Time) bool {
			if n >= max || end.IsZero() || !end.Before(before) {
				return false
			}
			n++
			return true
		}
		for _, e := range s.records {
			if due(e.end()) {
				s.remove(e)
				if e.Origin != "" && e.Expires.IsZero() {
					put(s, s.tombs, string(e.Digest), true)
				}
			}
		}
		for key, until := range s.remembered {
			if due(until) {
				drop(s, s.remembered, key)
			}
		}
		for key, a := range s.attempts {
			if due(a.ends) {
				drop(s, s.attempts, key)
			}
		}
		return nil
	})
	return n, err
}

// end is when a record may be swept; zero: never.
func (e *entry) end() time.Time {
	if e.spent && e.Expires.IsZero() {
		return e.ended.Add(tokenstore.SpentLife)
	}
	return e.Expires
}
