// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/knox"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// lookup returns the record of a token, with its user and the digest that it was
// found by. Records of our own have the SHA-256. What an import brought of
// django-rest-knox has what knox stores. A record that has ended is returned with
// errTokenEnded.
func (t *Token) lookup(ctx context.Context, token string, now time.Time) ([]byte, tokenstore.Credential, tokenstore.User, error) {
	sum := sha256.Sum256(readOnly(token))
	digest := sum[:]
	record, user, err := t.store.Lookup(ctx, digest, beforeAnyEnd)
	if !isUnknown(err) && hasEnded(&record, now) {
		return digest, record, user, errTokenEnded
	}
	if !isUnknown(err) || !slices.Contains(t.Kinds, tokenstore.KindKnox) {
		return digest, record, user, err
	}
	imported, asked := t.imported.knox(ctx, t.store, now)
	if asked != nil {
		return digest, record, user, asked
	}
	if imported {
		for _, digest = range knox.Digests(token) {
			if record, user, err = t.lookupKnox(ctx, digest, now); !isUnknown(err) {
				break
			}
		}
	}
	return digest, record, user, err
}

// imports knows whether an import has brought tokens of knox, so that bad tokens
// cost no look-ups where none has.
type imports struct {
	brought atomic.Bool
	asked   atomic.Int64 // when it had not, in Unix nanoseconds
}

// askAgain is for how long there is still none.
const askAgain = time.Second

func (i *imports) knox(ctx context.Context, store tokenstore.Store, now time.Time) (bool, error) {
	if i.brought.Load() {
		return true, nil
	}
	if since := now.UnixNano() - i.asked.Load(); since >= 0 && since < int64(askAgain) {
		return false, nil
	}
	known, err := store.Known(ctx, knox.Imported)
	switch {
	case err != nil:
		return false, err
	case known:
		i.brought.Store(true)
	default:
		i.asked.Store(now.UnixNano())
	}
	return known, nil
}

// lookupKnox finds nothing but tokens of knox.
func (t *Token) lookupKnox(ctx context.Context, digest []byte, now time.Time) (tokenstore.Credential, tokenstore.User, error) {
	record, user, err := t.store.Lookup(ctx, digest, now)
	if (err == nil || errors.Is(err, tokenstore.ErrInactive)) && record.Kind != tokenstore.KindKnox {
		return tokenstore.Credential{}, tokenstore.User{}, tokenstore.ErrNotFound
	}
	return record, user, err
}

// isUnknown reports whether a look-up found no record, and not one whose user is
// inactive.
func isUnknown(err error) bool {
	return errors.Is(err, tokenstore.ErrNotFound) && !errors.Is(err, tokenstore.ErrInactive)
}
