// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package postgres

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/postgrestest"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/sqlstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// TestOpen_together has several open an empty database at once: all of them are
// served, by the same store.
func TestOpen_together(t *testing.T) {
	dsn := postgrestest.Shared(t).Database(t)
	var wg sync.WaitGroup
	ids := make([]string, 8)
	for i := range ids {
		wg.Go(func() {
			store, err := driverOf(t, dsn).Open(t.Context())
			if err != nil {
				t.Errorf("Open = %v", err)
				return
			}
			defer store.Close()
			ids[i] = store.(*Store).id
			if err := store.Create(t.Context(), record(i), 0, false); err != nil {
				t.Errorf("Create = %v", err)
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id == "" || id != ids[0] {
			t.Fatalf("the stores are %q, want one", ids)
		}
	}
}

func TestOpen_newerSchema(t *testing.T) {
	d := newDriver(t)
	s := openStore(t, d)
	if _, err := s.Groups(t.Context()); err != nil {
		t.Fatal(err)
	}
	conn := raw(t, d)
	execRaw(t, conn, `UPDATE meta SET value = $1 WHERE name = 'schema'`, fmt.Append(nil, sqlstore.Schema+1))
	for name, call := range map[string]func() error{
		"Open":         func() error { _, err := d.Open(t.Context()); return err },
		"OpenExisting": func() error { _, err := d.OpenExisting(t.Context()); return err },
		"Check":        func() error { return d.Check(t.Context()) },
		"Init":         func() error { return d.Init(t.Context(), true) },
	} {
		err := call()
		if !errors.Is(err, tokenstore.ErrNewerSchema) || !errors.Is(err, tokenstore.ErrUnavailable) || !strings.Contains(err.Error(), d.Schema) {
			t.Errorf("%s = %v, want ErrNewerSchema, with the name of the schema", name, err)
		}
	}
	// Whoever serves already goes on until its connections are replaced.
	if _, err := s.Groups(t.Context()); err != nil {
		t.Errorf("Groups = %v", err)
	}
}

func TestOpenExisting(t *testing.T) {
	d := newDriver(t)
	if _, err := d.OpenExisting(t.Context()); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), d.Schema) {
		t.Errorf("OpenExisting without a store = %v, want fs.ErrNotExist", err)
	}
	if err := d.Check(t.Context()); err != nil {
		t.Errorf("Check without a store = %v", err)
	}
	if n := postgrestest.Shared(t).Count(t, "schemas", `SELECT count(*) FROM pg_namespace WHERE nspname = '`+d.Schema+`'`); n != 0 {
		t.Error("the schema was created")
	}
	for range 2 {
		if err := d.Init(t.Context(), false); err != nil {
			t.Fatal(err)
		}
	}
	store, err := d.OpenExisting(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if err := store.Create(t.Context(), record(1), 0, false); err != nil {
		t.Error(err)
	}
	if err := d.Check(t.Context()); err != nil {
		t.Errorf("Check = %v", err)
	}
}

// TestOpen_unreachable wants an error soon, without the password.
func TestOpen_unreachable(t *testing.T) {
	const secret = "hunter2hunter2"
	empty := t.TempDir()
	for name, dsn := range map[string]string{
		"no socket":   "host=" + empty + " user=caddy dbname=auth password=" + secret,
		"no listener": "postgres://caddy:" + secret + "@127.0.0.1:1/auth?sslmode=disable",
		"no name":     "postgres://caddy:" + secret + "@db.invalid/auth",
	} {
		d := driverOf(t, dsn, quick)
		for what, call := range map[string]func() error{
			"Open":         func() error { _, err := d.Open(t.Context()); return err },
			"OpenExisting": func() error { _, err := d.OpenExisting(t.Context()); return err },
			"Check":        func() error { return d.Check(t.Context()) },
			"Init":         func() error { return d.Init(t.Context(), false) },
		} {
			began := time.Now()
			err := call()
			if !errors.Is(err, tokenstore.ErrUnavailable) || errors.Is(err, fs.ErrNotExist) && what == "OpenExisting" {
				t.Errorf("%s with %s = %v, want ErrUnavailable", what, name, err)
			}
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("%s with %s tells the password: %v", what, name, err)
			}
			if took := time.Since(began); took > 4*bounded {
				t.Errorf("%s with %s took %s", what, name, took)
			}
		}
	}
}

// TestPrivileges tells a role what it lacks.
func TestPrivileges(t *testing.T) {
	server := postgrestest.New(t)
	const database = "private"
	server.Exec(t, "postgres", "CREATE DATABASE "+database)
	d := driverOf(t, server.DSN(database))
	denied := func(want string) {
		t.Helper()
		_, err := d.Open(t.Context())
		if !errors.Is(err, tokenstore.ErrUnavailable) || !strings.Contains(err.Error(), want) {
			t.Errorf("Open = %v, want %q in it", err, want)
		}
	}
	denied("CREATE SCHEMA IF NOT EXISTS rest_auth")
	server.Exec(t, database, "CREATE SCHEMA rest_auth")
	denied("GRANT USAGE, CREATE ON SCHEMA rest_auth TO caddy")
	server.Exec(t, database, "GRANT USAGE ON SCHEMA rest_auth TO caddy")
	denied("GRANT USAGE, CREATE ON SCHEMA rest_auth TO caddy")
	server.Exec(t, database, "GRANT USAGE, CREATE ON SCHEMA rest_auth TO caddy")
	openStore(t, d)

	// The owner of the tables may be another.
	server.Exec(t, database, "REASSIGN OWNED BY caddy TO postgres; REVOKE CREATE ON SCHEMA rest_auth FROM caddy")
	denied("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA rest_auth TO caddy")
	server.Exec(t, database, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA rest_auth TO caddy")
	s := openStore(t, d)
	if err := s.Create(t.Context(), record(1), 0, false); err != nil {
		t.Errorf("Create as a role that owns nothing = %v", err)
	}
	if _, err := s.PutUser(t.Context(), tokenstore.User{Name: "alice"}); err != nil {
		t.Errorf("PutUser as a role that owns nothing = %v", err)
	}
}

// TestSearchPath has nothing found outside of the schema, whatever stands there.
func TestSearchPath(t *testing.T) {
	server := postgrestest.Shared(t)
	dsn := server.Database(t)
	d := driverOf(t, dsn)
	database := d.config.ConnConfig.Database
	server.Exec(t, database, `CREATE TABLE public.meta (name bytea, value bytea); CREATE TABLE public.users (x int);
		INSERT INTO public.meta VALUES ('schema', '999'); GRANT ALL ON SCHEMA public TO PUBLIC; ALTER ROLE caddy IN DATABASE `+database+` SET search_path = public`)
	s := openStore(t, d)
	if _, err := s.PutUser(t.Context(), tokenstore.User{Name: "alice"}); err != nil {
		t.Error(err)
	}
	if n := server.Count(t, database, "SELECT count(*) FROM rest_auth.users"); n != 1 {
		t.Errorf("%d users are in the schema, want 1", n)
	}
}

// TestPasswordFile has a password changed while the store is open.
func TestPasswordFile(t *testing.T) {
	server := postgrestest.New(t)
	dsn := server.Database(t)
	file := filepath.Join(t.TempDir(), "password")
	password := func(to string) {
		t.Helper()
		server.Exec(t, "postgres", "ALTER ROLE caddy PASSWORD '"+to+"'")
		if err := os.WriteFile(file, []byte(to+"\r\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	password("first")
	if err := server.RequirePasswords(postgrestest.User); err != nil {
		t.Fatal(err)
	}
	server.Restart(t)
	if _, err := driverOf(t, dsn, quick).Open(t.Context()); !errors.Is(err, tokenstore.ErrUnavailable) {
		t.Errorf("Open without the password = %v, want ErrUnavailable", err)
	}
	d := driverOf(t, dsn, quick, func(d *Driver) { d.PasswordFile = file })
	s := openStore(t, d)
	password("second")
	server.KillBackends(t, "application_name = '"+applicationName+"'")
	if _, err := s.Groups(t.Context()); err != nil {
		t.Errorf("Groups after a change of the password = %v", err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := d.Check(t.Context()); !errors.Is(err, tokenstore.ErrUnavailable) || !strings.Contains(err.Error(), "password_file") {
		t.Errorf("Check without the file = %v, want that it is missing", err)
	}
}

func TestVerify(t *testing.T) {
	d := newDriver(t)
	s := openStore(t, d)
	if problems, err := s.Verify(t.Context()); err != nil || len(problems) > 0 {
		t.Errorf("Verify = %q, %v", problems, err)
	}
	c := record(1)
	u, err := s.PutUser(t.Context(), tokenstore.User{Name: "alice", Active: true})
	if err != nil {
		t.Fatal(err)
	}
	c.UserKey = u.Key
	if err := s.Create(t.Context(), c, 0, false); err != nil {
		t.Fatal(err)
	}
	execRaw(t, raw(t, d), `DELETE FROM users`)
	problems, err := s.Verify(t.Context())
	if err != nil || len(problems) != 1 || !strings.Contains(problems[0], c.ID) {
		t.Errorf("Verify = %q, %v, want the record without its user", problems, err)
	}
}
