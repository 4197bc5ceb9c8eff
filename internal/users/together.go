// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package users

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"sync"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// together has logins with the same name and password, from the same network at
// the same time, verified once: the first requests of a page come all at once, and
// are one guess.
type together struct {
	mu   sync.Mutex
	runs map[[sha256.Size]byte]*run
}

// A run is a verification under way. It ends early when all who wait for it
// have gone, not when the first has.
type run struct {
	done    chan struct{}
	cancel  func()
	waiting int

	// Set before done is closed.
	id  *auth.Identity
	err error
}

// processKey keeps what is in memory from being of use to try passwords with.
var processKey = sync.OnceValue(func() (key [32]byte) {
	rand.Read(key[:])
	return key
})

func sameLogin(roster Roster, network, name, pw string) (key [sha256.Size]byte) {
	secret := processKey()
	mac := hmac.New(sha256.New, secret[:])
	source := ""
	if roster != nil {
		source = roster.Name()
	}
	for _, part := range []string{source, network, name, pw} {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		mac.Write(length[:])
		mac.Write([]byte(part))
	}
	mac.Sum(key[:0])
	return key
}

// do returns what f returns to the first who asks for key while f runs, as an
// identity of the caller's own, and whether somebody else was the first.
func (t *together) do(ctx context.Context, key [sha256.Size]byte, f func(context.Context) (*auth.Identity, error)) (id *auth.Identity, joined bool, err error) {
	t.mu.Lock()
	running, joined := t.runs[key]
	if !joined {
		// Nothing of the first one's request may be used once it has ended, but
		// values that never change.
		inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
		running = &run{done: make(chan struct{}), cancel: cancel}
		if t.runs == nil {
			t.runs = make(map[[sha256.Size]byte]*run)
		}
		t.runs[key] = running
		go t.run(inner, key, running, f)
	}
	running.waiting++
	t.mu.Unlock()

	select {
	case <-running.done:
	case <-ctx.Done():
		t.leave(key, running)
		return nil, joined, undecided(ctx.Err())
	}
	if running.err != nil {
		return nil, joined, running.err
	}
	own := *running.id
	return &own, joined, nil
}

func (t *together) run(ctx context.Context, key [sha256.Size]byte, r *run, f func(context.Context) (*auth.Identity, error)) {
	defer func() {
		// Caddy survives a panic of a request, and would not survive this one.
		if caught := recover(); caught != nil {
			r.id, r.err = nil, undecided(errPanic)
			zap.L().Error("panic while a password was verified", zap.Any("panic", caught), zap.Stack("stack"))
		}
		t.mu.Lock()
		if t.runs[key] == r {
			delete(t.runs, key)
		}
		t.mu.Unlock()
		r.cancel()
		close(r.done)
	}()
	r.id, r.err = f(ctx)
}

// leave ends a run that nobody waits for, which nobody may join any more.
func (t *together) leave(key [sha256.Size]byte, r *run) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r.waiting--; r.waiting > 0 {
		return
	}
	if t.runs[key] == r {
		delete(t.runs, key)
	}
	r.cancel()
}

var errPanic = errors.New("panic")
