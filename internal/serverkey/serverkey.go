// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package serverkey keeps the secret keys of a site in Caddy's storage, which
// all nodes of a fleet share. The store of tokens never holds one, so that a
// copy of the store alone does not let anybody derive a token.
package serverkey

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/certmagic"
)

// Size is the length in bytes of a key.
const Size = 32

// directory is where the keys are, in the storage.
const directory = "rest_auth/keys/"

// patience bounds a wait for the storage, which may be far away.
const patience = 10 * time.Second

// Keys are the keys of one storage. A key is made when it is first asked for,
// and never again: what was derived from it would be lost.
type Keys struct {
	storage certmagic.Storage
	loaded  sync.Map      // names to keys
	asking  chan struct{} // holds whoever asks the storage
}

// New returns the keys of a storage, of which it reads nothing yet.
func New(storage certmagic.Storage) *Keys {
	return &Keys{storage: storage, asking: make(chan struct{}, 1)}
}

// FromContext returns the keys in the storage of the configuration that ctx
// belongs to.
func FromContext(ctx caddy.Context) *Keys { return New(ctx.Storage()) }

// Key returns the key of that name, which is a plain word. It fails if the
// storage does not answer, within the patience for it and those who wait
// before; then nothing is remembered, and the next call asks again.
func (k *Keys) Key(ctx context.Context, name string) ([Size]byte, error) {
	if key, ok := k.loaded.Load(name); ok {
		return key.([Size]byte), nil
	}
	key, err := k.ask(ctx, name)
	if err != nil {
		return [Size]byte{}, fmt.Errorf("loading the server key '%s': %w", name, err)
	}
	return key, nil
}

// ask asks the storage, one at a time.
func (k *Keys) ask(ctx context.Context, name string) (key [Size]byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case k.asking <- struct{}{}:
		defer func() { <-k.asking }()
	case <-ctx.Done():
		return key, ctx.Err()
	}
	if key, ok := k.loaded.Load(name); ok {
		return key.([Size]byte), nil
	}
	if key, err = k.read(ctx, name); errors.Is(err, fs.ErrNotExist) {
		key, err = k.create(ctx, name)
	}
	if err == nil {
		k.loaded.Store(name, key)
	}
	return key, err
}

func (k *Keys) read(ctx context.Context, name string) (key [Size]byte, err error) {
	stored, err := k.storage.Load(ctx, directory+name)
	if err != nil {
		return key, err
	}
	// A shorter one was torn or tampered with. Replacing it would end every
	// token that was derived from the right one.
	if len(stored) != Size {
		return key, fmt.Errorf("%d bytes are stored, expected %d", len(stored), Size)
	}
	return [Size]byte(stored), nil
}

// create makes the key, unless another node has made it meanwhile.
func (k *Keys) create(ctx context.Context, name string) (key [Size]byte, err error) {
	lock := directory + name + ".lock"
	if err := k.storage.Lock(ctx, lock); err != nil {
		return key, err
	}
	defer func() { err = errors.Join(err, k.storage.Unlock(context.WithoutCancel(ctx), lock)) }()
	if key, err = k.read(ctx, name); !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	rand.Read(key[:])
	return key, k.storage.Store(ctx, directory+name, key[:])
}
