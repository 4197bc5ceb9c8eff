// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package memory

import (
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) tokenstore.Store {
		store := New()
		t.Cleanup(func() { store.Close() })
		return store
	})
}
