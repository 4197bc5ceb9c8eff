// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package password

import (
	"container/list"
	"context"
	"sync"
)

// A gate lets a fixed number of hashes run within one memory budget. The
// others wait in the order in which they came: a large one that waits for its
// memory is not overtaken by small ones for ever.
type gate struct {
	slots, queue int
	memory       int64

	mu       sync.Mutex
	running  int
	used     int64
	waiting  list.List // of *waiter
	rejected uint64
}

type waiter struct {
	memory  int64
	granted chan struct{} // closed under the gate's lock
}

func newGate(slots, queue int, memory int64) *gate {
	return &gate{slots: slots, queue: queue, memory: memory}
}

// enter waits for a slot and the memory, which must not be more than the whole
// budget. It returns ErrBusy if too many wait already, and the context's error
// if it ends first; the place in the queue is then free again.
func (g *gate) enter(ctx context.Context, memory int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	g.mu.Lock()
	if g.waiting.Len() == 0 && g.fits(memory) {
		g.take(memory)
		g.mu.Unlock()
		return nil
	}
	if g.waiting.Len() >= g.queue {
		g.rejected++
		g.mu.Unlock()
		return ErrBusy
	}
	w := &waiter{memory: memory, granted: make(chan struct{})}
	place := g.waiting.PushBack(w)
	g.mu.Unlock()

	select {
	case <-w.granted:
		return nil
	case <-ctx.Done():
	}

	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-w.granted:
		g.give(memory)
	default:
		g.waiting.Remove(place)
	}
	g.admit()
	return ctx.Err()
}

// leave gives back what enter took.
func (g *gate) leave(memory int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.give(memory)
	g.admit()
}

func (g *gate) fits(memory int64) bool {
	return g.running < g.slots && memory <= g.memory-g.used
}

func (g *gate) take(memory int64) {
	g.running++
	g.used += memory
}

func (g *gate) give(memory int64) {
	g.running--
	g.used -= memory
}

// admit lets in those at the head of the queue for whom there is room.
func (g *gate) admit() {
	for first := g.waiting.Front(); first != nil; first = g.waiting.Front() {
		w := first.Value.(*waiter)
		if !g.fits(w.memory) {
			return
		}
		g.take(w.memory)
		g.waiting.Remove(first)
		close(w.granted)
	}
}

func (g *gate) stats() Stats {
	g.mu.Lock()
	defer g.mu.Unlock()
	return Stats{Running: g.running, Waiting: g.waiting.Len(), Memory: g.used, Rejected: g.rejected}
}
