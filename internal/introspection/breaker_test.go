// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package introspection

import (
	"testing"
	"time"
)

func TestBreaker(t *testing.T) {
	var b breaker
	now := time.Now()
	for range maxFailures - 1 {
		if b.failed(now, false, 0) != 0 {
			t.Fatal("too early")
		}
	}
	b.succeeded() // begins anew
	for i := range maxFailures {
		if wait := b.failed(now, false, 0); (wait > 0) != (i == maxFailures-1) {
			t.Fatalf("failure %d: %v", i, wait)
		}
	}
	// What began before the pause does not prolong it.
	if b.failed(now, false, 0) != 0 {
		t.Error("a second pause began")
	}
	if _, wait, ok := b.enter(now.Add(minPause / 2)); ok || wait != minPause/2 {
		t.Errorf("in the pause: %v %v", wait, ok)
	}
	for pause := 2 * minPause; pause < 4*maxPause; pause *= 2 {
		now = b.until
		if probe, _, ok := b.enter(now); !probe || !ok {
			t.Fatal("no probe")
		}
		if _, _, ok := b.enter(now); ok {
			t.Error("two probes")
		}
		if wait := b.failed(now, true, 0); wait != min(pause, maxPause) {
			t.Errorf("the pause is %v, want %v", wait, min(pause, maxPause))
		}
	}
	now = b.until
	b.enter(now)
	if !b.succeeded() || b.succeeded() {
		t.Error("a success ends the pause once")
	}
	if probe, _, ok := b.enter(now); probe || !ok {
		t.Error("it is not closed")
	}
}

func TestBreaker_wanted(t *testing.T) {
	var b breaker
	now := time.Now()
	for range maxFailures - 1 {
		b.failed(now, false, 20*time.Second)
	}
	if wait := b.failed(now, false, 20*time.Second); wait != 20*time.Second {
		t.Errorf("the server wants 20s, and gets %v", wait)
	}
}

func TestRefused(t *testing.T) {
	var one, other refused
	one.init()
	other.init()
	if one.digest("a") == other.digest("a") || one.digest("a") == one.digest("b") {
		t.Error("digests")
	}
	now := time.Now()
	one.add(one.digest("a"), now)
	if !one.has(one.digest("a"), now) || one.has(one.digest("b"), now) || one.has(one.digest("a"), now.Add(refusedFor)) {
		t.Error("what is remembered")
	}
	for range 3 * refusedSlots {
		one.add(one.digest(time.Now().String()), now)
	}
	if len(one.slots) != refusedSlots {
		t.Error("it grows")
	}
}
