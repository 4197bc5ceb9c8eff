// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package password

import (
	"context"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

func TestSettle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tests := map[string]struct {
			slowest, since, want time.Duration
		}{
			"nothing met":    {0, 0, 0},
			"at once":        {80 * time.Millisecond, 0, 90 * time.Millisecond},
			"part is over":   {80 * time.Millisecond, 60 * time.Millisecond, 30 * time.Millisecond},
			"all is over":    {80 * time.Millisecond, 90 * time.Millisecond, 0},
			"never too long": {time.Minute, 0, settleLimit},
		}
		for name, tt := range tests {
			h := New(Config{})
			h.slowest.observe(time.Now(), "slow", tt.slowest)
			begun := time.Now()
			h.Settle(t.Context(), begun.Add(-tt.since))
			if got := time.Since(begun); got != tt.want {
				t.Errorf("%s: Settle took %v, want %v", name, got, tt.want)
			}
		}
	})
}

func TestSettle_cancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Config{})
		h.slowest.observe(time.Now(), "slow", time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		begun := time.Now()
		h.Settle(ctx, begun)
		if got := time.Since(begun); got != 10*time.Millisecond {
			t.Errorf("Settle took %v, want 10ms", got)
		}
	})
}

func TestSlowest_forgets(t *testing.T) {
	start := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(d time.Duration) time.Time { return start.Add(d) }
	var s slowest
	// An outlier lasts a minute or two, what a cost takes for a day.
	s.observe(at(0), "a", 800*time.Millisecond)
	s.observe(at(50*time.Second), "a", 80*time.Millisecond)
	s.observe(at(70*time.Second), "b", 400*time.Millisecond)
	s.observe(at(75*time.Second), "b", 160*time.Millisecond)
	steps := []struct {
		at, want time.Duration
	}{
		{80 * time.Second, 900 * time.Millisecond},
		{119 * time.Second, 900 * time.Millisecond},
		{121 * time.Second, 450 * time.Millisecond},
		{179 * time.Second, 450 * time.Millisecond},
		{181 * time.Second, 180 * time.Millisecond},
		{24*time.Hour + 74*time.Second, 180 * time.Millisecond},
		{24*time.Hour + 76*time.Second, 0},
	}
	for _, step := range steps {
		if got := s.delay(at(step.at)); got != step.want {
			t.Errorf("after %v the delay is %v, want %v", step.at, got, step.want)
		}
	}
}

// A quiet time of any length forgets both windows at once.
func TestSlowest_forgetsAll(t *testing.T) {
	start := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	var s slowest
	s.observe(start, "a", 800*time.Millisecond)
	s.observe(start, "a", 80*time.Millisecond)
	if got, want := s.delay(start.Add(time.Hour)), 90*time.Millisecond; got != want {
		t.Errorf("after an hour the delay is %v, want %v", got, want)
	}
}

func TestSlowest_bounded(t *testing.T) {
	start := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	var s slowest
	for i := range 3 * settleCosts {
		s.observe(start, strconv.Itoa(i), time.Duration(i%100+1)*8*time.Millisecond)
	}
	if len(s.costs) != settleCosts {
		t.Errorf("%d costs are remembered, want %d", len(s.costs), settleCosts)
	}
	if got, want := s.delay(start.Add(time.Hour)), 900*time.Millisecond; got != want {
		t.Errorf("the delay is %v, want %v: the slowest is kept", got, want)
	}
}

// Whatever the reason of a failure, it takes the time of the slowest hash;
// a success takes its own.
func TestVerify_settles(t *testing.T) {
	encoded := makeBcrypt(t, "secret")
	synctest.Test(t, func(t *testing.T) {
		h := New(Config{Weak: WeakFormats()})
		h.slowest.observe(time.Now(), newHash.cost(), 8*time.Millisecond)
		h.slowest.observe(time.Now(), "slow", 800*time.Millisecond)
		took := func(f func()) time.Duration {
			begun := time.Now()
			f()
			return time.Since(begun)
		}
		for _, stored := range []string{encoded, md5Hex, "!", "", "malformed", "$2b$31$" + bcrypt53} {
			got := took(func() {
				if ok, _ := h.Verify(t.Context(), stored, "wrong"); ok {
					t.Errorf("Verify(%s) = true", stored)
				}
			})
			if got != 900*time.Millisecond {
				t.Errorf("Verify(%s) took %v, want 900ms", stored, got)
			}
		}
		if got := took(func() { h.Waste(t.Context(), "wrong") }); got != 900*time.Millisecond {
			t.Errorf("Waste took %v, want 900ms", got)
		}
		if got := took(func() { h.Verify(t.Context(), encoded, "secret") }); got != 0 {
			t.Errorf("a success took %v, want no wait", got)
		}
	})
}

// The time in the queue is not counted: a failure that waited takes as much
// longer as it waited.
func TestVerify_settlesAfterQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Config{Slots: 1, Weak: WeakFormats()})
		h.slowest.observe(time.Now(), newHash.cost(), 8*time.Millisecond)
		h.slowest.observe(time.Now(), "slow", 800*time.Millisecond)
		if err := h.gate.enter(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(5*time.Second, func() { h.gate.leave(0) })
		begun := time.Now()
		if ok, err := h.Verify(t.Context(), md5Hex, "wrong"); ok || err != nil {
			t.Errorf("Verify = %v, %v, want false, nil", ok, err)
		}
		if got := time.Since(begun); got != 5900*time.Millisecond {
			t.Errorf("Verify took %v, want 5.9s", got)
		}
		if got := h.Stats().Slowest; got != 900*time.Millisecond {
			t.Errorf("afterwards a failure takes %v, want 900ms", got)
		}
	})
}

// A cheap hash that fails first, or first after a long time, must not fail
// sooner than an unknown user: the cost of a new hash is measured beside it.
func TestVerify_measures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Config{Weak: WeakFormats()})
		for range 2 {
			if h.slowest.knows(time.Now(), newHash.cost()) {
				t.Fatal("the cost of a new hash is known before the failure")
			}
			h.Verify(t.Context(), md5Hex, "wrong")
			if !h.slowest.knows(time.Now(), newHash.cost()) {
				t.Fatal("the cost of a new hash is not known after the failure")
			}
			time.Sleep(settleMemory + time.Second)
		}
	})
}
