// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package storetest

import "time"

// remember fails the test unless Remember reports fresh.
func (f *fixture) remember(key string, until time.Time, fresh bool) {
	f.Helper()
	got, err := f.store.Remember(f.Context(), key, until)
	f.ok(err)
	if got != fresh {
		f.Fatalf("Remember(%q) = %t, want %t", key, got, fresh)
	}
}

// known fails the test unless Known reports want.
func (f *fixture) known(key string, want bool) {
	f.Helper()
	got, err := f.store.Known(f.Context(), key)
	f.ok(err)
	if got != want {
		f.Fatalf("Known(%q) = %t, want %t", key, got, want)
	}
}

// sweep fails the test unless want things go.
func (f *fixture) sweep(before time.Time, max, want int) {
	f.Helper()
	got, err := f.store.Sweep(f.Context(), before, max)
	f.ok(err)
	if got != want {
		f.Fatalf("Sweep(%v, %d) = %d, want %d", before.Sub(t0), max, got, want)
	}
}

var nonceTests = []test{
	{"are fresh once", func(f *fixture) {
		f.known("a", false)
		f.remember("a", at(time.Hour), true)
		f.remember("a", at(time.Hour), false)
		f.known("a", true)
		f.known("A", false)
		f.remember("A", at(time.Hour), true)
	}},
	{"are known until they are swept", func(f *fixture) {
		f.remember("past", time.Unix(0, 0), true)
		f.known("past", true)
		f.remember("past", time.Unix(0, 0), false)
		f.remember("a", at(time.Hour), true)
		f.sweep(t0, 100, 1)
		f.known("past", false)
		f.known("a", true)
		f.remember("past", at(time.Hour), true)
	}},
	{"are kept until the later time", func(f *fixture) {
		f.remember("raised", at(time.Hour), true)
		f.remember("raised", at(3*time.Hour), false)
		f.remember("kept", at(3*time.Hour), true)
		f.remember("kept", at(time.Hour), false)
		f.sweep(at(2*time.Hour), 100, 0)
		f.known("raised", true)
		f.known("kept", true)
		f.sweep(at(4*time.Hour), 100, 2)
	}},
	{"can be forgotten", func(f *fixture) {
		f.remember("a", at(time.Hour), true)
		f.ok(f.store.Forget(f.Context(), "b"))
		f.known("a", true)
		f.ok(f.store.Forget(f.Context(), "a"))
		f.known("a", false)
		f.remember("a", at(time.Hour), true)
	}},
	{"are no counters", func(f *fixture) {
		f.hit("a", 1, t0)
		f.known("a", false)
		f.remember("a", at(time.Hour), true)
		f.hit("b", 1, t0)
		f.ok(f.store.Forget(f.Context(), "a"))
		f.known("a", false)
		if wait := f.hit("a", 1, t0); wait != 0 {
			f.Errorf("Hit after Forget = %v, want 0", wait)
		}
		if wait := f.hit("b", 1, t0); wait != time.Minute {
			f.Errorf("Hit of another key after Forget = %v, want 1m", wait)
		}
	}},
}
