// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package loginthrottle makes guessing passwords and codes hopeless.
//
// Guesses are counted per user and per network that they come from, in the
// store, before anything is hashed. A few are free; each one more doubles the
// wait for the next. A success forgets the user's, and takes itself back from the
// network's, since who has an account of their own could clear that at will.
//
// A stranger cannot lock a user out: a network from which the user logged in
// before has a count of its own.
package loginthrottle

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// KindPassword is the Kind of a guess at a password.
const KindPassword = "password"

// How a guess ended, for Options.Observe.
const (
	Succeeded        = "succeeded"
	Failed           = "failed"
	Undecided        = "undecided"         // the store or the hashes were out of reach
	ThrottledUser    = "throttled_user"    // refused, since guesses at the user were
	ThrottledAddress = "throttled_address" // refused, since guesses from the address were
)

// Results are all of them.
var Results = []string{Succeeded, Failed, Undecided, ThrottledUser, ThrottledAddress}

// settleTimeout bounds how long a login waits for the store to note its end.
const settleTimeout = 5 * time.Second

// A Guess is a secret that somebody claims to know. Each Kind has counts of its
// own, so that who knows the password cannot clear the failures at a code by it.
type Guess struct {
	Kind    string
	Name    string // login name
	Address string // the client's, as Caddy knows it

	// Account returns the key of the user who has the name, or "" if nobody has. It
	// decides where the user is known, so that a later user of the name inherits
	// nothing. Default: the name decides.
	Account func(context.Context) (string, error)
}

// Options are what a Throttle needs.
type Options struct {
	Settings

	// Store has the counts.
	Store tokenstore.Store

	// Memory stands in for a store that is down, for users who need none.
	Memory *Memory

	// Logger gets a line for guesses that are refused, within bounds.
	// Default: none.
	Logger *zap.Logger

	// Observe is told how every guess ended. Default: not called.
	Observe func(kind, result string)
}

// Memory is what the process knows beside the store. It outlives Throttles, and
// costs nothing while the store is up.
type Memory struct {
	counts     tokenstore.Store
	refused    hints[refusal]
	candidates hints[*auth.Identity]
	remembered hints[time.Time]
	underway   underway
	marks      marks
}

// NewMemory returns a Memory that counts in a store which is always there and
// bounded, as that of package tokenstore/memory.
func NewMemory(counts tokenstore.Store) *Memory { return &Memory{counts: counts} }

// A Throttle decides who may guess now. It is safe for concurrent use.
type Throttle struct {
	Options
	now func() time.Time
}

// New returns a Throttle, or nil, which lets everybody guess, if it is off.
func New(o Options) (*Throttle, error) {
	var err error
	if o.Settings, err = o.complete(); err != nil {
		return nil, err
	}
	if o.Off {
		return nil, nil
	}
	if o.Store == nil || o.Memory == nil {
		return nil, errors.New("there is nowhere to count")
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.Observe == nil {
		o.Observe = func(string, string) {}
	}
	return &Throttle{Options: o, now: time.Now}, nil
}

// Guess returns what verify does, or an *auth.Throttled if too much was guessed
// before, without calling it. An identity is a success and an *auth.Failure is a
// failure; any other error says that the guess was none, as when the store is
// down or the client has gone.
func (t *Throttle) Guess(ctx context.Context, g Guess, verify func(context.Context) (*auth.Identity, error)) (*auth.Identity, error) {
	if t == nil {
		return verify(ctx)
	}
	r := &reservation{Throttle: t, guess: &g, keys: keysOf(&g), look: auth.DryRun(ctx)}
	defer r.release() // after a panic
	if err := r.begin(ctx); err != nil {
		return nil, err
	}
	verifying := ctx
	if r.outage != nil {
		verifying = context.WithValue(ctx, outageKey{}, r.outage)
	}
	id, err := verify(verifying)
	if auth.DryRun(ctx) {
		return id, err
	}
	gone := ctx.Err() != nil
	ctx, cancel := settling(ctx)
	defer cancel()
	switch failure, bad := err.(*auth.Failure); {
	case err == nil:
		r.succeeded(ctx)
	case bad:
		r.failed(ctx, failure.Candidate)
	default:
		r.undecided(ctx, gone, err)
	}
	return id, err
}

// settling is the context in which the end of a guess is noted: for a client who
// has gone too, or going would be free.
func settling(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
}

// Guessed reports whether there was any guess lately, by whomever, that was no
// success. It costs next to nothing.
func (t *Throttle) Guessed() bool {
	return t != nil && t.Memory.marks.any(t.now(), time.Duration(t.Quiet))
}

// Waits reports whether a guess would be refused now. It counts nothing, and asks
// the store only if there was such a guess at the user from there lately.
//
// Whoever answers a guess without Guess, from memory, has to ask: otherwise the
// answer of a login that is remembered, and the refusal of any other, would tell
// the password to who goes on guessing.
func (t *Throttle) Waits(ctx context.Context, g Guess) bool {
	if t == nil {
		return false
	}
	r := &reservation{Throttle: t, guess: &g, keys: keysOf(&g), look: true}
	if !t.Memory.marks.has(r.keys.here, t.now(), time.Duration(t.Quiet)) {
		return false
	}
	wait, _, err := r.ask(ctx)
	return err != nil || wait > 0
}

// UserBackoff and AddressBackoff tell what counts mean. Those of a Throttle that
// is off are the defaults.
func (t *Throttle) UserBackoff() tokenstore.Backoff { return t.settings().ofUser() }

// AddressBackoff is as UserBackoff.
func (t *Throttle) AddressBackoff() tokenstore.Backoff { return t.settings().ofAddress() }

func (t *Throttle) settings() *Settings {
	if t != nil {
		return &t.Settings
	}
	s, _ := Settings{}.complete() // the defaults are in order
	return &s
}

func undecided(err error) *auth.Unavailable {
	return &auth.Unavailable{RetryAfter: time.Second, Err: fmt.Errorf("counting a login: %w", err)}
}
