// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package loginthrottle

import (
	"context"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// refusalLife is how long a refusal is repeated without asking the store, so
// that who floods one count costs it nothing. It is short: another node may have
// cleared the count.
const refusalLife = time.Second

// A refusal is what the store said of a count.
type refusal struct{ until, fresh time.Time }

// reservation is a guess under way, which is counted before it is verified: of
// any number at once no more are verified than may fail.
type reservation struct {
	*Throttle
	guess    *Guess
	keys     keys
	look     bool             // nothing is counted
	store    tokenstore.Store // the one that counts
	familiar bool             // the user logged in from this network before
	taken    []string         // keys of the counts that were raised
	held     bool             // it counts in the process alone
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
	wait, by, err := r.ask(ctx)
	if gone := ctx.Err(); gone != nil {
		ctx, cancel := settling(ctx)
		defer cancel()
		r.undecided(ctx, true, gone)
		return undecided(gone)
	}
	if err != nil {
		r.refund(ctx)
		return undecided(err)
	}
	if wait <= 0 {
		return nil
	}
	r.refund(ctx)
	candidate, _ := r.Memory.candidates.get(r.keys.digest)
	r.report(ctx, by, wait, candidate)
	return &auth.Throttled{Wait: wait, Candidate: candidate}
}

// ask takes from the store, or, if that is down, from what is counted in the
// process: users of the configuration need no store. Those who do will get an
// error when they are read.
func (r *reservation) ask(ctx context.Context) (wait time.Duration, by string, err error) {
	wait, by, err = r.take(ctx, r.Store)
	if err != nil && ctx.Err() == nil {
		r.refund(ctx)
		r.outage = err
		wait, by, err = r.take(ctx, r.Memory.counts)
	}
	return wait, by, err
}

// take raises the user's count, then the network's.
func (r *reservation) take(ctx context.Context, store tokenstore.Store) (wait time.Duration, by string, err error) {
	now := r.now()
	r.store, r.familiar = store, false
	if r.keys.known != "" && store == r.Store {
		if err = r.identify(ctx); err != nil {
			return 0, "", err
		}
		if r.familiar, err = store.Known(ctx, r.keys.known); err != nil {
			return 0, "", err
		}
	}
	if r.familiar {
		// Neither does a lock of the network matter to those who are known there.
		wait, err = r.hold(ctx, now)
		return wait, ThrottledUser, err
	}
	if r.keys.network != "" {
		// It is only looked at: who has to wait must not touch the user's count,
		// whose wait would begin anew.
		if wait, err = r.wait(ctx, r.keys.network, r.ofAddress(), now); err != nil || wait > 0 {
			return wait, ThrottledAddress, err
		}
	}
	for _, key := range r.users() {
		if wait, err = r.raise(ctx, key, r.ofUser(), now); err != nil || wait > 0 {
			return wait, ThrottledUser, err
		}
	}
	if r.keys.network == "" {
		return 0, "", nil
	}
	wait, err = r.raise(ctx, r.keys.network, r.ofAddress(), now)
	return wait, ThrottledAddress, err
}

// identify finds out whose account it is.
func (r *reservation) identify(ctx context.Context) error {
	if r.guess.Account == nil {
		return nil
	}
	account, err := r.guess.Account(ctx)
	if err == nil && account != "" {
		r.keys.of(account, r.guess)
	}
	return err
}

// users are the keys of the counts of strangers' guesses at the user.
func (r *reservation) users() []string {
	if r.keys.spelled == "" {
		return []string{r.keys.all}
	}
	return []string{r.keys.all, r.keys.spelled}
}

// hold lets a guess from a familiar network pass without writing anything, as
// long as all that are under way may fail and still be free. Nodes that share a
// store do not know of each other's, so that each may let as many pass at once.
func (r *reservation) hold(ctx context.Context, now time.Time) (time.Duration, error) {
	key, b := r.keys.own, r.ofUser()
	by := 1
	if r.look {
		by = 0
	}
	all := r.Memory.underway.add(key, by)
	r.held = !r.look
	counted, wait, err := r.counted(ctx, key, b, now)
	failures := b.Count(counted, now).Count - 1 // none, if they are forgotten
	switch {
	case err != nil || wait > 0:
	case failures+all <= b.Free && r.held:
		return 0, nil
	case failures < b.Free && failures+all >= b.Free:
		wait = b.Base // as if those under way had failed
	case r.held:
		r.release()
		return r.raise(ctx, key, b, now)
	}
	r.release()
	return wait, err
}

// release ends what is held.
func (r *reservation) release() {
	if r.held {
		r.held = false
		r.Memory.underway.add(r.keys.own, -1)
	}
}

// wait returns how long a count has to wait.
func (r *reservation) wait(ctx context.Context, key string, b tokenstore.Backoff, now time.Time) (time.Duration, error) {
	_, wait, err := r.counted(ctx, key, b, now)
	return wait, err
}

// counted returns what is counted under a key, and how long that has to wait; of
// one who has to, a moment ago may have told enough.
func (r *reservation) counted(ctx context.Context, key string, b tokenstore.Backoff, now time.Time) (tokenstore.Attempts, time.Duration, error) {
	if wait := r.said(key, now); wait > 0 {
		return tokenstore.Attempts{}, wait, nil
	}
	counted, err := r.store.Attempted(ctx, key)
	if err != nil {
		return counted, 0, err
	}
	if r.store == r.Store && key == r.keys.own {
		// What the store did not take, see count.
		also, err := r.Memory.counts.Attempted(ctx, key)
		if err == nil && b.Count(also, now).Count > 1 {
			counted.Count += also.Count
			if also.Last.After(counted.Last) {
				counted.Last = also.Last
			}
		}
	}
	wait := b.Wait(counted, now)
	r.keep(key, wait, now)
	return counted, wait, nil
}

// said is what the store said of a key a moment ago.
func (r *reservation) said(key string, now time.Time) time.Duration {
	if said, ok := r.Memory.refused.get(key); ok && now.Before(said.fresh) {
		return said.until.Sub(now)
	}
	return 0
}

func (r *reservation) keep(key string, wait time.Duration, now time.Time) {
	if wait > 0 && !r.look {
		r.Memory.refused.put(key, refusal{until: now.Add(wait), fresh: now.Add(min(wait, refusalLife))})
	}
}

func (r *reservation) raise(ctx context.Context, key string, b tokenstore.Backoff, now time.Time) (time.Duration, error) {
	if r.look {
		return r.wait(ctx, key, b, now)
	}
	if wait := r.said(key, now); wait > 0 {
		return wait, nil
	}
	wait, err := r.store.Attempt(ctx, key, b, now)
	if err != nil {
		return 0, err
	}
	if wait <= 0 {
		r.taken = append(r.taken, key)
	}
	r.keep(key, wait, now)
	return max(wait, 0), nil
}

// refund takes back what was raised. A count that stays too high errs on the
// safe side, so errors are left to the metrics of the store.
func (r *reservation) refund(ctx context.Context) {
	r.release()
	for _, key := range r.taken {
		_ = r.store.Refund(ctx, key)
	}
	r.taken = nil
}
