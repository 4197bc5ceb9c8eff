// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package postgres

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/postgrestest"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/sqlstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// A cutter stands between a store and the server. It cuts a connection at the
// first message that holds some text, before or after it is passed on.
type cutter struct {
	dir  string
	text []byte
	pass bool

	left atomic.Int32 // how often it does so
	wg   sync.WaitGroup
}

func newCutter(t *testing.T, server *postgrestest.Server, text string, pass bool) *cutter {
	t.Helper()
	dir, err := os.MkdirTemp("", "cut") //nolint:usetesting // the path of a socket is short, and t.TempDir's may not be
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{dir: dir, text: []byte(text), pass: pass}
	listener, err := net.Listen("unix", filepath.Join(dir, filepath.Base(server.Socket())))
	if err != nil {
		t.Fatal(err)
	}
	c.wg.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			upstream, err := net.Dial("unix", server.Socket())
			if err != nil {
				_ = client.Close()
				continue
			}
			replies := &replies{client: client}
			c.wg.Go(func() { c.forward(upstream, client, replies) })
			c.wg.Go(func() {
				_, _ = io.Copy(replies, upstream)
				_ = client.Close()
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		c.wg.Wait()
		_ = os.RemoveAll(dir)
	})
	return c
}

// replies are what the server sends, until they are lost.
type replies struct {
	client net.Conn
	lost   atomic.Bool
}

func (r *replies) Write(p []byte) (int, error) {
	if r.lost.Load() {
		return len(p), nil
	}
	return r.client.Write(p)
}

func (c *cutter) forward(upstream, client net.Conn, replies *replies) {
	defer upstream.Close()
	buffer := make([]byte, 1<<16)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			return
		}
		if bytes.Contains(buffer[:n], c.text) && c.left.Add(-1) >= 0 {
			if c.pass {
				replies.lost.Store(true)
				_, _ = upstream.Write(buffer[:n])
				// A client that is cut asks the server to stop.
				time.Sleep(100 * time.Millisecond)
			}
			_ = client.Close()
			return
		}
		if _, err := upstream.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// TestLostCommit cuts a connection at the moments at which a retry would do things
// twice, or would do no harm.
func TestLostCommit(t *testing.T) {
	server := postgrestest.Shared(t)
	for name, tt := range map[string]struct {
		text    string
		pass    bool
		lost    bool  // whether the caller is told that nobody knows
		version int64 // of the user afterwards
	}{
		"the answer to COMMIT is lost":   {text: "COMMIT", pass: true, lost: true, version: 2},
		"COMMIT does not arrive":         {text: "COMMIT", lost: true, version: 1},
		"BEGIN does not arrive":          {text: "BEGIN", version: 2},
		"the answer to BEGIN is lost":    {text: "BEGIN", pass: true, version: 2},
		"another statement is cut":       {text: "old password", version: 2},
		"another statement's answer too": {text: "old password", pass: true, version: 2},
	} {
		t.Run(name, func(t *testing.T) {
			dsn := server.Database(t)
			direct := openStore(t, driverOf(t, dsn, quick))
			u, err := direct.PutUser(t.Context(), tokenstore.User{Name: "alice", PasswordHash: "old password"})
			if err != nil {
				t.Fatal(err)
			}
			c := newCutter(t, server, tt.text, tt.pass)
			s := openStore(t, driverOf(t, dsn+" host="+c.dir, quick))
			c.left.Store(1)
			err = s.Rehash(t.Context(), u.Key, "old password", "new")
			if tt.lost != errors.Is(err, tokenstore.ErrUnavailable) || !tt.lost && err != nil {
				t.Errorf("Rehash = %v", err)
			}
			u, err = direct.User(t.Context(), u.Key)
			for range 100 { // what was sent may take its time to arrive
				if err != nil || u.Version == tt.version {
					break
				}
				time.Sleep(10 * time.Millisecond)
				u, err = direct.User(t.Context(), u.Key)
			}
			if err != nil || u.Version != tt.version {
				t.Errorf("the user has version %d, %v, want %d", u.Version, err, tt.version)
			}
			if _, err := s.User(t.Context(), u.Key); err != nil {
				t.Errorf("User after a cut = %v", err)
			}
		})
	}
}

// raw is a connection beside the store.
func raw(t *testing.T, d *Driver) *pgx.Conn {
	t.Helper()
	conn, err := d.single(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hangUp(t.Context(), conn) })
	return conn
}

