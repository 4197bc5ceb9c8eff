// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package tokenstore

import (
	"context"
	"time"
)

// An Extender is a Store whose Touch is batched. Extend does as Touch, and has
// written when it returns: somebody was told of the new end.
type Extender interface {
	Extend(ctx context.Context, digest []byte, used, expires time.Time) error
}

// Extend raises the end of a credential as Touch does, at once.
func Extend(ctx context.Context, store Store, digest []byte, used, expires time.Time) error {
	if extender, ok := store.(Extender); ok {
		return extender.Extend(ctx, digest, used, expires)
	}
	return store.Touch(ctx, digest, used, expires)
}
