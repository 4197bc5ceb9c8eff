// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package postgrestest

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

func TestMain(m *testing.M) { Main(m) }

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = conn.Close(ctx)
	})
	return conn
}

// answers reports whether a connection works within a second.
func answers(t *testing.T, conn *pgx.Conn) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	return conn.Ping(ctx) == nil
}

func TestShared(t *testing.T) {
	server := Shared(t)
	if Shared(t) != server {
		t.Error("a second server was started")
	}
	first, second := server.Database(t), server.Database(t)
	if first == second {
		t.Fatalf("two tests got the database %s", first)
	}
	if !answers(t, connect(t, first)) {
		t.Error("the database does not answer")
	}
	var super string
	if err := connect(t, first).QueryRow(t.Context(), "SHOW is_superuser").Scan(&super); err != nil || super != "off" {
		t.Errorf("is_superuser = %s, %v, want off", super, err)
	}
}

func TestFaults(t *testing.T) {
	server := New(t)
	dsn := server.Database(t)

	conn := connect(t, dsn)
	server.Pause(t)
	if answers(t, conn) {
		t.Error("a paused server answers")
	}
	server.Resume()
	conn = connect(t, dsn)
	if !answers(t, conn) {
		t.Error("a resumed server does not answer")
	}

	if n := server.KillBackends(t, "usename = '"+User+"'"); n == 0 || answers(t, conn) {
		t.Errorf("KillBackends = %d, and the connection lives on", n)
	}

	conn = connect(t, dsn)
	server.Restart(t)
	if answers(t, conn) {
		t.Error("a connection outlived a restart")
	}

	server.SetMaxConnections(t, 5) // two for us
	connect(t, dsn)
	connect(t, dsn)
	_, err := pgx.Connect(t.Context(), dsn)
	if pgErr := (*pgconn.PgError)(nil); !errors.As(err, &pgErr) || pgErr.Code != "53300" {
		t.Errorf("the third connection = %v, want that there are too many", err)
	}

	server.Stop()
	if _, err := os.Stat(server.Socket()); err == nil {
		t.Error("the socket of a stopped server is there")
	}
	server.Start(t)
	if !answers(t, connect(t, dsn)) {
		t.Error("a server that was started again does not answer")
	}
}
