// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

var t0 = time.Date(2019, 3, 1, 12, 0, 0, 0, time.UTC)

// driverAt is a driver as Provision leaves it, whose markers are in storage.
func driverAt(path, storage string) *Driver {
	return &Driver{
		Path:        path,
		BusyTimeout: caddy.Duration(defaultBusyTimeout),
		storage:     &certmagic.FileStorage{Path: storage},
		logger:      zap.NewNop(),
		reported:    new(atomic.Pointer[string]),
	}
}

func newDriver(t testing.TB) *Driver {
	t.Helper()
	return driverAt(filepath.Join(t.TempDir(), "private", "rest_auth.db"), t.TempDir())
}

func openStore(t testing.TB, d *Driver) *Store {
	t.Helper()
	store, err := d.Open(t.Context())
	if err != nil {
		t.Fatalf("Open = %v, want a store", err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store.(*Store)
}

func digest(i int) []byte {
	sum := sha256.Sum256(fmt.Append(nil, i))
	return sum[:]
}

func record(i int) tokenstore.Credential {
	return tokenstore.Credential{
		ID: fmt.Sprintf("id%d", i), Kind: tokenstore.KindToken, Digest: digest(i), Created: t0,
	}
}
