// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package password

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// queue starts a waiter for each amount of memory, in this order, and returns
// where each appends its index once it is let in.
func queue(t *testing.T, ctx context.Context, g *gate, memory ...int64) func() []int {
	t.Helper()
	var mu sync.Mutex
	var order []int
	for i, m := range memory {
		go func() {
			if g.enter(ctx, m) == nil {
				mu.Lock()
				defer mu.Unlock()
				order = append(order, i)
			}
		}()
		synctest.Wait()
	}
	return func() []int {
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(order)
	}
}

func TestGate_slots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(2, 8, 100)
		entered := queue(t, t.Context(), g, 1, 1, 1, 1)
		if got := entered(); !slices.Equal(got, []int{0, 1}) {
			t.Fatalf("with two slots %v entered, want 0 and 1", got)
		}
		g.leave(1)
		if got := entered(); !slices.Equal(got, []int{0, 1, 2}) {
			t.Errorf("after one left %v had entered, want 2 as well", got)
		}
		g.leave(1)
		entered()
		g.leave(1)
		g.leave(1)
		if s := g.stats(); s != (Stats{}) {
			t.Errorf("after all left: %+v, want nothing", s)
		}
	})
}

func TestGate_memory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(8, 8, 100)
		// The large one waits for its memory; the small one, although it
		// would fit, does not overtake it.
		entered := queue(t, t.Context(), g, 60, 100, 10)
		if got := entered(); !slices.Equal(got, []int{0}) {
			t.Fatalf("%v entered, want 0 only", got)
		}
		g.leave(60)
		if got := entered(); !slices.Equal(got, []int{0, 1}) {
			t.Fatalf("%v entered, want 0 and 1", got)
		}
		if s := g.stats(); s.Memory != 100 || s.Running != 1 || s.Waiting != 1 {
			t.Errorf("stats = %+v, want 100 bytes, one running, one waiting", s)
		}
		g.leave(100)
		if got := entered(); !slices.Equal(got, []int{0, 1, 2}) {
			t.Errorf("%v entered, want all", got)
		}
	})
}

func TestGate_queue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		g := newGate(1, 2, 100)
		queue(t, ctx, g, 1, 1, 1)
		if err := g.enter(t.Context(), 1); !errors.Is(err, ErrBusy) {
			t.Errorf("enter beyond the queue = %v, want ErrBusy", err)
		}
		if s := g.stats(); s.Waiting != 2 || s.Rejected != 1 {
			t.Errorf("stats = %+v, want two waiting, one rejected", s)
		}
		// Clients that are gone make room.
		cancel()
		synctest.Wait()
		if s := g.stats(); s.Waiting != 0 || s.Running != 1 {
			t.Errorf("stats = %+v, want none waiting, one running", s)
		}
		entered := queue(t, t.Context(), g, 1, 1)
		g.leave(1)
		if got := entered(); !slices.Equal(got, []int{0}) {
			t.Errorf("%v entered, want 0", got)
		}
	})
}

// Whoever leaves the head of the queue must not keep the next one waiting.
func TestGate_cancelledHead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(2, 8, 100)
		queue(t, t.Context(), g, 60)
		ctx, cancel := context.WithCancel(t.Context())
		large := queue(t, ctx, g, 80)
		small := queue(t, t.Context(), g, 10)
		cancel()
		if got := small(); !slices.Equal(got, []int{0}) {
			t.Errorf("%v of the small ones entered, want 0", got)
		}
		if got := large(); len(got) != 0 {
			t.Errorf("%v of the large ones entered, want none", got)
		}
	})
}

// A waiter that is let in just as its context ends gives its slot back.
func TestGate_race(t *testing.T) {
	g := newGate(2, 1000, 100)
	var wg sync.WaitGroup
	var mu sync.Mutex
	running, most := 0, 0
	for i := range 200 {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%7)*100*time.Microsecond)
			defer cancel()
			memory := int64(i % 100)
			if g.enter(ctx, memory) != nil {
				return
			}
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			time.Sleep(50 * time.Microsecond)
			mu.Lock()
			running--
			mu.Unlock()
			g.leave(memory)
		})
	}
	wg.Wait()
	if most > 2 {
		t.Errorf("%d ran at once, want at most 2", most)
	}
	if s := g.stats(); s != (Stats{}) {
		t.Errorf("after all left: %+v, want nothing", s)
	}
}
