// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package livestore

import (
	"context"
	"math/rand/v2"
	"time"

	"go.uber.org/zap"
)

const (
	sweepInterval = time.Minute
	sweepTimeout  = 30 * time.Second // of one round

	// sweepBatch is how many records go at once, and sweepPause how long other
	// writers have the store to themselves then.
	sweepBatch = 500
	sweepPause = 100 * time.Millisecond

	// sweepAge is how long what has ended is kept, for processes whose clock
	// is late.
	sweepAge = 5 * time.Minute

	sweepSilence = 10 * time.Minute
)

// sweep removes what has ended. The processes that share a store sweep it at
// different moments. Where more ends than a round can take, the next one follows
// at once.
func (s *shared) sweep() {
	var logged time.Time
	for more := false; s.sleep(untilSweep(more)); {
		n, left, err := s.sweepOnce()
		more = left
		if n > 0 {
			s.logger().Debug("swept token store", zap.Int("records", n))
		}
		if err != nil && s.ctx.Err() == nil && time.Since(logged) >= sweepSilence {
			logged = time.Now()
			s.logger().Warn("sweeping token store", zap.Error(err))
		}
	}
}

func untilSweep(more bool) time.Duration {
	if more {
		return sweepPause
	}
	return sweepInterval/2 + rand.N(sweepInterval)
}

// sweepOnce reports how many went, and whether more is left.
func (s *shared) sweepOnce() (total int, more bool, err error) {
	inner := s.inner.Load()
	if inner == nil {
		return 0, false, nil
	}
	ctx, cancel := context.WithTimeout(s.ctx, sweepTimeout)
	defer cancel()
	for ctx.Err() == nil {
		began := time.Now()
		n, err := (*inner).Sweep(ctx, began.Add(-sweepAge), sweepBatch)
		s.observe("sweep", began, err)
		total += n
		if err != nil || n < sweepBatch || !s.sleep(sweepPause) {
			return total, false, err
		}
	}
	return total, true, nil
}
