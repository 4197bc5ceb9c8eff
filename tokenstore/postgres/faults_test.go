// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package postgres

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/postgrestest"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/sqlstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// healed is how long a test waits for what is wanted within 5 s: a busy machine
// is no fault of the store.
const healed = 30 * time.Second

// quick makes timeouts short, so that tests need not wait for long ones.
func quick(d *Driver) {
	d.ConnectTimeout = caddy.Duration(500 * time.Millisecond)
	d.StatementTimeout = caddy.Duration(500 * time.Millisecond)
}

// bounded is how long a call may take with quick timeouts.
const bounded = 2 * time.Second

// A prober looks records up all the time, from several goroutines. It never
// accepts that a record is not found.
type prober struct {
	t      *testing.T
	stop   chan struct{}
	wg     sync.WaitGroup
	good   atomic.Int64
	failed atomic.Int64
	last   atomic.Int64 // time of the last good answer
}

func probe(t *testing.T, s *Store) *prober {
	t.Helper()
	if err := s.Create(t.Context(), record(1), 0, false); err != nil {
		t.Fatal(err)
	}
	p := &prober{t: t, stop: make(chan struct{})}
	for range 8 {
		p.wg.Go(func() { p.run(s) })
	}
	t.Cleanup(p.end)
	return p
}

func (p *prober) run(s *Store) {
	for {
		select {
		case <-p.stop:
			return
		case <-time.After(time.Millisecond):
		}
		began := time.Now()
		_, _, err := s.Lookup(context.Background(), digest(1), t0)
		switch {
		case err == nil:
			p.good.Add(1)
			p.last.Store(time.Now().UnixNano())
		case errors.Is(err, tokenstore.ErrUnavailable):
			p.failed.Add(1)
		default:
			p.t.Errorf("Lookup = %v, want the record or ErrUnavailable", err)
			return
		}
		if took := time.Since(began); took > bounded {
			p.t.Errorf("Lookup took %s: %v", took, err)
		}
	}
}

func (p *prober) end() {
	select {
	case <-p.stop:
	default:
		close(p.stop)
	}
	p.wg.Wait()
}

// fails waits until lookups fail.
func (p *prober) fails() {
	p.t.Helper()
	before := p.failed.Load()
	for start := time.Now(); p.failed.Load() == before; time.Sleep(time.Millisecond) {
		if time.Since(start) > healed {
			p.t.Fatal("no lookup fails")
		}
	}
}

// heals fails the test unless lookups succeed soon, and go on to.
func (p *prober) heals() {
	p.t.Helper()
	start := time.Now()
	for p.last.Load() < start.UnixNano() {
		if time.Since(start) > healed {
			p.t.Fatalf("no good answer %s after the database is back", healed)
		}
		time.Sleep(time.Millisecond)
	}
	p.t.Logf("healed after %s", time.Since(start).Round(time.Millisecond))
	time.Sleep(100 * time.Millisecond)
	failed := p.failed.Load()
	time.Sleep(100 * time.Millisecond)
	if n := p.failed.Load() - failed; n > 0 {
		p.t.Errorf("%d lookups failed after the store was good again", n)
	}
}

func TestRestart(t *testing.T) {
	server := postgrestest.New(t)
	s := openStore(t, driverOf(t, server.Database(t), quick))
	p := probe(t, s)
	server.Stop()
	p.fails()
	server.Start(t)
	p.heals()
	if err := s.Create(t.Context(), record(2), 0, false); err != nil {
		t.Errorf("Create after a restart = %v", err)
	}
}

// A server that is stopped keeps its connections, and says nothing.
func TestPause(t *testing.T) {
	server := postgrestest.New(t)
	s := openStore(t, driverOf(t, server.Database(t), quick))
	p := probe(t, s)
	watched := watch(t, s)
	server.Pause(t)
	began := time.Now()
	if err := watched.ends(t); !errors.Is(err, tokenstore.ErrUnavailable) || time.Since(began) > sqlstore.MaxSilence+200*time.Millisecond {
		t.Errorf("Watch of a silent server ended after %s with %v", time.Since(began), err)
	}
	p.fails()
	// Once it is known to be silent, nobody waits for it.
	began = time.Now()
	if err := s.Create(t.Context(), record(2), 0, false); !errors.Is(err, tokenstore.ErrUnavailable) || time.Since(began) > 100*time.Millisecond {
		t.Errorf("Create = %v after %s, want ErrUnavailable at once", err, time.Since(began))
	}
	server.Resume()
	p.heals()
}

func TestBackendsKilled(t *testing.T) {
	server := postgrestest.New(t)
	s := openStore(t, driverOf(t, server.Database(t), quick))
	p := probe(t, s)
	for start, kills := time.Now(), 0; kills < 5; time.Sleep(50 * time.Millisecond) {
		if server.KillBackends(t, "application_name = '"+applicationName+"'") > 0 {
			kills++
		}
		if time.Since(start) > healed {
			t.Fatal("there is nobody to kill")
		}
	}
	p.heals()
	p.end()

	// All that are idle are gone at once: nobody notices.
	server.KillBackends(t, "application_name = '"+applicationName+"'")
	if _, _, err := s.Lookup(t.Context(), digest(1), t0); err != nil {
		t.Errorf("Lookup after the connections were killed = %v", err)
	}
	server.KillBackends(t, "application_name = '"+applicationName+"'")
	if err := s.Create(t.Context(), record(2), 0, false); err != nil {
		t.Errorf("Create after the connections were killed = %v", err)
	}
}

