// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package hitlog

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

var t0 = time.Date(2019, 3, 1, 12, 0, 0, 0, time.UTC)

func (l *Log) size() (n int) {
	for i := range l.shards {
		n += l.shards[i].size
	}
	return n
}

// TestHit_model has events at random, some out of order and under limits that
// change, and wants the answers of the window that other stores keep.
func TestHit_model(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 0)) // for variety, no secret
	for name, limits := range map[string][]int{
		"few":     {1, 2, 3, 7},
		"exact":   {40, 50, tokenstore.MaxExactHits},
		"buckets": {tokenstore.MaxExactHits + 1, 5000},
		"mixed":   {3, 100, tokenstore.MaxExactHits + 1, 2000},
	} {
		t.Run(name, func(t *testing.T) {
			l, model, now := New(DefaultBudget), make(map[string]tokenstore.Window), t0
			for i := range 12_000 {
				key := []string{"a", "b"}[r.IntN(2)]
				limit, per := limits[r.IntN(len(limits))], time.Minute
				if r.IntN(100) == 0 {
					per = 20 * time.Second
				}
				switch now = now.Add(time.Duration(r.IntN(20)) * time.Millisecond); r.IntN(500) {
				case 0:
					now = now.Add(time.Duration(r.IntN(90)) * time.Second)
				case 1:
					now = now.Add(-time.Duration(r.IntN(30)) * time.Second)
				case 2:
					l.Forget(key)
					delete(model, key)
				}
				next, want := model[key].Hit(limit, per, now)
				if want == 0 {
					model[key] = next
				}
				if got := l.Hit(key, limit, per, now); got != want {
					t.Fatalf("Hit %d of %s, %d in %v, at %v = %v, want %v", i, key, limit, per, now.Sub(t0), got, want)
				}
			}
			l.Forget("a")
			l.Forget("b")
			if l.Len() != 0 || l.size() != 0 {
				t.Errorf("%d keys and %d bytes are left", l.Len(), l.size())
			}
		})
	}
}

// The memory of a key is bounded, whatever its limit.
func TestHit_memoryOfAKey(t *testing.T) {
	for limit, most := range map[int]int{1: 8, 10: 10 * 8, tokenstore.MaxExactHits: 8000, 50_000: 256 * 12, 1 << 40: 256 * 12} {
		l := New(DefaultBudget)
		key := strings.Repeat("x", 200)
		for i := range 10_000 {
			l.Hit(key, limit, time.Minute, t0.Add(time.Duration(i)*20*time.Millisecond))
		}
		if got := l.size() - windowSize - 32; got > max(most, firstMarks*markSize) {
			t.Errorf("a key with a limit of %d has %d bytes of marks, want %d at most", limit, got, most)
		}
	}
}

// TestHit_full lets many keys be made up: those that are made to wait go on
// waiting, and the memory stays within its bound.
func TestHit_full(t *testing.T) {
	const budget = 2 << 20
	l := New(budget)
	for i := range 200 {
		for range 5 {
			l.Hit(fmt.Sprint("throttled ", i), 5, time.Hour, t0)
		}
	}
	for i := range 100_000 {
		l.Hit(fmt.Sprint("made up ", i), 5, time.Hour, t0.Add(time.Second))
	}
	if size := l.size(); size > budget || size < budget*9/10 {
		t.Errorf("%d bytes, want nearly %d", size, budget)
	}
	for i := range 200 {
		if l.Hit(fmt.Sprint("throttled ", i), 5, time.Hour, t0.Add(time.Minute)) == 0 {
			t.Errorf("caller %d need not wait any more", i)
		}
	}
	for i := range 100_000 {
		l.Hit(fmt.Sprint("later ", i), 5, time.Hour, t0.Add(2*time.Hour))
	}
	if size := l.size(); size > budget {
		t.Errorf("%d bytes, want %d at most", size, budget)
	}
	tiny := New(0)
	if wait := tiny.Hit("a", 1, time.Hour, t0); wait != 0 || tiny.Hit("a", 1, time.Hour, t0) == 0 {
		t.Error("without room the latest key does not count")
	}
}

func TestSweep(t *testing.T) {
	l := New(DefaultBudget)
	const n = 10_000
	for i := range n {
		l.Hit(fmt.Sprint("ended ", i), 5, time.Minute, t0)
		l.Hit(fmt.Sprint("lives ", i), 5, time.Hour, t0)
	}
	if got := l.Sweep(t0.Add(time.Minute), n); got != 0 {
		t.Errorf("Sweep before the end = %d, want 0", got)
	}
	swept := 0
	for {
		got := l.Sweep(t0.Add(time.Minute+1), 300)
		if got > 300 {
			t.Fatalf("Sweep = %d, want 300 at most", got)
		}
		if swept += got; got == 0 {
			break
		}
	}
	if swept != n || l.Len() != n {
		t.Errorf("%d swept, %d left, want %d each", swept, l.Len(), n)
	}
	if got := l.Sweep(t0.Add(2*time.Hour), 0); got != 0 {
		t.Errorf("Sweep of none = %d", got)
	}
	if got := l.Sweep(t0.Add(2*time.Hour), 2*n); got != n || l.size() != 0 {
		t.Errorf("Sweep = %d, %d bytes left, want %d and none", got, l.size(), n)
	}
}

func TestHit_concurrent(t *testing.T) {
	l := New(32 << 20)
	var admitted atomic.Int32
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for j := range 1000 {
				if l.Hit("a", 777, time.Hour, t0) == 0 {
					admitted.Add(1)
				}
				key := fmt.Sprint(i, j)
				l.Hit(key, 2, time.Minute, t0)
				l.Forget(key)
				l.Sweep(t0, 10)
			}
		})
	}
	wg.Wait()
	if admitted.Load() != 777 {
		t.Errorf("%d events admitted, want 777", admitted.Load())
	}
}

func TestTransaction(t *testing.T) {
	l := New(DefaultBudget)
	for _, limit := range []int{3, tokenstore.MaxExactHits + 1} {
		key := fmt.Sprint("limit ", limit)
		for range limit - 1 {
			l.Hit(key, limit, time.Minute, t0)
		}
		for range 3 {
			undone := l.Begin()
			if wait := undone.Hit(key, limit, time.Minute, t0.Add(-time.Second)); wait != 0 {
				t.Fatalf("Hit of %s within the transaction = %v, want 0", key, wait)
			}
			if undone.Hit(key, limit, time.Minute, t0.Add(-time.Second)) == 0 {
				t.Errorf("Hit of %s within the transaction above the limit passed", key)
			}
			undone.Forget(key)
			undone.End(false)
		}
		done := l.Begin()
		if wait := done.Hit(key, limit, time.Minute, t0); wait != 0 {
			t.Errorf("Hit of %s after one that was undone = %v, want 0", key, wait)
		}
		done.End(true)
		if l.Hit(key, limit, time.Minute, t0) == 0 {
			t.Errorf("Hit of %s after one that was committed passed", key)
		}
		forgetting := l.Begin()
		forgetting.Forget(key)
		forgetting.End(true)
		if wait := l.Hit(key, limit, time.Minute, t0); wait != 0 {
			t.Errorf("Hit of %s after it was forgotten = %v, want 0", key, wait)
		}
	}
}
