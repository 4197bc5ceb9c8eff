// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package introspection

import (
	"encoding/binary"
	"sync"
	"time"
)

const (
	// MaxRecent is how long an answer may be given again that the caller has not
	// remembered, or not yet.
	MaxRecent = time.Second

	// recentSlots bounds the answers that are kept, to 16 MB if all are as large as
	// can be.
	recentSlots = 256
)

// recent has the latest answers. Requests that were on their way when a token was
// first asked about need not ask again, nor those with a token whose answer is too
// large for the handler to remember more often than once a second.
type recent struct {
	mu    sync.Mutex
	slots [recentSlots]struct {
		digest digest
		answer *Answer
	}
}

func (t *recent) add(d digest, answer *Answer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	slot := &t.slots[binary.LittleEndian.Uint64(d[:])%recentSlots]
	slot.digest, slot.answer = d, answer
}

// get returns the answer about a token, if it is younger than life.
func (t *recent) get(d digest, now time.Time, life time.Duration) *Answer {
	if life <= 0 {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	slot := &t.slots[binary.LittleEndian.Uint64(d[:])%recentSlots]
	switch {
	case slot.answer == nil || slot.digest != d:
		return nil
	case now.Sub(slot.answer.At) >= MaxRecent:
		slot.answer = nil
		return nil
	case now.Sub(slot.answer.At) >= life:
		return nil
	}
	return slot.answer
}