func execRaw(t *testing.T, conn *pgx.Conn, statement string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// TestConflicts runs transactions again that were undone, and those alone in the
// end that always are.
func TestConflicts(t *testing.T) {
	d := newDriver(t)
	s := openStore(t, d)
	other := raw(t, d)
	for name, tt := range map[string]struct{ conflicts, runs int }{
		"none":   {0, 1},
		"one":    {1, 2},
		"always": {1000, maxConflicts + 1},
	} {
		t.Run(name, func(t *testing.T) {
			u, err := s.PutUser(t.Context(), tokenstore.User{Name: name})
			if err != nil {
				t.Fatal(err)
			}
			runs := 0
			if err := s.Write(t.Context(), func(tx *sqlstore.Tx) error {
				runs++
				var version int64
				if _, err := tx.Row(t.Context(), `SELECT version FROM users WHERE key = ?`, []any{u.Key}, &version); err != nil {
					return err
				}
				if runs <= tt.conflicts {
					execRaw(t, other, `UPDATE users SET version = version + 100 WHERE key = $1`, []byte(u.Key))
				}
				_, err := tx.Exec(t.Context(), `UPDATE users SET version = version + 1 WHERE key = ?`, u.Key)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			want := u.Version + 1 + 100*int64(min(runs, tt.conflicts))
			if u, err = s.User(t.Context(), u.Key); err != nil || u.Version != want || runs != tt.runs {
				t.Errorf("version %d after %d runs, %v, want %d after %d", u.Version, runs, err, want, tt.runs)
			}
		})
	}
}

// TestStatementTimeout wants a call that has to wait for another refused in time,
// and nobody else.
func TestStatementTimeout(t *testing.T) {
	d := newDriver(t, quick)
	s := openStore(t, d)
	if err := s.Create(t.Context(), record(1), 0, false); err != nil {
		t.Fatal(err)
	}
	other := raw(t, d)
	execRaw(t, other, `SET idle_in_transaction_session_timeout = 0`)
	execRaw(t, other, `BEGIN`)
	execRaw(t, other, `UPDATE credentials SET label = 'x'`)
	began := time.Now()
	_, err := s.Delete(t.Context(), tokenstore.Filter{}, digest(1))
	if took := time.Since(began); !errors.Is(err, tokenstore.ErrUnavailable) || took > bounded {
		t.Errorf("Delete = %v after %s, want ErrUnavailable", err, took)
	}
	if _, _, err := s.Lookup(t.Context(), digest(1), t0); err != nil {
		t.Errorf("Lookup beside it = %v", err)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began = time.Now()
	if _, err := s.Delete(ctx, tokenstore.Filter{}, digest(1)); err == nil || time.Since(began) > bounded {
		t.Errorf("Delete of a caller who left = %v after %s", err, time.Since(began))
	}
	execRaw(t, other, `ROLLBACK`)

	// Who leaves in the midst of a transaction has it undone, and harms nobody.
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	if err := s.Write(ctx, func(tx *sqlstore.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM credentials`)
		cancel()
		return err
	}); !errors.Is(err, context.Canceled) {
		t.Errorf("Write of a caller who left = %v, want that it was canceled", err)
	}
	if st := s.state.Load(); st.err != nil {
		t.Errorf("the store is down because of a caller: %v", st.err)
	}
	if n, err := s.Delete(t.Context(), tokenstore.Filter{}, digest(1)); n != 1 || err != nil {
		t.Errorf("Delete = %d, %v, want 1", n, err)
	}
}

// TestInTx_alone has other writers wait while readers go on.
func TestInTx_alone(t *testing.T) {
	s := openStore(t, newDriver(t, quick))
	if err := s.Create(t.Context(), record(1), 0, false); err != nil {
		t.Fatal(err)
	}
	runs := 0
	if err := s.InTx(t.Context(), func(tx tokenstore.Store) error {
		runs++
		if err := tx.Create(t.Context(), record(2), 0, false); err != nil {
			return err
		}
		if _, _, err := s.Lookup(t.Context(), digest(1), t0); err != nil {
			t.Errorf("Lookup beside a transaction = %v", err)
		}
		if err := s.Create(t.Context(), record(3), 0, false); !errors.Is(err, tokenstore.ErrUnavailable) {
			t.Errorf("Create beside a transaction that takes long = %v, want ErrUnavailable", err)
		}
		return nil
	}); err != nil || runs != 1 {
		t.Errorf("InTx = %v after %d runs", err, runs)
	}
}

// TestInTx_cut has a transaction fail as a whole whose connection is lost.
func TestInTx_cut(t *testing.T) {
	server := postgrestest.New(t)
	s := openStore(t, driverOf(t, server.Database(t), quick))
	runs := 0
	err := s.InTx(t.Context(), func(tx tokenstore.Store) error {
		runs++
		if err := tx.Create(t.Context(), record(1), 0, false); err != nil {
			return err
		}
		server.KillBackends(t, "state LIKE 'idle in transaction%'")
		if err := tx.Create(t.Context(), record(2), 0, false); !errors.Is(err, tokenstore.ErrUnavailable) {
			t.Errorf("Create = %v, want ErrUnavailable", err)
		}
		return nil // which must not count
	})
	if !errors.Is(err, tokenstore.ErrUnavailable) || runs != 1 {
		t.Errorf("InTx = %v after %d runs, want ErrUnavailable after one", err, runs)
	}
	if _, _, err := s.Lookup(t.Context(), digest(1), t0); !errors.Is(err, tokenstore.ErrNotFound) {
		t.Errorf("Lookup of what was undone = %v, want ErrNotFound", err)
	}
}

// TestDiscard survives that somebody drops the prepared statements of a session.
func TestDiscard(t *testing.T) {
	s := openStore(t, newDriver(t, func(d *Driver) { d.MaxConnections = 1 }))
	for i := range 3 {
		if err := s.Create(t.Context(), record(i), 0, false); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Lookup(t.Context(), digest(i), t0); err != nil {
			t.Fatal(err)
		}
		if _, err := s.state.Load().pool.Exec(t.Context(), `DEALLOCATE ALL`); err != nil {
			t.Fatal(err)
		}
	}
}
