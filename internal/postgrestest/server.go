// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package postgrestest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const superuser = "postgres"

// patience is how long a server may take to start or to stop.
const patience = 30 * time.Second

// A Server is a PostgreSQL that runs.
type Server struct {
	// Dir holds the socket: the host of a connection string.
	Dir string

	// Port is part of the socket's name.
	Port string

	dir      string // of everything
	programs programs
	process  *process
}

// Socket is the path of the Unix socket.
func (s *Server) Socket() string { return filepath.Join(s.Dir, ".s.PGSQL."+s.Port) }

// start starts a server on a copy of what initdb made. The caller holds mu.
func start(programs programs, settings []string) (*Server, error) {
	if template == "" {
		if err := initialize(programs); err != nil {
			return nil, err
		}
	}
	dir, err := privateDir()
	if err != nil {
		return nil, err
	}
	s := &Server{Dir: dir, Port: "5432", dir: dir, programs: programs}
	if err := s.prepare(settings); err != nil {
		s.remove()
		return nil, err
	}
	return s, nil
}

// initialize makes the template.
func initialize(programs programs) error {
	dir, err := privateDir()
	if err != nil {
		return err
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(programs.initdb, "--no-sync", "--auth=trust", "--username="+superuser,
		"--encoding=UTF8", "--no-locale", "--wal-segsize=1", "--pgdata="+data)
	initdb.Dir = dir
	asServer(initdb)
	if out, err := initdb.CombinedOutput(); err != nil {
		_ = os.RemoveAll(dir)
		return fmt.Errorf("running initdb: %w: %s", err, out)
	}
	template = data
	return nil
}

func (s *Server) prepare(settings []string) error {
	cp := exec.Command("cp", "-R", template, filepath.Join(s.dir, "data"))
	cp.Dir = s.dir
	asServer(cp)
	if out, err := cp.CombinedOutput(); err != nil {
		return fmt.Errorf("copying the data directory: %w: %s", err, out)
	}
	lines := append([]string{
		"unix_socket_directories = '" + s.dir + "'", "listen_addresses = ''", "max_connections = 60",
		"fsync = off", "full_page_writes = off", "autovacuum = off", "shared_buffers = 32MB",
		"logging_collector = off", "log_min_messages = warning", "max_wal_size = 1GB",
	}, settings...)
	if err := s.Configure(lines...); err != nil {
		return err
	}
	if err := s.begin(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return s.exec(ctx, "postgres", "CREATE ROLE "+User+" LOGIN")
}

// privateDir makes a directory that the server can use, with a short name: that
// of a socket may have 107 bytes.
func privateDir() (string, error) {
	dir, err := os.MkdirTemp("", "pg")
	if err == nil {
		err = own(dir)
	}
	return dir, err
}

// Configure appends lines to postgresql.conf, for the next start.
func (s *Server) Configure(lines ...string) error {
	file, err := os.OpenFile(filepath.Join(s.dir, "data", "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(strings.Join(lines, "\n") + "\n")
	return errors.Join(err, file.Close())
}

// begin starts the server, and waits until it answers.
func (s *Server) begin() error {
	log := new(bytes.Buffer)
	cmd := exec.Command(s.programs.postgres, "-D", filepath.Join(s.dir, "data"))
	cmd.Dir = s.dir
	cmd.Stderr = log
	asServer(cmd)
	process, err := run(cmd)
	if err != nil {
		return err
	}
	s.process = process
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.dsn(superuser, "postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-process.ended:
			return fmt.Errorf("starting PostgreSQL: %w: %s", err, log)
		case <-ctx.Done():
			s.stop()
			return fmt.Errorf("starting PostgreSQL: %w: %s", err, log)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop ends the server at once, as a crash would: it leaves no work undone that
// was acknowledged.
func (s *Server) stop() {
	if s.process == nil {
		return
	}
	s.process.signalAll(syscall.SIGCONT)
	s.process.signal(syscall.SIGQUIT)
	select {
	case <-s.process.ended:
	case <-time.After(patience):
		s.process.signalAll(syscall.SIGKILL)
		<-s.process.ended
	}
	s.process = nil
}

func (s *Server) remove() {
	s.stop()
	_ = os.RemoveAll(s.dir)
}

// Stop stops the server; Start starts it again.
func (s *Server) Stop() { s.stop() }

// Start starts a server again that was stopped.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	if err := s.begin(); err != nil {
		t.Fatal(err)
	}
}

// Restart stops the server, which cuts all connections, and starts it again.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.stop()
	s.Start(t)
}

// Pause stops every process of the server where it is (SIGSTOP): connections
// stay, and nobody answers. It is resumed with the test at the latest.
func (s *Server) Pause(t testing.TB) {
	t.Helper()
	if s.process.signalAll(syscall.SIGSTOP) == 0 {
		t.Fatal("PostgreSQL is not running")
	}
	t.Cleanup(s.Resume)
}

// Resume lets a paused server go on.
func (s *Server) Resume() {
	if s.process != nil {
		s.process.signalAll(syscall.SIGCONT)
	}
}

// KillBackends ends the connections that a condition on pg_stat_activity
// selects, and returns how many. An empty condition selects all.
func (s *Server) KillBackends(t testing.TB, where string) int {
	t.Helper()
	if where == "" {
		where = "true"
	}
	return s.Count(t, "postgres", "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"+
		" WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' AND ("+where+")")
}

// SetMaxConnections restarts the server with room for n connections. Three of
// them are reserved for the superuser.
func (s *Server) SetMaxConnections(t testing.TB, n int) {
	t.Helper()
	if err := s.Configure(fmt.Sprintf("max_connections = %d", n)); err != nil {
		t.Fatal(err)
	}
	s.Restart(t)
}

// RequirePasswords has a role asked for its password from the next start on.
func (s *Server) RequirePasswords(role string) error {
	path := filepath.Join(s.dir, "data", "pg_hba.conf")
	rules, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append([]byte("local all "+role+" scram-sha-256\n"), rules...), 0o600)
}
