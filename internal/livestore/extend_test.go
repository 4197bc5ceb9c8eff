// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package livestore

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// Extend has written when it returns, or says why not.
func TestExtend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDriver()
		s, err := Acquire(d, Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Release()
		digest, now := make([]byte, 32), time.Now()
		if err := tokenstore.Extend(t.Context(), s, digest, now, now.Add(time.Hour)); err != nil || d.store.count("touch") != 1 {
			t.Errorf("Extend = %v, after %d writes; want 1", err, d.store.count("touch"))
		}
		d.store.answer("touch", errBroken)
		if err := tokenstore.Extend(t.Context(), s, digest, now, now.Add(time.Hour)); !errors.Is(err, errBroken) {
			t.Errorf("Extend = %v, want the store's error", err)
		}
		if err := tokenstore.Extend(auth.WithDryRun(t.Context()), s, digest, now, now.Add(time.Hour)); err != nil || d.store.count("touch") != 2 {
			t.Errorf("in a dry run: %v, after %d writes", err, d.store.count("touch"))
		}
	})
}
