// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package memory_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/memory"
)

// A token is stored as the digest of its secret, found by it, and gone as soon as
// it is revoked.
func Example() {
	ctx, now := context.Background(), time.Now()
	store := memory.New()
	defer store.Close()

	alice, err := store.PutUser(ctx, tokenstore.User{Name: "alice", Active: true})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	digest := sha256.Sum256([]byte("the secret that alice was shown once"))
	err = store.Create(ctx, tokenstore.Credential{
		ID:      tokenstore.NewCredentialID(),
		Kind:    tokenstore.KindToken,
		Label:   "backup script",
		Digest:  digest[:],
		UserKey: alice.Key,
		Created: now,
		Expires: now.Add(30 * 24 * time.Hour),
	}, 10, false)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}

	token, user, err := store.Lookup(ctx, digest[:], now)
	fmt.Println(token.Label, "of", user.Name, err)

	n, err := store.Delete(ctx, tokenstore.Filter{UserKey: alice.Key})
	fmt.Println("revoked", n, err)

	_, _, err = store.Lookup(ctx, digest[:], now)
	fmt.Println(errors.Is(err, tokenstore.ErrNotFound))
	// Output:
	// backup script of alice <nil>
	// revoked 1 <nil>
	// true
}
