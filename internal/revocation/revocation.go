// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package revocation knows which tokens are revoked that carry all that is known
// of them, as JWTs do. The store has no record of such a token while it is good.
// What it keeps is the families that were revoked, until their tokens would have
// ended anyway.
//
// As long as no family is revoked at all, and the store reports every change, to
// ask costs nothing. Otherwise it costs one indexed read of the store, and nothing
// is held in memory, however many families are revoked.
package revocation

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// A reporter is a store that says when what it told is too old, as
// *livestore.Store does.
type reporter interface {
	Subscribe(func(tokenstore.Change)) (cancel func())
	Trusted() bool
}

// A List answers which families of a store are revoked. It is safe for concurrent
// use.
type List struct {
	store  tokenstore.Store
	live   reporter // nil: nobody says what changed
	cancel func()

	// changes counts what may have revoked a family. None is one more than it was
	// before the store said that no family is revoked.
	changes, none atomic.Uint64
}

// New returns the List of a store. Close ends it.
func New(store tokenstore.Store) *List {
	l := &List{store: store, cancel: func() {}}
	if live, ok := store.(reporter); ok {
		l.live = live
		l.cancel = sync.OnceFunc(live.Subscribe(l.changed))
	}
	return l
}

// Close ends what New began. The List may still be asked.
func (l *List) Close() { l.cancel() }

func (l *List) changed(c tokenstore.Change) {
	if c.All || c.Family != "" {
		l.changes.Add(1)
	}
}

// Revoked reports whether any of the families is revoked. Empty names are none. An
// error of the store wraps tokenstore.ErrUnavailable, and says nothing of the
// families.
func (l *List) Revoked(ctx context.Context, families ...string) (bool, error) {
	if !named(families) || l.trusted() && l.none.Load() == l.changes.Load()+1 {
		return false, nil
	}
	if none, err := l.lookForNone(ctx); none || err != nil {
		return false, err
	}
	for _, family := range families {
		if family == "" {
			continue
		}
		if revoked, err := l.store.Revoked(ctx, family); revoked || err != nil {
			return revoked && err == nil, err
		}
	}
	return false, nil
}

// lookForNone asks whether there is anything to look for, where the answer is good
// for others too.
func (l *List) lookForNone(ctx context.Context) (bool, error) {
	before := l.changes.Load()
	if !l.trusted() || l.none.Load() == someAt(before) {
		return false, nil
	}
	some, err := l.store.Revoked(ctx, "")
	if err != nil {
		return false, err
	}
	if some {
		l.none.Store(someAt(before))
	} else {
		l.none.Store(before + 1)
	}
	return !some, nil
}

// someAt is what none is where the store said that a family is revoked.
func someAt(changes uint64) uint64 { return ^changes }

func (l *List) trusted() bool { return l.live != nil && l.live.Trusted() }

func named(families []string) bool {
	for _, family := range families {
		if family != "" {
			return true
		}
	}
	return false
}

// jwt begins the families of single tokens.
const jwt = "jwt:"

// IsJWT reports whether a family is one that JWT has made.
func IsJWT(family string) bool { return strings.HasPrefix(family, jwt) }

// JWT returns the family that a token with a jti is in by itself, of any length.
func JWT(issuer, jti string) string {
	// An issuer with the separator in it must not pass for another one.
	family := jwt + strings.ReplaceAll(issuer, "|", "%7C") + "|" + jti
	if len(family) > tokenstore.MaxName {
		sum := sha256.Sum256([]byte(family))
		return jwt + "sha256:" + hex.EncodeToString(sum[:])
	}
	return family
}
