// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package loginthrottle

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// rememberAgain is after what time it is noted again that a user logged in from
// a network.
const rememberAgain = 24 * time.Hour

// maxRefund bounds how many failures a success takes back from a count that it
// does not clear.
const maxRefund = 100

// succeeded forgets the guesses at the user that were counted with this one.
// Those of strangers stay where the user is known.
func (r *reservation) succeeded(ctx context.Context) {
	var writes sync.WaitGroup // at once, so that a store makes them durable together
	forget := func(key string) { writes.Go(func() { _ = r.store.Forget(ctx, key) }) }
	refund := func(key string) { writes.Go(func() { _ = r.store.Refund(ctx, key) }) }
	raised := make(map[string]bool)
	for _, key := range r.taken {
		raised[key] = true
	}
	switch {
	case r.familiar:
		r.clear(ctx, raised[r.keys.own])
	case r.keys.spelled == "":
		forget(r.keys.all)
	default:
		// Others may have the name in another spelling, and keep their failures.
		for range r.failures(ctx, r.keys.spelled) {
			refund(r.keys.all)
		}
		forget(r.keys.spelled)
	}
	if raised[r.keys.network] {
		refund(r.keys.network)
	}
	if r.mustRemember() {
		writes.Go(func() { r.remember(ctx) })
	}
	writes.Wait()
	r.release()
	for _, key := range append(r.users(), r.keys.own) {
		r.Memory.refused.drop(key)
	}
	r.Observe(r.guess.Kind, Succeeded)
}

// clear forgets the failures from a familiar network, if there are any.
func (r *reservation) clear(ctx context.Context, some bool) {
	if counted, err := r.store.Attempted(ctx, r.keys.own); some || err != nil || counted.Count > 0 {
		_ = r.store.Forget(ctx, r.keys.own)
	}
	if counted, err := r.Memory.counts.Attempted(ctx, r.keys.own); err != nil || counted.Count > 0 {
		_ = r.Memory.counts.Forget(ctx, r.keys.own)
	}
}

// failures is how many are counted under a key, this guess among them.
func (r *reservation) failures(ctx context.Context, key string) int {
	counted, err := r.store.Attempted(ctx, key)
	if err != nil {
		return 1
	}
	return min(max(counted.Count, 1), maxRefund)
}

// mustRemember reports whether it is to be noted that the user logged in from
// this network.
func (r *reservation) mustRemember() bool {
	if r.keys.known == "" || r.store != r.Store {
		return false
	}
	last, ok := r.Memory.remembered.get(r.keys.known)
	return !r.familiar || !ok || r.now().Sub(last) >= rememberAgain
}

func (r *reservation) remember(ctx context.Context) {
	now := r.now()
	if _, err := r.store.Remember(ctx, r.keys.known, now.Add(time.Duration(r.Known))); err == nil {
		r.Memory.remembered.put(r.keys.known, now)
	}
}

// failed leaves the guess counted. That of a familiar network counts there too,
// against everybody else who comes from it.
func (r *reservation) failed(ctx context.Context, candidate *auth.Identity) {
	r.count(ctx)
	if candidate != nil {
		r.Memory.candidates.put(r.keys.digest, candidate)
	}
	r.Observe(r.guess.Kind, Failed)
}

// count counts a guess for good.
func (r *reservation) count(ctx context.Context) {
	now := r.now()
	r.Memory.marks.set(r.keys.here, now)
	var writes sync.WaitGroup
	if r.held {
		writes.Go(func() {
			if _, err := r.store.Attempt(ctx, r.keys.own, r.ofUser(), now); err != nil {
				_, _ = r.Memory.counts.Attempt(ctx, r.keys.own, r.ofUser(), now)
			}
		})
	}
	if r.familiar {
		writes.Go(func() { _, _ = r.store.Attempt(ctx, r.keys.network, r.ofAddress(), now) })
	}
	writes.Wait()
	r.release()
	r.taken = nil
}

// ErrUnverified says of a guess that nobody found the time to verify it.
var ErrUnverified = errors.New("the password was not verified")

// undecided takes a guess back that was none, since the store did not answer, the
// hashes were too many, or the client went away.
//
// From where logins are remembered the last two stay counted. Who knows the
// password gets an answer there at once, so that to see none is to see that the
// guess was wrong, and it must not be free to bring that about.
func (r *reservation) undecided(ctx context.Context, gone bool, err error) {
	if r.look {
		return
	}
	telling := r.familiar || r.keys.network == ""
	if telling && (r.held || len(r.taken) > 0) && (gone || errors.Is(err, ErrUnverified)) {
		r.count(ctx)
	} else {
		r.refund(ctx)
	}
	r.Observe(r.guess.Kind, Undecided)
}
