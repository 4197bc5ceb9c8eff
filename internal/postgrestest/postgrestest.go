// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

// Package postgrestest runs a real PostgreSQL for tests, from the packages of
// Debian or wherever initdb and postgres are installed.
//
// A package that needs one has a TestMain that ends with Main, which stops the
// server that all of its tests share:
//
//	func TestMain(m *testing.M) { postgrestest.Main(m) }
//
//	func TestSomething(t *testing.T) {
//		server := postgrestest.Shared(t)    // started by whoever comes first
//		dsn := server.Database(t)           // an empty database of the test's own
//		…
//	}
//
// What a test does to the whole server (Restart, Pause, SetMaxConnections …) it
// does to one of its own, from New. That takes half a second, since initdb runs
// once for each package that has Main; without it New works too. Servers listen on a Unix socket in a directory of their
// own; New takes lines for postgresql.conf, as "listen_addresses = '127.0.0.1'".
//
// Databases belong to the role User, which is no superuser, so that limits and
// privileges hold for it; Exec is the superuser's. Nothing needs a password.
//
// Durability is off (fsync), unless New is told otherwise: a killed process loses
// nothing by that, a killed machine would. If the process of the test dies, so
// does its server (on Linux). Without PostgreSQL a test is skipped, or fails where
// CI is "true".
package postgrestest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// User is the role that owns the databases of tests.
const User = "caddy"

// Debian is the package that has the programs.
const Debian = "postgresql"

var (
	mu       sync.Mutex // of what follows
	shared   *Server
	template string // a data directory as initdb left it
	servers  int    // servers of one test each
	managed  bool   // whether Main cleans up
)

// Main runs the tests of a package, stops the shared server, makes sure that
// nothing is wrong then, as by goleak, and exits.
func Main(m *testing.M, then ...func() error) {
	managed = true
	code := m.Run()
	mu.Lock()
	if shared != nil {
		shared.remove()
		shared = nil
	}
	forgetTemplate()
	mu.Unlock()
	for _, check := range then {
		if err := check(); err != nil && code == 0 {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

func forgetTemplate() {
	if template != "" {
		_ = os.RemoveAll(filepath.Dir(template))
		template = ""
	}
}

// Shared returns the server that the tests of this process share. They must
// neither stop nor pause it.
func Shared(t testing.TB) *Server {
	t.Helper()
	programs := find(t)
	mu.Lock()
	defer mu.Unlock()
	if !managed {
		t.Fatal("the package has no TestMain that ends with postgrestest.Main")
	}
	if shared == nil {
		server, err := start(programs, nil)
		if err != nil {
			t.Fatal(err)
		}
		shared = server
	}
	return shared
}

// New starts a server for one test, with more lines for its postgresql.conf.
func New(t testing.TB, settings ...string) *Server {
	t.Helper()
	programs := find(t)
	mu.Lock()
	defer mu.Unlock()
	server, err := start(programs, settings)
	if err != nil {
		t.Fatal(err)
	}
	servers++
	t.Cleanup(func() {
		server.remove()
		mu.Lock()
		defer mu.Unlock()
		if servers--; servers == 0 && !managed {
			forgetTemplate()
		}
	})
	return server
}

// programs are where initdb and postgres are.
type programs struct{ initdb, postgres string }

func find(t testing.TB) programs {
	t.Helper()
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	slices.Reverse(dirs) // the newest first
	for _, dir := range append(dirs, filepath.SplitList(os.Getenv("PATH"))...) {
		found := programs{filepath.Join(dir, "initdb"), filepath.Join(dir, "postgres")}
		if executable(found.initdb) && executable(found.postgres) {
			return found
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("there is no PostgreSQL: install the package %s", Debian)
	}
	t.Skipf("there is no PostgreSQL: install the package %s", Debian)
	return programs{}
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

var databases atomic.Int64

// Database creates an empty database for one test and returns its connection
// string, of keywords. It is dropped with the test.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test%d", databases.Add(1))
	s.Exec(t, "postgres", "CREATE DATABASE "+name+" OWNER "+User)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		// A server that was stopped takes its databases along.
		_ = s.exec(ctx, "postgres", "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
	})
	return s.DSN(name)
}

// DSN is the connection string of a database, as the role User.
func (s *Server) DSN(database string) string { return s.dsn(User, database) }

func (s *Server) dsn(user, database string) string {
	return fmt.Sprintf("host=%s port=%s user=%s dbname=%s", s.Dir, s.Port, user, database)
}

// Exec runs statements as the superuser.
func (s *Server) Exec(t testing.TB, database, statements string) {
	t.Helper()
	if err := s.exec(t.Context(), database, statements); err != nil {
		t.Fatalf("%s: %v", statements, err)
	}
}

func (s *Server) exec(ctx context.Context, database, statements string) error {
	conn, err := pgx.Connect(ctx, s.dsn(superuser, database))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.PgConn().Exec(ctx, statements).ReadAll()
	return err
}

// Count asks for one number, as the superuser.
func (s *Server) Count(t testing.TB, database, query string) (n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.dsn(superuser, database))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if err := conn.QueryRow(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}
