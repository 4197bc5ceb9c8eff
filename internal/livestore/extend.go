// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package livestore

import (
	"context"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// Extend implements tokenstore.Extender: it waits, where Touch does not. Who
// remembers the credential with its old end reads it again then.
func (s *Store) Extend(ctx context.Context, digest []byte, used, expires time.Time) error {
	if auth.DryRun(ctx) {
		return nil
	}
	return s.call(ctx, "touch", func(inner tokenstore.Store) error {
		return inner.Touch(ctx, digest, used, expires)
	})
}

// Interface guard
var _ tokenstore.Extender = (*Store)(nil)
