// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package signing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
)

// detached is for what goes on when the request is over that began it.
var detached = context.Background() //nolint:forbidigo // each use of it has a bound of its own

// maxKeys bounds a ring, however often somebody rotates it.
const maxKeys = 100

// MaxKeys returns how many keys a ring may have. Tokens name no secret, so that no
// more of these can be than are tried for a token.
func MaxKeys(algorithm string) int {
	if symmetric(algorithm) {
		return jose.MaxKeys
	}
	return maxKeys
}

// stored is a ring as it is in the storage, the oldest key first.
type stored struct {
	Algorithm string        `json:"algorithm"`
	Overlap   time.Duration `json:"overlap"`
	Keys      []*key        `json:"keys"`
}

// current returns the key that signs, or nil if none does yet.
func (s *stored) current(now time.Time) *key {
	for i := len(s.Keys) - 1; i >= 0; i-- {
		if k := s.Keys[i]; !now.Before(k.Starts) && (k.Ends.IsZero() || now.Before(k.Ends)) {
			return k
		}
	}
	return nil
}

func (s *stored) newest() *key { return s.Keys[len(s.Keys)-1] }

// same reports whether two readings have the same keys.
func (s *stored) same(other stored) bool {
	if len(s.Keys) != len(other.Keys) {
		return false
	}
	for i := range s.Keys {
		if s.Keys[i].ID != other.Keys[i].ID {
			return false
		}
	}
	return true
}

// lost reports whether a key of before is missing although it would still
// verify.
func (s *stored) lost(before stored, now time.Time) bool {
	for _, k := range before.Keys {
		if !k.Ends.IsZero() && !now.Before(k.Ends) {
			continue
		}
		kept := false
		for _, other := range s.Keys {
			kept = kept || other.ID == k.ID && (other.Ends.IsZero() || now.Before(other.Ends))
		}
		if !kept {
			return true
		}
	}
	return false
}

// load reads the ring, one at a time. A ring that is not there has no keys.
func (r *Ring) load(ctx context.Context) (*knowledge, error) {
	asked := r.now()
	done, ctx, err := r.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	// Somebody else may have read it while we waited.
	if known := r.known.Load(); known != nil && known.at.After(asked) {
		return known, nil
	}
	ring, err := r.read(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return r.learn(ring), nil
}

// begin waits for the right to ask the storage, within the patience for it.
func (r *Ring) begin(ctx context.Context) (done func(), bounded context.Context, err error) {
	bounded, cancel := context.WithTimeout(ctx, patience)
	select {
	case r.asking <- struct{}{}:
		return func() { <-r.asking; cancel() }, bounded, nil
	case <-bounded.Done():
		cancel()
		return nil, nil, fmt.Errorf("%w: %w", ErrUnavailable, bounded.Err())
	}
}

func (r *Ring) read(ctx context.Context) (stored, error) {
	raw, err := r.storage.Load(ctx, r.path)
	if isAbsent(err) {
		return stored{Algorithm: r.algorithm}, nil
	}
	if err != nil {
		return stored{}, err
	}
	var ring stored
	// What is damaged is never replaced: every token that it signed would die.
	if json.Unmarshal(raw, &ring) != nil || ring.Algorithm != r.algorithm || len(ring.Keys) == 0 || len(ring.Keys) > maxKeys {
		return stored{}, fmt.Errorf("%s is damaged", r.path)
	}
	for _, k := range ring.Keys {
		if k == nil {
			return stored{}, fmt.Errorf("%s is damaged", r.path)
		}
		if err := k.complete(r.algorithm); err != nil {
			return stored{}, fmt.Errorf("%s is damaged: %w", r.path, err)
		}
	}
	return ring, nil
}

// learn remembers what was read or written.
func (r *Ring) learn(ring stored) *knowledge {
	now := r.now()
	known := &knowledge{ring, now}
	// A number that grew before would be that of something a lost key verified.
	if before := r.known.Swap(known); before != nil && ring.lost(before.ring, now) {
		r.generation.Store(generations.Add(1))
	}
	return known
}

// refresh reads the ring in the background. While that fails, what is known
// goes on being used.
func (r *Ring) refresh() {
	if !r.turning.CompareAndSwap(false, true) {
		return
	}
	go func() {
		defer r.turning.Store(false)
		if _, err := r.load(detached); err != nil {
			r.logger.Warn("reading the signing keys; those that were read before go on being used",
				zap.String("ring", r.path), zap.Error(err))
			// Not each request is to ask a storage that is down.
			if known := r.known.Load(); known != nil {
				r.known.Store(&knowledge{known.ring, r.now()})
			}
		}
	}()
}

// change reads the ring, changes it and writes it, while no other node does.
func (r *Ring) change(ctx context.Context, f func(*stored, time.Time) error) (known *knowledge, err error) {
	done, ctx, err := r.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	lock := r.path + ".lock"
	if err := r.storage.Lock(ctx, lock); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer func() {
		if unlocking := r.storage.Unlock(context.WithoutCancel(ctx), lock); unlocking != nil {
			err = errors.Join(err, fmt.Errorf("%w: %w", ErrUnavailable, unlocking))
		}
	}()
	ring, err := r.read(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if err := f(&ring, r.now()); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(ring)
	if err != nil {
		return nil, err
	}
	if err := r.storage.Store(ctx, r.path, raw); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return r.learn(ring), nil
}
