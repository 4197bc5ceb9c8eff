// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/sqlstore"
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
		reports:     &sqlstore.Reports{Logger: zap.NewNop(), Place: zap.String("file", path)},
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

// execRaw runs a statement beside any store.
func execRaw(t testing.TB, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(path, "mode=rw", time.Second))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// lock keeps others from writing to the file until release is called.
func lock(t testing.TB, path string) (release func()) {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(path, "mode=rw", time.Second))
	if err != nil {
		t.Fatal(err)
	}
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := errors.Join(tx.Rollback(), db.Close()); err != nil {
			t.Error(err)
		}
	}
}
