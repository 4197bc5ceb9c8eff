// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package memory

import (
	"context"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// sweepLooks bounds how much a sweep looks at while others wait.
const sweepLooks = 2000

func (o ops) Sweep(ctx context.Context, before time.Time, max int) (total int, err error) {
	for more := true; more && total < max; {
		err := o.write(ctx, func(s *state) error {
			var n int
			n, more = s.sweep(before, max-total, sweepLooks)
			total += n
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	err = o.write(ctx, func(s *state) error {
		for key, a := range s.attempts {
			if total >= max {
				break
			}
			if a.ends.Before(before) {
				drop(s, s.attempts, key)
				total++
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return total, nil
}

// end is when a record may be swept; zero: never.
func (e *entry) end() time.Time {
	if e.spent && e.Expires.IsZero() {
		return e.ended.Add(tokenstore.SpentLife)
	}
	return e.Expires
}
