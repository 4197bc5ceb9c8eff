// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"sync"
	"time"

	"go.uber.org/zap"
)

// repeatEvery is how often a failure is logged that goes on.
const repeatEvery = time.Minute

// Reports log what an operator must see to, once and not for each request that
// meets it.
type Reports struct {
	Logger *zap.Logger
	Place  zap.Field // where the store is

	mu   sync.Mutex
	last string
	at   time.Time
}

// Failure logs what keeps the store from answering.
func (r *Reports) Failure(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := err.Error()
	if text == r.last && time.Since(r.at) < repeatEvery {
		return
	}
	r.last, r.at = text, time.Now()
	r.Logger.Error("store is unavailable", r.Place, zap.Error(err))
}

// Recovery logs that the store answers again. The next failure is new.
func (r *Reports) Recovery() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = ""
	r.Logger.Info("store is available again", r.Place)
}
