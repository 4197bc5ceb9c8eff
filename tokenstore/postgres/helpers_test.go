// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package postgres

import (
	"crypto/sha256"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/postgrestest"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func TestMain(m *testing.M) {
	postgrestest.Main(m, func() error { return goleak.Find() })
}

var t0 = time.Date(2019, 3, 1, 12, 0, 0, 0, time.UTC)

// driverOf is a driver as Provision leaves it, after options were changed.
func driverOf(t testing.TB, dsn string, options ...func(*Driver)) *Driver {
	t.Helper()
	d := &Driver{DSN: dsn, logger: zap.NewNop()}
	for _, option := range options {
		option(d)
	}
	if err := d.prepare(); err != nil {
		t.Fatal(err)
	}
	return d
}

var (
	shared  sync.Once
	schemaN atomic.Int64
)

// newDriver is a driver of a schema of its own, in a database that tests share:
// to make a database takes longer than to make the tables.
func newDriver(t testing.TB, options ...func(*Driver)) *Driver {
	t.Helper()
	server := postgrestest.Shared(t)
	shared.Do(func() { server.Exec(t, "postgres", "CREATE DATABASE schemas OWNER "+postgrestest.User) })
	name := fmt.Sprintf("s%d", schemaN.Add(1))
	return driverOf(t, server.DSN("schemas"), append([]func(*Driver){func(d *Driver) { d.Schema = name }}, options...)...)
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
