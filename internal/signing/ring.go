// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package signing

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
)

const (
	// Lead is how long a new key is published before it signs, so that everybody
	// who verifies knows it by then: the other nodes, and who fetched the key set
	// within its max-age.
	Lead = 5 * time.Minute

	// fresh is how long a ring is believed before the storage is asked for what
	// other nodes did.
	fresh = 15 * time.Second

	// old is how long a ring may be used meanwhile, and brief how long a request
	// waits for one that is older.
	old   = 2 * fresh
	brief = time.Second

	// pause is the time between two reads of the storage that tokens cause which
	// no known key has signed.
	pause = 2 * time.Second

	// retry is the time between two attempts to replace a key that has signed for
	// long enough.
	retry = time.Minute
)

// generations counts over all rings, since each configuration has its own: what
// is remembered under a number of one is never found under a number of another,
// which does not know what was taken away before.
var generations atomic.Uint64

// A Ring is the keys of one use and algorithm, the newest of which signs. It is
// safe for concurrent use.
type Ring struct {
	name, algorithm, path string

	storage certmagic.Storage
	logger  *zap.Logger
	now     func() time.Time
	asking  chan struct{} // holds whoever asks the storage

	overlap  atomic.Int64 // the longest life that what is signed may have
	interval atomic.Int64 // how long a key signs, or 0

	known      atomic.Pointer[knowledge]
	generation atomic.Uint64
	turning    atomic.Bool  // a key is being replaced in the background
	later      atomic.Int64 // when that is tried again, which failed
	looking    sync.Mutex   // guards missed
	missed     time.Time    // of the last read because of an unknown key
}

// knowledge is what the storage had.
type knowledge struct {
	ring stored
	at   time.Time
}

// Name and Algorithm say what the ring is for.
func (r *Ring) Name() string      { return r.name }
func (r *Ring) Algorithm() string { return r.algorithm }

// Keep tells how long what is signed may be accepted: for so long an old key
// verifies. Of several the longest counts.
func (r *Ring) Keep(overlap time.Duration) { raise(&r.overlap, overlap) }

// TurnEvery has a new key take the place of one that has signed for so long, the
// next time that something is signed. Of several the shortest counts; 0 says
// nothing.
func (r *Ring) TurnEvery(interval time.Duration) {
	for interval > 0 {
		current := r.interval.Load()
		if current != 0 && current <= int64(interval) || r.interval.CompareAndSwap(current, int64(interval)) {
			return
		}
	}
}

func raise(into *atomic.Int64, to time.Duration) {
	for {
		current := into.Load()
		if current >= int64(to) || into.CompareAndSwap(current, int64(to)) {
			return
		}
	}
}

// Current returns the key that signs now. The first is generated.
func (r *Ring) Current(ctx context.Context) (jose.SigningKey, error) {
	known, err := r.knowledge(ctx)
	if err != nil {
		return jose.SigningKey{}, err
	}
	now := r.now()
	current := known.ring.current(now)
	if current == nil || known.ring.Overlap < time.Duration(r.overlap.Load()) {
		if known, err = r.change(ctx, r.prepare); err != nil {
			return jose.SigningKey{}, err
		}
		if current = known.ring.current(now); current == nil {
			current = known.ring.newest()
		}
	}
	if every := time.Duration(r.interval.Load()); every > 0 && now.Sub(known.ring.newest().Starts) >= every {
		r.turn(every)
	}
	return current.signer, nil
}

// Keys returns those that verify now, and those that soon will, the newest first:
// of many, who verifies tries a few.
func (r *Ring) Keys(ctx context.Context) ([]*keyset.Key, error) {
	known, err := r.knowledge(ctx)
	if err != nil {
		return nil, err
	}
	now := r.now()
	keys := make([]*keyset.Key, 0, len(known.ring.Keys))
	for _, k := range slices.Backward(known.ring.Keys) {
		if k.Ends.IsZero() || now.Before(k.Ends) {
			keys = append(keys, k.public)
		}
	}
	return keys, nil
}

// JWKS returns the public keys as a key set of RFC 7517. The first key is
// generated, so that who asks before the first token is signed gets it.
func (r *Ring) JWKS(ctx context.Context) ([]byte, error) {
	if symmetric(r.algorithm) {
		return nil, errors.New("secrets are not published")
	}
	if _, err := r.Current(ctx); err != nil {
		return nil, err
	}
	keys, err := r.Keys(ctx)
	if err != nil {
		return nil, err
	}
	return Publish(keys)
}

// Generation grows whenever a key was taken away before its time: what it
// signed and somebody remembers is good no more.
func (r *Ring) Generation() uint64 {
	if known := r.known.Load(); known != nil {
		r.freshen(detached, known)
	}
	return r.generation.Load()
}

// Missed says that a token was met which no known key has signed, and reports
// whether the storage has other keys by now. It is asked once in a while,
// however many such tokens come.
func (r *Ring) Missed(ctx context.Context) bool {
	r.looking.Lock()
	now := r.now()
	if since := now.Sub(r.missed); since >= 0 && since < pause {
		r.looking.Unlock()
		return false
	}
	r.missed = now
	r.looking.Unlock()
	before := r.known.Load()
	after, err := r.load(ctx)
	if err != nil {
		r.logger.Warn("reading the signing keys", zap.String("ring", r.path), zap.Error(err))
		return false
	}
	return before == nil || !before.ring.same(after.ring)
}

// knowledge returns what is known of the ring; what is not fresh is refreshed in
// the background, and what was never read is waited for.
func (r *Ring) knowledge(ctx context.Context) (*knowledge, error) {
	known := r.known.Load()
	if known == nil {
		return r.load(ctx)
	}
	return r.freshen(ctx, known), nil
}

// freshen has what is known be read again, in the background while it is not old.
// After a pause it is waited for: a key that was taken away meanwhile must not
// have another request pass. A storage that does not answer is waited for once.
func (r *Ring) freshen(ctx context.Context, known *knowledge) *knowledge {
	age := r.now().Sub(known.at)
	switch {
	case age >= 0 && age < fresh:
	case age >= 0 && age < old:
		r.refresh()
	default:
		ctx, cancel := context.WithTimeout(ctx, brief)
		defer cancel()
		if now, err := r.load(ctx); err == nil {
			return now
		}
		r.known.CompareAndSwap(known, &knowledge{known.ring, r.now()})
		r.refresh()
	}
	return known
}

func isAbsent(err error) bool { return errors.Is(err, fs.ErrNotExist) }
