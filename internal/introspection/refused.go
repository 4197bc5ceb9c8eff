// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package introspection

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"
)

const (
	// refusedFor is how long it is remembered that a token is worth nothing.
	refusedFor = 5 * time.Second

	// refusedSlots is how many such tokens are remembered. They take 200 KB.
	refusedSlots = 8192
)

// digest is that of a token, under a secret of the process: nobody can choose
// tokens that share a slot with those of others.
type digest [16]byte

// refused remembers tokens that are worth nothing, so that a client which
// repeats one does not have the server asked each time. Its size is fixed: a
// token takes the slot of another.
type refused struct {
	secret [32]byte
	start  time.Time

	mu    sync.Mutex
	slots []refusedSlot
}

type refusedSlot struct {
	digest digest
	until  time.Duration // since start
}

func (t *refused) init() {
	rand.Read(t.secret[:]) // never fails: the program ends instead
	t.start = time.Now()
	t.slots = make([]refusedSlot, refusedSlots)
}

func (t *refused) digest(token string) digest {
	buffer := make([]byte, 0, 1024)
	sum := sha256.Sum256(append(append(buffer, t.secret[:]...), token...))
	return digest(sum[:16])
}

func (t *refused) slot(d digest) *refusedSlot {
	return &t.slots[binary.LittleEndian.Uint64(d[:])%refusedSlots]
}

func (t *refused) add(d digest, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	*t.slot(d) = refusedSlot{d, now.Sub(t.start) + refusedFor}
}

func (t *refused) has(d digest, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.slot(d)
	return s.digest == d && now.Sub(t.start) < s.until
}
