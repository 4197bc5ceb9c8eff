// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/postgrestest"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/sqlstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// A watched is a Watch under way.
type watched struct {
	changes chan tokenstore.Change
	ended   chan error
}

// watch returns once the feed is followed.
func watch(t *testing.T, s *Store) *watched {
	t.Helper()
	w := &watched{make(chan tokenstore.Change, 100_000), make(chan error, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { w.ended <- s.Watch(ctx, func(c tokenstore.Change) { w.changes <- c }) }()
	t.Cleanup(cancel)
	select {
	case <-w.changes:
	case err := <-w.ended:
		t.Fatalf("Watch = %v", err)
	case <-time.After(healed):
		t.Fatal("Watch reports nothing")
	}
	return w
}

// ends waits for the end of the Watch.
func (w *watched) ends(t *testing.T) error {
	t.Helper()
	select {
	case err := <-w.ended:
		return err
	case <-time.After(healed):
		t.Fatal("Watch does not end")
		return nil
	}
}

// reports returns how long it takes until a change is reported.
func (w *watched) reports(t *testing.T, want tokenstore.Change) time.Duration {
	t.Helper()
	began := time.Now()
	for {
		select {
		case c := <-w.changes:
			if c == want {
				return time.Since(began)
			}
		case err := <-w.ended:
			t.Fatalf("Watch = %v", err)
		case <-time.After(time.Second):
			t.Fatalf("%+v is not reported within a second", want)
		}
	}
}

// TestTwoNodes shows that what one changes the other knows, in time.
func TestTwoNodes(t *testing.T) {
	server := postgrestest.Shared(t)
	dsn := server.Database(t)
	a, b := openStore(t, driverOf(t, dsn)), openStore(t, driverOf(t, dsn))
	u, err := a.PutUser(t.Context(), tokenstore.User{Name: "alice", Active: true})
	if err != nil {
		t.Fatal(err)
	}
	w := watch(t, b)
	var took []time.Duration
	for range 50 {
		if u, err = a.PutUser(t.Context(), u); err != nil {
			t.Fatal(err)
		}
		took = append(took, w.reports(t, tokenstore.Change{UserKey: u.Key}))
	}
	slices.Sort(took)
	t.Logf("known elsewhere after %s, %s at most", took[len(took)/2], took[len(took)-1])
	if took[len(took)/2] > pollEvery/2 {
		t.Errorf("half of the changes take %s: the wake-up does not work", took[len(took)/2])
	}
}

// Without wake-ups the feed is read all the same.
func TestWatch_withoutWakeUp(t *testing.T) {
	d := newDriver(t)
	s := openStore(t, d)
	w := watch(t, s)
	conn, err := d.single(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer hangUp(t.Context(), conn)
	if _, err := conn.PgConn().Exec(t.Context(), report(d.lock("feed"), []tokenstore.Change{{Family: "f"}})).ReadAll(); err != nil {
		t.Fatal(err)
	}
	w.reports(t, tokenstore.Change{Family: "f"})
}

// Wake-ups that never pause delay nothing.
func TestWatch_flood(t *testing.T) {
	d := newDriver(t)
	s := openStore(t, d)
	w := watch(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	var floods sync.WaitGroup
	for range 4 {
		conn := raw(t, d)
		floods.Go(func() {
			for ctx.Err() == nil {
				if _, err := conn.Exec(t.Context(), `NOTIFY `+d.channel()); err != nil {
					t.Error(err)
					return
				}
				time.Sleep(coalesce / 10)
			}
		})
	}
	defer floods.Wait()
	defer cancel()
	time.Sleep(100 * time.Millisecond)
	u, err := s.PutUser(t.Context(), tokenstore.User{Name: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	w.reports(t, tokenstore.Change{UserKey: u.Key})
}

// The commits of many writers, some of which fail, are reported completely.
func TestWatch_missesNothing(t *testing.T) {
	s := openStore(t, newDriver(t))
	w := watch(t, s)
	const writers, each = 8, 25
	errs := make(chan error, writers)
	for i := range writers {
		go func() {
			var err error
			for j := range each {
				n := i*each + j
				if err == nil {
					err = s.Create(t.Context(), record(n), 0, false)
				}
				if err == nil {
					_, err = s.Delete(t.Context(), tokenstore.Filter{}, digest(n))
				}
				_, _ = s.driver.config, s.InTx(t.Context(), func(tx tokenstore.Store) error {
					_ = tx.PutGroup(t.Context(), tokenstore.Group{Name: "undone"})
					return errors.New("undone")
				})
			}
			errs <- err
		}()
	}
	for range writers {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	missing := make(map[string]bool)
	for n := range writers * each {
		missing[record(n).ID] = true
	}
	for len(missing) > 0 {
		select {
		case c := <-w.changes:
			delete(missing, c.CredentialID)
		case err := <-w.ended:
			t.Fatal(err)
		case <-time.After(2 * time.Second):
			t.Fatalf("%d changes are not reported", len(missing))
		}
	}
}

func TestWatch_ends(t *testing.T) {
	server := postgrestest.New(t)
	d := driverOf(t, server.Database(t))
	s := openStore(t, d)
	if n := server.KillBackends(t, "application_name = '"+applicationName+feedSuffix+"'"); n != 0 {
		t.Fatalf("%d feeds before a Watch", n)
	}
	w := watch(t, s)
	began := time.Now()
	if n := server.KillBackends(t, "application_name = '"+applicationName+feedSuffix+"'"); n != 1 {
		t.Fatalf("%d feeds, want 1", n)
	}
	if err := w.ends(t); !errors.Is(err, tokenstore.ErrUnavailable) || time.Since(began) > time.Second {
		t.Errorf("a feed that was cut ended after %s with %v", time.Since(began), err)
	}
	watch(t, s) // another may begin at once

	server.Stop()
	if err := s.Watch(t.Context(), func(tokenstore.Change) {}); !errors.Is(err, tokenstore.ErrUnavailable) {
		t.Errorf("Watch without a server = %v, want ErrUnavailable", err)
	}
}

// Who is so far behind that changes were pruned is told, and nobody else.
func TestWatch_gap(t *testing.T) {
	d := newDriver(t)
	openStore(t, d)
	conn, err := d.single(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer hangUp(t.Context(), conn)
	feed := sqlstore.Over(d.session(conn), dialect)
	exec := func(statement string) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	exec(`INSERT INTO changes (everything, user_key, credential_id, family, client_id) SELECT 0, '', '', convert_to(n::text, 'UTF8'), '' FROM generate_series(1, 100) n`)
	exec(`DELETE FROM changes WHERE seq = 50`) // a hole, as of a transaction that was undone
	changes, last, err := sqlstore.FeedSince(t.Context(), feed, 10)
	if err != nil || len(changes) != 89 || last != 100 || changes[0].Family != "11" {
		t.Fatalf("FeedSince(10) = %d changes up to %d, %v", len(changes), last, err)
	}
	if err := sqlstore.Prune(t.Context(), feed, 20); err != nil {
		t.Fatal(err)
	}
	if err := sqlstore.Prune(t.Context(), feed, 15); err != nil { // one that is late
		t.Fatal(err)
	}
	for seq, want := range map[int64]error{10: sqlstore.ErrGap, 19: sqlstore.ErrGap, 20: nil, 100: nil, 101: sqlstore.ErrGap} {
		if _, _, err := sqlstore.FeedSince(t.Context(), feed, seq); !errors.Is(err, want) {
			t.Errorf("FeedSince(%d) = %v, want %v", seq, err, want)
		}
	}
	if n := postgrestest.Shared(t).Count(t, "schemas", fmt.Sprintf(`SELECT count(*) FROM "%s".changes`, d.Schema)); n != 79 {
		t.Errorf("%d changes are left, want 79", n)
	}
}

// The feed stays short, whoever writes to it.
func TestPrune(t *testing.T) {
	d := newDriver(t)
	s := openStore(t, d)
	server := postgrestest.Shared(t)
	server.Exec(t, "schemas", fmt.Sprintf(`ALTER TABLE "%s".changes ALTER COLUMN seq RESTART WITH 20000`, d.Schema))
	server.Exec(t, "schemas", fmt.Sprintf(`INSERT INTO "%s".changes (seq, everything, user_key, credential_id, family, client_id)
		OVERRIDING SYSTEM VALUE SELECT n, 0, '', '', '', '' FROM generate_series(1, 19999) n`, d.Schema))
	u, err := s.PutUser(t.Context(), tokenstore.User{Name: "alice"})
	for range 300 {
		if err == nil {
			u, err = s.PutUser(t.Context(), u)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	if n := server.Count(t, "schemas", fmt.Sprintf(`SELECT count(*) FROM "%s".changes`, d.Schema)); n > 10_600 {
		t.Errorf("%d changes are kept", n)
	}
}
