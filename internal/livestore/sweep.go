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
// different moments.
func (s *shared) sweep() {
	var logged time.Time
	for s.sleep(sweepInterval/2 + rand.N(sweepInterval)) {
		n, err := s.sweepOnce()
		if n > 0 {
			s.logger().Debug("swept token store", zap.Int("records", n))
		}
		if err != nil && s.ctx.Err() == nil && time.Since(logged) >= sweepSilence {
			logged = time.Now()
			s.logger().Warn("sweeping token store", zap.Error(err))
		}
	}
}

func (s *shared) sweepOnce() (total int, err error) {
	inner := s.inner.Load()
	if inner == nil {
		return 0, nil
	}
	ctx, cancel := context.WithTimeout(s.ctx, sweepTimeout)
	defer cancel()
	for ctx.Err() == nil {
		began := time.Now()
		n, err := (*inner).Sweep(ctx, began.Add(-sweepAge), sweepBatch)
		s.observe("sweep", began, err)
		total += n
		if err != nil || n < sweepBatch || !s.sleep(sweepPause) {
			return total, err
		}
	}
	return total, nil
}
