// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package signing keeps the keys that this server signs tokens with: generated
// when they are first asked for, kept in Caddy's storage, which all nodes of a
// fleet share, and replaced by new ones with an overlap. The store of tokens
// never holds one, so that a copy of the store alone signs nothing.
package signing

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
)

// directory is where the rings are, in the storage.
const directory = "rest_auth/signing"

// patience bounds a wait for the storage, which may be far away.
const patience = 10 * time.Second

// ErrUnavailable is wrapped by errors that say nothing of a token: the storage
// does not answer, or has something that is no ring.
var ErrUnavailable = errors.New("signing keys unavailable")

// A Provider is the app that owns the rings of a configuration.
type Provider interface {
	SigningKeys() *Keys
}

// FromContext returns the rings of the configuration that ctx belongs to. It
// reads nothing yet.
func FromContext(ctx caddy.Context) (*Keys, error) {
	app, err := ctx.App("rest_auth")
	if err != nil {
		return nil, err
	}
	provider, ok := app.(Provider)
	if !ok {
		return nil, fmt.Errorf("app rest_auth is a %T, which has no signing keys", app)
	}
	return provider.SigningKeys(), nil
}

// Keys are the rings in a storage. It is safe for concurrent use.
type Keys struct {
	storage certmagic.Storage
	logger  *zap.Logger
	now     func() time.Time

	mu    sync.Mutex
	rings map[string]*Ring
}

// New returns the rings of a storage, of which it reads nothing yet.
func New(storage certmagic.Storage, logger *zap.Logger) *Keys {
	return &Keys{storage: storage, logger: logger, now: time.Now, rings: make(map[string]*Ring)}
}

// Ring returns the ring of that name, which is a plain word, for an algorithm
// that CheckAlgorithm knows. It is the same one for all who ask.
func (k *Keys) Ring(name, algorithm string) *Ring {
	k.mu.Lock()
	defer k.mu.Unlock()
	path := directory + "/" + name + "/" + algorithm
	ring := k.rings[path]
	if ring == nil {
		ring = &Ring{
			name: name, algorithm: algorithm, path: path,
			storage: k.storage, logger: k.logger, now: k.now, asking: make(chan struct{}, 1),
		}
		ring.generation.Store(generations.Add(1))
		k.rings[path] = ring
	}
	return ring
}

// Find returns the rings that are in the storage or in use, by name, then
// algorithm.
func (k *Keys) Find(ctx context.Context) ([]*Ring, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	paths, err := k.storage.List(ctx, directory, true)
	if err != nil && !isAbsent(err) {
		return nil, fmt.Errorf("%w: listing them: %w", ErrUnavailable, err)
	}
	for _, path := range paths {
		name, algorithm, ok := strings.Cut(strings.TrimPrefix(path, directory+"/"), "/")
		if ok && CheckAlgorithm(algorithm) == nil {
			k.Ring(name, algorithm)
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	rings := make([]*Ring, 0, len(k.rings))
	for _, ring := range k.rings {
		rings = append(rings, ring)
	}
	slices.SortFunc(rings, func(a, b *Ring) int { return strings.Compare(a.path, b.path) })
	return rings, nil
}
