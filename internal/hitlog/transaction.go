// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package hitlog

import (
	"sync"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// A Transaction is a Log's part in a transaction of a store. What it counts,
// counts for others at once; what it forgets, is forgotten with End.
type Transaction struct {
	log *Log

	mu        sync.Mutex
	hits      []hit
	forgotten []string
}

type hit struct {
	key string
	at  int64
}

// Begin returns a transaction, which needs its End.
func (l *Log) Begin() *Transaction { return &Transaction{log: l} }

// Hit is tokenstore.Store's.
func (t *Transaction) Hit(key string, limit int, per time.Duration, now time.Time) (wait time.Duration) {
	wait = t.log.Hit(key, limit, per, now)
	if wait == 0 {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.hits = append(t.hits, hit{key, tokenstore.MarkOf(limit, per, now).UnixNano()})
	}
	return wait
}

// Forget is tokenstore.Store's.
func (t *Transaction) Forget(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forgotten = append(t.forgotten, key)
}

// End does what is left to be done, or undoes what was done.
func (t *Transaction) End(committed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if committed {
		for _, key := range t.forgotten {
			t.log.Forget(key)
		}
	} else {
		for _, h := range t.hits {
			t.log.uncount(h.key, h.at)
		}
	}
	t.hits, t.forgotten = nil, nil
}

// uncount takes an event back that was counted under this mark.
func (l *Log) uncount(key string, at int64) {
	key = short(key)
	s := l.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.windows[key]; w != nil {
		w.uncount(at)
	}
}
