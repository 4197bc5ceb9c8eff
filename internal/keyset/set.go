// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package keyset

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

var (
	// ErrUnavailable says that no keys are known because their source cannot be
	// read, or that a key is unknown and the source cannot be asked for it.
	ErrUnavailable = outbound.ErrUnavailable

	// ErrUnknownKey says that the source has no such key.
	ErrUnknownKey = errors.New("no key of that kid verifies that algorithm")
)

// RetryAfter returns when what err says may be better, or 0 for no idea.
func RetryAfter(err error) time.Duration { return outbound.RetryAfter(err) }

// Set is the keys of one source. Those with the same configuration share what
// was fetched, over sites and reloads.
type Set struct {
	*shared
	key        [sha256.Size]byte
	accept     func(issuer string) bool
	algorithms []string
	use        *outbound.Use
}

// generations counts over all sets, so that a set that ended and came back
// does not begin with a number that it had: what was verified by that number
// may be remembered.
var generations atomic.Uint64

var pool = caddy.NewUsagePool()

// Acquire returns the keys that cfg names. Those of a server are not fetched
// yet; those of a file that is missing make no error, as it may come. A weak
// key or secret of the configuration or of a file is an error.
func Acquire(cfg Config, logger *zap.Logger) (*Set, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	key, err := cfg.fingerprint()
	if err != nil {
		return nil, err
	}
	value, _, err := pool.LoadOrNew(key, func() (caddy.Destructor, error) { return newShared(&cfg) })
	if err != nil {
		return nil, err
	}
	s := value.(*shared)
	set := &Set{shared: s, key: key, algorithms: slices.Clone(cfg.Algorithms), use: s.logs.Join(logger)}
	if cfg.Discovery != nil {
		set.accept = cfg.Discovery.AcceptIssuer
	}
	if s.static != nil && !slices.ContainsFunc(s.static.all, func(key *Key) bool { return slices.ContainsFunc(key.Algorithms, set.allows) }) {
		_ = set.Release()
		return nil, fmt.Errorf("the keys verify none of %v", cfg.Algorithms)
	}
	return set, nil
}

// Release gives the set back. The last one ends its fetching.
func (s *Set) Release() error {
	s.logs.Part(s.use)
	_, err := pool.Delete(s.key)
	return err
}

// Start begins fetching in the background.
func (s *Set) Start() {
	if s.document != nil {
		s.document.Start()
	}
}

// Generation grows whenever a key is gone: what it verified is verified no
// more. It does not when one was added.
func (s *Set) Generation() uint64 { return s.generation.Load() }

// Find returns the keys that may verify alg: those with that kid and those
// without any, or for a token without kid at most ten of the type that fits. It
// waits for the source only while nothing is known, and for an unknown kid.
func (s *Set) Find(ctx context.Context, alg, kid string) ([]*Key, error) {
	if !s.allows(alg) {
		return nil, ErrUnknownKey
	}
	since := time.Now()
	known, err := s.accepted(s.value(ctx))
	if err != nil {
		return nil, err
	}
	if found := known.find(alg, kid); len(found) > 0 {
		return found, nil
	}
	if kid != "" && len(known.byID[kid]) > 0 {
		return nil, ErrUnknownKey // the key is known, and is for something else
	}
	if known, err = s.accepted(s.demand(ctx, since)); err != nil {
		return nil, err
	}
	if found := known.find(alg, kid); len(found) > 0 {
		return found, nil
	}
	return nil, ErrUnknownKey
}

func (s *Set) allows(alg string) bool {
	return len(s.algorithms) == 0 || slices.Contains(s.algorithms, alg)
}

func (s *Set) accepted(k *keys, err error) (*keys, error) {
	if err != nil {
		return nil, err
	}
	if s.accept != nil && !s.accept(k.issuer) {
		return nil, &outbound.UnavailableError{RetryAfter: time.Minute, Err: errors.New("the metadata is of another issuer")}
	}
	return k, nil
}
