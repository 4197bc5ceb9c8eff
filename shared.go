// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/credcache"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/livestore"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/password"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/revocation"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// What outlives a reload: a new configuration is started before the old one is
// cleaned up, and both use the same.
var (
	caches  = caddy.NewUsagePool()
	hashers = caddy.NewUsagePool()
)

// minHashMemory is what a new hash takes, argon2id with 19 MiB.
const minHashMemory = 19 << 20

// maxCacheEntries bounds the memory that a typing error can reserve.
const maxCacheEntries = 1 << 24

// sharedCache is a cache that hears of the changes of one store.
type sharedCache struct {
	*credcache.Cache
	key    cacheKey
	cancel func()
}

type cacheKey struct {
	store   string
	entries int
}

func acquireCache(store string, entries int, changes *livestore.Store) (*sharedCache, error) {
	if entries == 0 {
		entries = credcache.DefaultEntries
	}
	if entries < 0 || entries > maxCacheEntries {
		return nil, fmt.Errorf("%d entries: expected 1 to %d", entries, maxCacheEntries)
	}
	key := cacheKey{store, entries}
	value, _, err := caches.LoadOrNew(key, func() (caddy.Destructor, error) {
		cache := credcache.New(entries)
		tell := func(c tokenstore.Change) { cache.Touched(revocation.Widen(c)) }
		return &sharedCache{Cache: cache, key: key, cancel: changes.Subscribe(tell)}, nil
	})
	if err != nil {
		return nil, err
	}
	return value.(*sharedCache), nil
}

func (c *sharedCache) release() error {
	_, err := caches.Delete(c.key)
	return err
}

// Destruct implements caddy.Destructor.
func (c *sharedCache) Destruct() error {
	c.cancel()
	return nil
}

// sharedHasher is a hasher whose bounds hold for the process, not for each
// configuration.
type sharedHasher struct {
	*password.Hasher
	key string
}

func acquireHasher(bounds *PasswordBounds) (*sharedHasher, error) {
	if bounds.Slots < 0 || bounds.Memory < 0 || bounds.Queue < 0 {
		return nil, errors.New("bounds are negative")
	}
	if bounds.Memory > 0 && bounds.Memory < minHashMemory {
		return nil, fmt.Errorf("memory of %d bytes does not hold one hash, which takes %d", bounds.Memory, minHashMemory)
	}
	for _, format := range bounds.Allow {
		if !slices.Contains(password.WeakFormats(), format) {
			return nil, fmt.Errorf("allow: '%s' is not a weak format, expected some of %v", format, password.WeakFormats())
		}
	}
	key, err := json.Marshal(bounds)
	if err != nil {
		return nil, err
	}
	value, _, err := hashers.LoadOrNew(string(key), func() (caddy.Destructor, error) {
		hasher := password.New(password.Config{
			Slots:  bounds.Slots,
			Memory: bounds.Memory,
			Queue:  bounds.Queue,
			Weak:   bounds.Allow,
		})
		return &sharedHasher{Hasher: hasher, key: string(key)}, nil
	})
	if err != nil {
		return nil, err
	}
	return value.(*sharedHasher), nil
}

func (h *sharedHasher) release() error {
	_, err := hashers.Delete(h.key)
	return err
}

// Destruct implements caddy.Destructor.
func (h *sharedHasher) Destruct() error { return nil }
