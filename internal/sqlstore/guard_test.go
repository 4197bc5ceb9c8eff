// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// What the database refused ends the transaction, and every call from then on is
// told that the store is unavailable; an answer ends nothing.
func TestGuard(t *testing.T) {
	refused := errors.New("the disk is full")
	g := Guard{Unavailable: func(err error) error { return fmt.Errorf("%w: %w", tokenstore.ErrUnavailable, err) }}
	use := func(err error) error { return g.Use(t.Context(), func() error { return err }) }
	if err := use(tokenstore.ErrExists); err != tokenstore.ErrExists || g.Broken() != nil {
		t.Errorf("an answer became %v, and broke %v", err, g.Broken())
	}
	for _, cause := range []error{refused, nil} {
		if err := use(cause); !errors.Is(err, tokenstore.ErrUnavailable) || !errors.Is(err, refused) {
			t.Errorf("after %v: %v", cause, err)
		}
	}
	if g.Broken() != refused {
		t.Errorf("broken by %v", g.Broken())
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := g.Use(ended, func() error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("after its context: %v", err)
	}
	g.End()
	if err := use(nil); err != errEnded {
		t.Errorf("after the end: %v", err)
	}
	if err := g.Watch(t.Context(), nil); err == nil {
		t.Error("a transaction can be watched")
	}
}
