// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package password verifies the password hashes that sites already have, and
// makes new ones with Argon2id.
//
// Hashing is work that strangers can ask for, so a Hasher bounds it: a fixed
// number of hashes run at once, within one memory budget, and few may wait.
// Whatever a stored hash says, its cost is checked before any work is done.
//
// Nor does the time of a failed login tell who exists. A user who is unknown
// costs as much work as one who is not, and no failure is answered sooner than
// the slowest hash lately met.
package password

import (
	"context"
	"crypto/rand"
	"errors"
	"runtime"
	"time"
)

// MaxLength is the length in bytes of the longest password that can match.
// Most formats take longer ones, but their length would be work for nothing.
const MaxLength = 4096

const (
	defaultMemory = 256 << 20
	defaultQueue  = 64
)

// Config bounds the work of a Hasher. The zero value is good for production.
type Config struct {
	// Slots is how many hashes are computed at once.
	// Default: as many as there are CPUs for this process.
	Slots int

	// Memory is how many bytes all running hashes may use together. A hash
	// waits until its share is free; one that needs more than all of it is
	// refused. It is never less than what a new hash needs (19 MiB). The
	// garbage of finished hashes comes on top: set GOMEMLIMIT where memory is
	// scarce. Default: 256 MiB.
	Memory int64

	// Queue is how many hashes may wait for a slot or for memory; the next
	// one is refused at once. If negative, none may wait. Default: 64.
	Queue int

	// Weak names formats that are refused otherwise, since whoever steals
	// their hashes has the passwords too: see WeakFormats.
	Weak []string
}

// A Hasher makes and verifies password hashes. It is safe for concurrent use.
type Hasher struct {
	gate    *gate
	slowest slowest
	weak    []string
	salt    []byte // of the work for users who do not exist
	now     func() time.Time
}

// New returns a Hasher with the bounds of the configuration.
func New(config Config) *Hasher {
	if config.Slots <= 0 {
		config.Slots = runtime.GOMAXPROCS(0)
	}
	if config.Memory <= 0 {
		config.Memory = defaultMemory
	}
	config.Memory = max(config.Memory, newHash.bytes())
	if config.Queue == 0 {
		config.Queue = defaultQueue
	}
	salt := make([]byte, newSaltLength)
	rand.Read(salt)
	return &Hasher{
		gate: newGate(config.Slots, max(config.Queue, 0), config.Memory),
		weak: config.Weak,
		salt: salt,
		now:  time.Now,
	}
}

// Hash returns the password's Argon2id hash under a fresh salt, as a PHC
// string. It returns ErrTooLong, ErrBusy, or the context's error.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	if len(password) > MaxLength {
		return "", ErrTooLong
	}
	salt := make([]byte, newSaltLength)
	rand.Read(salt)
	var encoded string
	_, err := h.run(ctx, newHash.bytes(), func() {
		h.timed(newHash.cost(), func() {
			encoded = newHash.encode(salt, newHash.key([]byte(password), salt, newKeyLength))
		})
	})
	return encoded, err
}

// Verify reports whether the password belongs to the encoded hash. The
// password is taken byte for byte, as it was received.
//
// A hash that marks a password as unusable, and an empty one, never match. For
// a hash that cannot be used at all the error is ErrMalformed, ErrTooCostly or
// ErrWeak; ErrBusy if too many hashes wait already, and the context's error if
// it ended first. Without a match, Verify returns no earlier than Settle would,
// were it called when the work began: the time spent waiting does not count.
func (h *Hasher) Verify(ctx context.Context, encoded, password string) (bool, error) {
	stored, unfit := h.parse(encoded)
	if unfit != nil || len(password) > MaxLength {
		if err := h.Waste(ctx, password); err != nil {
			return false, err
		}
		if errors.Is(unfit, ErrUnusable) {
			unfit = nil
		}
		return false, unfit
	}
	// Until it is known how long a new hash takes, a cheap one would fail
	// sooner than an unknown user.
	memory, measured := stored.memory, h.slowest.knows(h.now(), newHash.cost())
	if !measured {
		memory = max(memory, newHash.bytes())
	}
	var ok bool
	var failed error
	begun, err := h.run(ctx, memory, func() {
		h.timed(stored.cost, func() { ok, failed = stored.match(password) })
		if !ok && !measured {
			h.spend(password)
		}
	})
	if err != nil {
		return false, err
	}
	if !ok {
		h.Settle(ctx, begun)
	}
	return ok, failed
}

// Waste does as much work as Verify does on a new hash, for a user who does
// not exist. It returns ErrBusy or the context's error as Verify would.
func (h *Hasher) Waste(ctx context.Context, password string) error {
	if len(password) > MaxLength {
		password = ""
	}
	begun, err := h.run(ctx, newHash.bytes(), func() { h.spend(password) })
	if err != nil {
		return err
	}
	h.Settle(ctx, begun)
	return nil
}

// spend computes a new hash for nothing.
func (h *Hasher) spend(password string) {
	h.timed(newHash.cost(), func() { newHash.key([]byte(password), h.salt, newKeyLength) })
}

// timed remembers how long a hash of this cost takes.
func (h *Hasher) timed(cost string, work func()) {
	begun := h.now()
	work()
	end := h.now()
	h.slowest.observe(end, cost, end.Sub(begun))
}

// run calls work as soon as a slot and the memory are free, and returns when
// it began.
func (h *Hasher) run(ctx context.Context, memory int64, work func()) (begun time.Time, err error) {
	if err := h.gate.enter(ctx, memory); err != nil {
		return time.Time{}, err
	}
	defer h.gate.leave(memory)
	begun = h.now()
	work()
	return begun, nil
}

// Stats is a snapshot of a Hasher, for metrics.
type Stats struct {
	Running  int           // hashes being computed
	Waiting  int           // hashes that wait for a slot or for memory
	Memory   int64         // bytes that the running hashes use
	Rejected uint64        // hashes refused because too many waited
	Slowest  time.Duration // how long a failed login takes now
}

// Stats returns the state of the Hasher.
func (h *Hasher) Stats() Stats {
	s := h.gate.stats()
	s.Slowest = h.slowest.delay(h.now())
	return s
}
