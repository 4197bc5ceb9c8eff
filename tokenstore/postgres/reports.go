// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"sync"
	"time"

	"go.uber.org/zap"
)

// repeatEvery is how often a failure is logged that goes on.
const repeatEvery = time.Minute

// reports log what an operator must see to, once and not for each request that
// meets it.
type reports struct {
	logger *zap.Logger
	place  string

	mu   sync.Mutex
	last string
	at   time.Time
}

func (r *reports) failure(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := err.Error()
	if text == r.last && time.Since(r.at) < repeatEvery {
		return
	}
	r.last, r.at = text, time.Now()
	r.logger.Error("store is unavailable", zap.String("store", r.place), zap.Error(err))
}

func (r *reports) recovery() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = ""
	r.logger.Info("store is available again", zap.String("store", r.place))
}
