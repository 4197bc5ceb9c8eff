// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// seedBatch is how many records are written in one transaction.
const seedBatch = 10_000

// seed fills a new store with tokens 0 to n-1. They belong to the users in
// turn; the first user has a password.
func seed(ctx context.Context, store tokenstore.Store, n int, hash string) error {
	now := time.Now()
	keys := make([]string, min(n, maxUsers))
	err := inBatches(ctx, store, len(keys), func(s tokenstore.Store, i int) error {
		user := tokenstore.User{Name: userName(i), Active: true, Groups: []string{"readers"}}
		if i == 0 {
			user.PasswordHash = hash
		}
		stored, err := s.PutUser(ctx, user)
		keys[i] = stored.Key
		return err
	})
	if err != nil {
		return fmt.Errorf("adding users: %w", err)
	}
	err = inBatches(ctx, store, n, func(s tokenstore.Store, i int) error {
		digest := tokenDigest(i)
		return s.Create(ctx, tokenstore.Credential{
			ID:      tokenstore.NewCredentialID(),
			Kind:    tokenstore.KindToken,
			Digest:  digest[:],
			UserKey: keys[i%len(keys)],
			Created: now,
		}, 0, false)
	})
	if err != nil {
		return fmt.Errorf("adding tokens: %w", err)
	}
	return seedIssued(ctx, store, keys[0], now)
}

// seedIssued adds what the endpoints would have issued to the first user: a
// session and a knox token.
func seedIssued(ctx context.Context, store tokenstore.Store, userKey string, now time.Time) error {
	for kind, secret := range map[string]string{tokenstore.KindSession: benchSession, tokenstore.KindKnox: benchKnox} {
		digest := sha256.Sum256([]byte(secret))
		err := store.Create(ctx, tokenstore.Credential{
			ID:       tokenstore.NewCredentialID(),
			Kind:     kind,
			Digest:   digest[:],
			UserKey:  userKey,
			Created:  now,
			LastUsed: now,
			Expires:  now.Add(10 * time.Hour),
		}, 0, false)
		if err != nil {
			return fmt.Errorf("adding what was issued: %w", err)
		}
	}
	return nil
}

// inBatches calls f with 0 to n-1, in as few transactions as the store bears.
func inBatches(ctx context.Context, store tokenstore.Store, n int, f func(tokenstore.Store, int) error) error {
	transactor, ok := store.(tokenstore.Transactor)
	if !ok {
		return fmt.Errorf("a %T has no transactions", store)
	}
	for from := 0; from < n; from += seedBatch {
		err := transactor.InTx(ctx, func(s tokenstore.Store) error {
			for i := from; i < min(from+seedBatch, n); i++ {
				if err := f(s, i); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// tokenDigest is what a store knows of the token of a number.
func tokenDigest(n int) [sha256.Size]byte {
	var token [tokenSize]byte
	return sha256.Sum256(appendToken(token[:0], n))
}
