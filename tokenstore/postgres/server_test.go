// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package postgres

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/postgrestest"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// After a failover the former primary may run on. Its feed is not trusted once a
// connection has led to the new one, which reports what others change there.
func TestFailover_formerPrimaryRuns(t *testing.T) {
	former, next := postgrestest.New(t), postgrestest.New(t)
	dir, err := os.MkdirTemp("", "pg") //nolint:usetesting // the path of a socket is short, and t.TempDir's may not be
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	link := filepath.Join(dir, filepath.Base(former.Socket()))
	if err := os.Symlink(former.Socket(), link); err != nil {
		t.Fatal(err)
	}
	for _, server := range []*postgrestest.Server{former, next} {
		server.Exec(t, "postgres", "CREATE SCHEMA rest_auth AUTHORIZATION "+postgrestest.User)
		if err := driverOf(t, server.DSN("postgres")).Init(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		server.Exec(t, "postgres", "UPDATE rest_auth.meta SET value = 'the same' WHERE name = 'id'")
	}
	s := openStore(t, driverOf(t, former.DSN("postgres")+" host="+dir, quick))
	if _, _, err := s.Lookup(t.Context(), digest(1), t0); !errors.Is(err, tokenstore.ErrNotFound) {
		t.Fatal(err)
	}
	w := watch(t, s)
	if err := errors.Join(os.Remove(link), os.Symlink(next.Socket(), link)); err != nil {
		t.Fatal(err)
	}
	former.KillBackends(t, "application_name = '"+applicationName+"'")
	if err := s.Create(t.Context(), record(1), 0, false); err != nil {
		t.Fatal(err)
	}
	if err := w.ends(t); !errors.Is(err, errMoved) || !errors.Is(err, tokenstore.ErrUnavailable) {
		t.Errorf("Watch = %v, want that the server has moved", err)
	}
	w = watch(t, s)
	if _, err := openStore(t, driverOf(t, next.DSN("postgres"))).Delete(t.Context(), tokenstore.Filter{}, digest(1)); err != nil {
		t.Fatal(err)
	}
	w.reports(t, tokenstore.Change{CredentialID: record(1).ID})
}

// A write that waits for a standby which is away is not acknowledged, and readers do
// not mind.
func TestStandbyAway(t *testing.T) {
	server := postgrestest.New(t)
	s := openStore(t, driverOf(t, server.Database(t), quick))
	if err := s.Create(t.Context(), record(1), 0, false); err != nil {
		t.Fatal(err)
	}
	server.Exec(t, "postgres", "ALTER SYSTEM SET synchronous_standby_names = 'away'")
	server.Exec(t, "postgres", "SELECT pg_reload_conf()")
	time.Sleep(100 * time.Millisecond)
	began := time.Now()
	if _, err := s.Delete(context.Background(), tokenstore.Filter{}, digest(1)); !errors.Is(err, errUnknown) || time.Since(began) > bounded {
		t.Errorf("Delete = %v after %s, want that its outcome is not known", err, time.Since(began))
	}
	if _, err := s.User(t.Context(), "nobody"); !errors.Is(err, tokenstore.ErrNotFound) {
		t.Errorf("User beside it = %v, want ErrNotFound", err)
	}
	server.Exec(t, "postgres", "ALTER SYSTEM RESET synchronous_standby_names")
	server.Exec(t, "postgres", "SELECT pg_reload_conf()")
}