// TestConnectionLimit wants those connections used that there are, and quick
// refusals where there are none.
func TestConnectionLimit(t *testing.T) {
	server := postgrestest.New(t)
	server.SetMaxConnections(t, 8) // five for us
	d := driverOf(t, server.DSN("postgres"), quick, func(d *Driver) { d.Schema = "limited" })
	server.Exec(t, "postgres", "GRANT CREATE ON DATABASE postgres TO "+postgrestest.User)
	s := openStore(t, d)
	p := probe(t, s)
	time.Sleep(200 * time.Millisecond)
	if p.good.Load() == 0 {
		t.Error("no lookup succeeds with five connections")
	}
	other := driverOf(t, server.DSN("postgres"), quick, func(d *Driver) { d.Schema = "limited" })
	began := time.Now()
	_, err := other.Open(t.Context())
	if time.Since(began) > bounded {
		t.Errorf("Open took %s", time.Since(began))
	}
	if err != nil && (!errors.Is(err, tokenstore.ErrUnavailable) || !strings.Contains(err.Error(), "max_connections")) {
		t.Errorf("Open = %v, want that there are too many connections", err)
	}
	server.SetMaxConnections(t, 60)
	p.heals()
}

// A pool that is busy is no reason to connect anew, and the store is not down.
func TestBusy(t *testing.T) {
	s := openStore(t, newDriver(t, func(d *Driver) {
		d.MaxConnections, d.ConnectTimeout = 1, caddy.Duration(200*time.Millisecond)
	}))
	st := s.state.Load()
	held, holder := make(chan struct{}), make(chan error, 1)
	go func() {
		holder <- s.Read(t.Context(), func(c *sqlstore.Conn) error {
			close(held)
			_, err := c.Exec(t.Context(), `SELECT pg_sleep(1)`)
			return err
		})
	}()
	<-held
	if _, _, err := s.Lookup(t.Context(), digest(1), t0); !errors.Is(err, tokenstore.ErrUnavailable) || !strings.Contains(err.Error(), "raise max_connections") {
		t.Errorf("Lookup = %v, want that all connections are in use", err)
	}
	if err := <-holder; err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Lookup(t.Context(), digest(1), t0); !errors.Is(err, tokenstore.ErrNotFound) {
		t.Errorf("Lookup afterwards = %v, want ErrNotFound", err)
	}
	if n := st.pool.Stat().NewConnsCount(); n != 1 || s.state.Load() != st {
		t.Errorf("%d connections were made, want 1 by a store that is never down", n)
	}
}

// TestReadOnly is a failover to a standby, as a session sees it.
func TestReadOnly(t *testing.T) {
	server := postgrestest.New(t)
	s := openStore(t, driverOf(t, server.Database(t), quick))
	p := probe(t, s)
	server.Exec(t, "postgres", "ALTER SYSTEM SET default_transaction_read_only = on")
	server.Exec(t, "postgres", "SELECT pg_reload_conf()")
	for start := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		err := s.Create(t.Context(), record(2), 0, false)
		if errors.Is(err, tokenstore.ErrUnavailable) {
			break
		}
		if err == nil {
			_, err = s.Delete(t.Context(), tokenstore.Filter{}, digest(2))
		}
		if err != nil && !errors.Is(err, tokenstore.ErrUnavailable) || time.Since(start) > healed {
			t.Fatalf("writing to a read-only server: %v, want ErrUnavailable", err)
		}
	}
	p.fails() // a standby may be behind: its answers are none
	// A session that reads its settings anew is no sign that the next one does.
	eventually(t, "Check of a read-only server is ErrUnavailable", func() (error, bool) {
		err := s.driver.Check(t.Context())
		return err, errors.Is(err, tokenstore.ErrUnavailable)
	})
	server.Exec(t, "postgres", "ALTER SYSTEM RESET default_transaction_read_only")
	server.Exec(t, "postgres", "SELECT pg_reload_conf()")
	p.heals()
}

// A database in which the tables are gone, or that has another store, is never
// taken for the one that was open.
func TestAnotherStore(t *testing.T) {
	server := postgrestest.New(t)
	d := driverOf(t, server.Database(t), quick)
	s := openStore(t, d)
	p := probe(t, s)
	server.Exec(t, d.config.ConnConfig.Database, `ALTER SCHEMA rest_auth RENAME TO away`)
	server.KillBackends(t, "application_name = '"+applicationName+"'")
	p.fails()
	if err := d.Init(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	server.Stop()
	p.fails()
	server.Start(t)
	eventually(t, "Lookup says that it is another store", func() (error, bool) {
		_, _, err := s.Lookup(t.Context(), digest(1), t0)
		if !errors.Is(err, tokenstore.ErrUnavailable) {
			t.Fatalf("Lookup = %v, want ErrUnavailable", err)
		}
		return err, strings.Contains(err.Error(), "another store")
	})
	server.Exec(t, d.config.ConnConfig.Database, `DROP SCHEMA rest_auth CASCADE; ALTER SCHEMA away RENAME TO rest_auth`)
	p.heals()
}

// eventually asks until it is so.
func eventually(t *testing.T, what string, ask func() (err error, so bool)) {
	t.Helper()
	for start := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		err, so := ask()
		if so {
			return
		}
		if time.Since(start) > healed {
			t.Fatalf("waited in vain: %s; the last answer was %v", what, err)
		}
	}
}
