// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package signing

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
)

// TestRing_manySecrets replaces a secret as often as it goes: what every one of them
// has signed verifies, though no token names its key.
func TestRing_manySecrets(t *testing.T) {
	storage, c := &certmagic.FileStorage{Path: t.TempDir()}, newClock()
	r := node(storage, c).Ring("x", "HS256")
	r.Keep(time.Hour)
	tokens := []*jose.Token{sign(t, r)}
	for len(tokens) < MaxKeys("HS256") {
		if err := r.RotateNow(t.Context()); err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, sign(t, r))
	}
	if err := r.RotateNow(t.Context()); !errors.Is(err, ErrTooMany) {
		t.Errorf("one more: %v", err)
	}
	for i, token := range tokens {
		if !verifies(t, r, token) {
			t.Errorf("what key %d of %d has signed is refused", i+1, len(tokens))
		}
	}
	c.pass(time.Hour)
	if err := r.Rotate(t.Context()); err != nil {
		t.Errorf("when the old ones have gone: %v", err)
	}
}

// unlockable is a storage that can be read, and not written.
type unlockable struct {
	certmagic.Storage
	down  atomic.Bool
	asked atomic.Int64
}

func (u *unlockable) Lock(ctx context.Context, name string) error {
	if u.asked.Add(1); u.down.Load() {
		return errors.New("down")
	}
	return u.Storage.Lock(ctx, name)
}

// TestRing_cannotTurn signs on with the old key where no new one can be stored, and
// does not ask for it with every token.
func TestRing_cannotTurn(t *testing.T) {
	storage, c := &unlockable{Storage: &certmagic.FileStorage{Path: t.TempDir()}}, newClock()
	r := node(storage, c).Ring("x", "ES256")
	r.Keep(time.Hour)
	r.TurnEvery(24 * time.Hour)
	first := sign(t, r)
	storage.down.Store(true)
	storage.asked.Store(0)
	c.pass(25 * time.Hour)
	await(t, "nobody asks for a new key", func() bool { sign(t, r); return r.later.Load() != 0 })
	for range 100 {
		if sign(t, r).KeyID != first.KeyID {
			t.Fatal("another key")
		}
	}
	await(t, "the attempt goes on", func() bool { return !r.turning.Load() })
	if n := storage.asked.Load(); n != 1 {
		t.Errorf("the storage was asked %d times, want once", n)
	}
	storage.down.Store(false)
	c.pass(retry)
	await(t, "the key is not replaced", func() bool {
		sign(t, r)
		keys, err := r.Keys(t.Context())
		return err == nil && len(keys) == 2
	})
}
