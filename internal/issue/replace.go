// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package issue

import (
	"context"
	"fmt"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// Replace stores next in the place of old, which lives on until its grace is
// over, and no longer than it would have; without a grace it ends at once. next
// gets what it does not say: ID and Created. kept is what old became, if it
// lives on; then most, unless it is 0, is how many live records of the kind the
// user may have beside it, or tokenstore.ErrLimit says so. store is a transaction's: the store itself can raise an expiry only,
// so old is stored anew. An imported record cannot be stored anew, since its
// digest is entombed.
func Replace(ctx context.Context, store tokenstore.Store, old, next tokenstore.Credential, grace time.Duration, most int, now time.Time) (issued, kept tokenstore.Credential, err error) {
	next.ID, next.Created, next.LastUsed, next.Origin = tokenstore.NewCredentialID(), now, time.Time{}, ""
	none := tokenstore.Credential{}
	gone, err := store.Delete(ctx, tokenstore.Filter{ID: old.ID})
	if err != nil {
		return none, none, fmt.Errorf("ending the old token: %w", err)
	}
	if gone == 0 {
		return none, none, fmt.Errorf("ending the old token: %w", tokenstore.ErrNotFound)
	}
	if grace <= 0 {
		most = 0 // one more is one less
	}
	if err := store.Create(ctx, next, most, false); err != nil {
		return none, none, fmt.Errorf("creating the new token: %w", err)
	}
	if grace <= 0 {
		return next, none, nil
	}
	old.Slot = ""
	if end := now.Add(grace); old.Expires.IsZero() || end.Before(old.Expires) {
		old.Expires = end
	}
	if err := store.Create(ctx, old, 0, false); err != nil {
		return none, none, fmt.Errorf("keeping the old token for its grace: %w", err)
	}
	return next, old, nil
}
