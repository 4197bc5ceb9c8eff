// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package loginthrottle

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const (
	// refusalLife is how long a refusal is repeated without asking the store, so
	// that who floods one count costs it nothing. It is short: another node may
	// have cleared the count.
	refusalLife = time.Second

	// rememberAgain is after what time it is noted again that a user logged in
	// from a network.
	rememberAgain = 24 * time.Hour
)

// Lines about refused guesses are bounded over all configurations.
var (
	refusalLines    = rate.NewLimiter(5, 50)
	refusalsLeftOut atomic.Int64
)

// A refusal is what the store said of a count.
type refusal struct{ until, fresh time.Time }

// reservation is a guess under way, which is counted before it is verified: of
// any number at once no more are verified than may fail.
type reservation struct {
	*Throttle
	guess    *Guess
	keys     keys
	store    tokenstore.Store // the one that counts
	familiar bool             // the user logged in from this network before
	user     string           // key of the user's count
	taken    []string         // keys of the counts that were raised
	outage   error            // why the store does not count
}

// outageKey is where the context of a verification has why the store does not
// count it.
type outageKey struct{}

// Outage returns why the store did not count the guess that is verified in this
// context, or nil if it did. What has to be read from it cannot be decided then,
// even if it should answer again by now.
func Outage(ctx context.Context) error {
	err, _ := ctx.Value(outageKey{}).(error)
	return err
}

// begin reserves, or says how long to wait.
func (r *reservation) begin(ctx context.Context) error {
	wait, by, err := r.take(ctx, r.Store)
	if err != nil && ctx.Err() == nil && !auth.DryRun(ctx) {
		// Users of the configuration need no store. Those who do will get an error
		// when they are read.
		r.refund(ctx)
		r.outage = err
		wait, by, err = r.take(ctx, r.Memory.counts)
	}
	if ctx.Err() != nil {
		r.refund(context.WithoutCancel(ctx))
		return undecided(ctx.Err())
	}
	if err != nil || wait <= 0 {
		return nil // only a dry run has an error here, and counts nothing
	}
	r.refund(ctx)
	candidate, _ := r.Memory.candidates.get(r.keys.digest)
	r.report(ctx, by, wait, candidate)
	return &auth.Throttled{Wait: wait, Candidate: candidate}
}

// take raises the user's count, then the network's.
func (r *reservation) take(ctx context.Context, store tokenstore.Store) (wait time.Duration, by string, err error) {
	now := r.now()
	r.store, r.familiar, r.user = store, false, r.keys.all
	if r.keys.known != "" {
		if r.familiar, err = store.Known(ctx, r.keys.known); err != nil {
			return 0, "", err
		}
	}
	if r.familiar {
		r.user = r.keys.own
	}
	// Neither does a lock of the network matter to those who are known there.
	anybody := !r.familiar && r.keys.network != ""
	if wait := r.said(r.keys.network, now); anybody && wait > 0 {
		return wait, ThrottledAddress, nil
	}
	wait, err = r.raise(ctx, r.user, r.ofUser(), now)
	if err != nil || wait > 0 {
		return wait, ThrottledUser, err
	}
	if !anybody {
		return 0, "", nil
	}
	wait, err = r.raise(ctx, r.keys.network, r.ofAddress(), now)
	return wait, ThrottledAddress, err
}

// said is what the store said of a key a moment ago.
func (r *reservation) said(key string, now time.Time) time.Duration {
	if said, ok := r.Memory.refused.get(key); ok && now.Before(said.fresh) {
		return said.until.Sub(now)
	}
	return 0
}

func (r *reservation) raise(ctx context.Context, key string, b tokenstore.Backoff, now time.Time) (time.Duration, error) {
	if wait := r.said(key, now); wait > 0 {
		return wait, nil
	}
	wait, err := r.store.Attempt(ctx, key, b, now)
	switch {
	case err != nil:
		return 0, err
	case wait <= 0:
		r.taken = append(r.taken, key)
	case !auth.DryRun(ctx):
		r.Memory.refused.put(key, refusal{until: now.Add(wait), fresh: now.Add(min(wait, refusalLife))})
	}
	return max(wait, 0), nil
}

// refund takes back what was raised. A count that stays too high errs on the
// safe side, so errors are left to the metrics of the store.
func (r *reservation) refund(ctx context.Context) {
	for _, key := range r.taken {
		_ = r.store.Refund(ctx, key)
	}
	r.taken = nil
}

// succeeded forgets the guesses at the user that were counted with this one.
// Those of strangers stay where the user is known.
func (r *reservation) succeeded(ctx context.Context) {
	var writes sync.WaitGroup // at once, so that a store makes them durable together
	for _, key := range r.taken {
		if key == r.user {
			writes.Go(func() { _ = r.store.Forget(ctx, key) })
		} else {
			writes.Go(func() { _ = r.store.Refund(ctx, key) })
		}
	}
	if r.mustRemember() {
		writes.Go(func() { r.remember(ctx) })
	}
	writes.Wait()
	r.Memory.refused.drop(r.user)
	r.Observe(r.guess.Kind, Succeeded)
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
	if r.familiar {
		_, _ = r.store.Attempt(ctx, r.keys.network, r.ofAddress(), r.now())
	}
	if candidate != nil {
		r.Memory.candidates.put(r.keys.digest, candidate)
	}
	r.Observe(r.guess.Kind, Failed)
}

// report tells people and programs. The name is only that of a user who is
// known to exist.
func (r *reservation) report(ctx context.Context, by string, wait time.Duration, candidate *auth.Identity) {
	if auth.DryRun(ctx) {
		return
	}
	r.Observe(r.guess.Kind, by)
	check := r.Logger.Check(zap.WarnLevel, "login throttled")
	if check == nil {
		return
	}
	if !refusalLines.Allow() {
		refusalsLeftOut.Add(1)
		return
	}
	fields := []zap.Field{
		zap.String("code", auth.CodeThrottled),
		zap.String("client_ip", r.guess.Address),
		zap.String("kind", r.guess.Kind),
		zap.String("by", map[bool]string{true: "user", false: "address"}[by == ThrottledUser]),
		zap.Duration("wait", wait),
	}
	if candidate != nil {
		fields = append(fields, zap.String("user", candidate.ID))
	}
	if leftOut := refusalsLeftOut.Swap(0); leftOut > 0 {
		fields = append(fields, zap.Int64("left_out", leftOut))
	}
	check.Write(fields...)
}
