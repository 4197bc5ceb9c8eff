// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package signing

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"
)

// ErrTooMany is returned where a ring is rotated faster than its keys may go.
var ErrTooMany = errors.New("too many keys still verify")

// Rotate adds a key that signs after the Lead. The others verify what they
// signed for as long as that may live, and go then.
func (r *Ring) Rotate(ctx context.Context) error { return r.rotate(ctx, Lead) }

// RotateNow is Rotate without the Lead. Who verifies by the published keys has
// to fetch them again, and other nodes do so when they meet a token of it.
func (r *Ring) RotateNow(ctx context.Context) error { return r.rotate(ctx, 0) }

func (r *Ring) rotate(ctx context.Context, lead time.Duration) error {
	known, err := r.change(ctx, func(s *stored, now time.Time) error { return r.add(s, now, lead) })
	return r.logged(err, known, "signing keys rotated")
}

// Replace adds a key that signs at once and removes all others, which somebody
// may have stolen: whatever they signed is refused from now on.
func (r *Ring) Replace(ctx context.Context) error {
	known, err := r.change(ctx, func(s *stored, now time.Time) error {
		s.Keys = nil
		return r.prepare(s, now)
	})
	return r.logged(err, known, "signing keys replaced")
}

func (r *Ring) logged(err error, known *knowledge, what string) error {
	if err == nil {
		newest := known.ring.newest()
		r.logger.Info(what, zap.String("ring", r.path), zap.String("key", newest.ID),
			zap.Time("signs_from", newest.Starts), zap.Int("keys", len(known.ring.Keys)))
	}
	return err
}

// prepare makes the first key, and notes the overlap.
func (r *Ring) prepare(s *stored, now time.Time) error {
	s.Algorithm = r.algorithm
	s.Overlap = max(s.Overlap, time.Duration(r.overlap.Load()))
	if s.current(now) != nil {
		return nil
	}
	// One that is to start soon starts at once if there is no other.
	if n := len(s.Keys); n > 0 && s.Keys[n-1].Ends.IsZero() {
		s.Keys[n-1].Starts = now.UTC()
		return nil
	}
	first, err := generate(r.algorithm, now, now)
	if err != nil {
		return err
	}
	s.Keys = append(s.Keys, first)
	return nil
}

// add adds a key, sets the ends of the others, and removes those that ended.
func (r *Ring) add(s *stored, now time.Time, lead time.Duration) error {
	if len(s.Keys) == 0 {
		return r.prepare(s, now)
	}
	s.Algorithm = r.algorithm
	s.Overlap = max(s.Overlap, time.Duration(r.overlap.Load()))
	starts := now.Add(lead)
	live := s.Keys[:0]
	for _, k := range s.Keys {
		if k.Ends.IsZero() {
			k.Ends = starts.Add(s.Overlap).UTC()
		}
		if now.Before(k.Ends) {
			live = append(live, k)
		}
	}
	s.Keys = live
	if len(s.Keys) >= MaxKeys(r.algorithm) {
		return ErrTooMany
	}
	next, err := generate(r.algorithm, now, starts)
	if err != nil {
		return err
	}
	s.Keys = append(s.Keys, next)
	return nil
}

// turn adds a key in the background, unless another node has done so.
func (r *Ring) turn(every time.Duration) {
	if wait := r.later.Load() - r.now().UnixNano(); wait > 0 && wait <= int64(retry) || !r.turning.CompareAndSwap(false, true) {
		return
	}
	go func() {
		defer r.turning.Store(false)
		turned := false
		known, err := r.change(detached, func(s *stored, now time.Time) error {
			if len(s.Keys) > 0 && now.Sub(s.newest().Starts) < every {
				return nil
			}
			turned = true
			return r.add(s, now, Lead)
		})
		if err != nil {
			// Not each token that is signed is to ask for it.
			r.later.Store(r.now().Add(retry).UnixNano())
			r.logger.Error("rotating the signing keys; it is tried again", zap.String("ring", r.path), zap.Error(err))
		} else if turned {
			_ = r.logged(nil, known, "signing keys rotated")
		}
	}()
}

// A Status is what operators see of a key.
type Status struct {
	Ring      string    `json:"ring"`
	Algorithm string    `json:"algorithm"`
	ID        string    `json:"key"`
	State     string    `json:"state"` // next, signs, verifies
	Created   time.Time `json:"created"`
	Starts    time.Time `json:"starts"`
	Ends      time.Time `json:"ends,omitzero"`
}

// Describe returns the keys as they are in the storage, the oldest first.
func (r *Ring) Describe(ctx context.Context) ([]Status, error) {
	known, err := r.load(ctx)
	if err != nil {
		return nil, err
	}
	now := r.now()
	current := known.ring.current(now)
	list := make([]Status, 0, len(known.ring.Keys))
	for _, k := range known.ring.Keys {
		status := Status{r.name, r.algorithm, k.ID, "verifies", k.Created, k.Starts, k.Ends}
		switch {
		case k == current:
			status.State = "signs"
		case now.Before(k.Starts):
			status.State = "next"
		case !k.Ends.IsZero() && !now.Before(k.Ends):
			continue
		}
		list = append(list, status)
	}
	return list, nil
}
