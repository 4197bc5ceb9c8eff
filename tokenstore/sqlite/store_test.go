// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/sqlstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// TestNoLookupAfterARevocation revokes while others look up, over and over.
func TestNoLookupAfterARevocation(t *testing.T) {
	rounds := 10_000
	if testing.Short() || raceEnabled {
		rounds = 500
	}
	s := openStore(t, newDriver(t))
	const lanes = 32 // share the syncs
	var wg sync.WaitGroup
	for lane := range lanes {
		wg.Go(func() {
			for round := lane; round < rounds; round += lanes {
				if err := revokeUnderUse(t.Context(), s, round); err != nil {
					t.Errorf("round %d: %v", round, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func revokeUnderUse(ctx context.Context, s *Store, i int) error {
	if err := s.Create(ctx, record(i), 0, false); err != nil {
		return err
	}
	var revoked atomic.Bool
	looking := make(chan error, 1)
	go func() {
		for {
			was := revoked.Load()
			_, _, err := s.Lookup(ctx, digest(i), t0)
			switch {
			case was && err == nil:
				looking <- errors.New("a lookup succeeded that began after Delete")
				return
			case err != nil && !errors.Is(err, tokenstore.ErrNotFound):
				looking <- err
				return
			case was:
				looking <- nil
				return
			}
			time.Sleep(100 * time.Microsecond) // leave the processors to the writers
		}
	}()
	n, err := s.Delete(ctx, tokenstore.Filter{ID: fmt.Sprint("id", i)})
	revoked.Store(true)
	if err == nil && n != 1 {
		err = fmt.Errorf("Delete = %d, want 1", n)
	}
	return errors.Join(err, <-looking)
}

// TestOneBadWriteDoesNotFailItsBatch lets one of many writes that share a
// transaction fail in the database.
func TestOneBadWriteDoesNotFailItsBatch(t *testing.T) {
	s := openStore(t, newDriver(t))
	w := s.state.Load().handle.writer
	<-w.turn // so that all of them wait
	const writes = 20
	results := make([]error, writes)
	var wg sync.WaitGroup
	for i := range writes {
		wg.Go(func() {
			results[i] = s.Write(t.Context(), func(tx *sqlstore.Tx) error {
				statement := `INSERT INTO remembered (key, ends) VALUES (?, 1)`
				if i == 7 {
					statement = `INSERT INTO no_such_table VALUES (?)`
				}
				_, err := tx.Exec(t.Context(), statement, fmt.Sprint(i))
				return err
			})
		})
	}
	for waiting := 0; waiting < writes; time.Sleep(time.Millisecond) {
		w.mu.Lock()
		waiting = len(w.waiting)
		w.mu.Unlock()
	}
	w.turn <- struct{}{}
	wg.Wait()
	for i, err := range results {
		if failed := errors.Is(err, tokenstore.ErrUnavailable); failed != (i == 7) {
			t.Errorf("write %d = %v", i, err)
		}
		known, err := s.Known(t.Context(), fmt.Sprint(i))
		if err != nil || known == (i == 7) {
			t.Errorf("write %d is stored: %t, %v", i, known, err)
		}
	}
}

func TestAWriterWhoGoesAwayWhileItWaits(t *testing.T) {
	s := openStore(t, newDriver(t))
	w := s.state.Load().handle.writer
	<-w.turn
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err := s.Create(ctx, record(1), 0, false)
	if !errors.Is(err, tokenstore.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Create = %v, want ErrUnavailable for the deadline", err)
	}
	w.turn <- struct{}{}
	if _, _, err := s.Lookup(t.Context(), digest(1), t0); !errors.Is(err, tokenstore.ErrNotFound) {
		t.Errorf("Lookup = %v, want ErrNotFound: nobody waited for the write", err)
	}
}

func TestAGapInTheFeedEndsWatch(t *testing.T) {
	for name, statement := range map[string]string{
		"pruned":  `DELETE FROM changes WHERE seq <= 20`,
		"emptied": `DELETE FROM changes`,
	} {
		t.Run(name, func(t *testing.T) {
			s := openStore(t, newDriver(t))
			put := func() {
				if _, err := s.PutClient(t.Context(), tokenstore.Client{ID: fmt.Sprint(time.Now().UnixNano())}); err != nil {
					t.Fatal(err)
				}
			}
			put()
			started, blocked, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
			var once sync.Once
			go func() {
				ended <- s.Watch(t.Context(), func(tokenstore.Change) {
					once.Do(func() { close(started) })
					<-blocked
				})
			}()
			<-started
			put()
			time.Sleep(4 * pollEvery) // it is read, and waits for the callback
			for range 30 {
				put()
			}
			onWriter(t, s, statement)
			put()
			close(blocked)
			select {
			case err := <-ended:
				if !errors.Is(err, sqlstore.ErrGap) || !errors.Is(err, tokenstore.ErrUnavailable) {
					t.Errorf("Watch = %v, want ErrGap", err)
				}
			case <-time.After(5 * time.Second):
				t.Error("Watch goes on over a gap")
			}
		})
	}
}

func TestBackup(t *testing.T) {
	d := newDriver(t)
	s := started(t, d)
	var copied bytes.Buffer
	if err := s.Backup(t.Context(), &copied); err != nil {
		t.Fatalf("Backup = %v, want no error", err)
	}
	entries, err := os.ReadDir(filepath.Dir(d.Path))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if strings.Contains(entry.Name(), "backup") {
			t.Errorf("Backup left %s", entry.Name())
		}
	}
	other := newDriver(t)
	if err := create(other.Path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other.Path, copied.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	restored := openStore(t, other)
	wantRecord(t, restored)
	if problems, err := restored.Verify(t.Context()); len(problems) > 0 || err != nil {
		t.Errorf("Verify = %q, %v, want no problems", problems, err)
	}
	if got, want := restored.state.Load().handle.id, s.state.Load().handle.id; got != want {
		t.Errorf("id of the copy %s, want %s", got, want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Backup(ctx, &copied); !errors.Is(err, context.Canceled) {
		t.Errorf("Backup under a canceled context = %v, want context.Canceled", err)
	}
}

func TestVerifyFindsOrphans(t *testing.T) {
	s := started(t, newDriver(t))
	u, err := s.PutUser(t.Context(), tokenstore.User{Name: "alice", Active: true})
	if err != nil {
		t.Fatal(err)
	}
	c := record(2)
	c.UserKey = u.Key
	if err := s.Create(t.Context(), c, 0, false); err != nil {
		t.Fatal(err)
	}
	onWriter(t, s, `DELETE FROM users`)
	problems, err := s.Verify(t.Context())
	if err != nil || len(problems) != 1 || !strings.Contains(problems[0], "id2") {
		t.Errorf("Verify = %q, %v, want one problem that names the record", problems, err)
	}
}

// TestSweepLetsOthersWrite sweeps much, and measures what a writer waits.
func TestSweepLetsOthersWrite(t *testing.T) {
	s := openStore(t, newDriver(t))
	if err := s.InTx(t.Context(), func(tx tokenstore.Store) error {
		for i := range 5000 {
			if _, err := tx.Remember(t.Context(), fmt.Sprint(i), t0); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		n, err := s.Sweep(t.Context(), t0.Add(time.Hour), 5000)
		if err == nil && n != 5000 {
			err = fmt.Errorf("Sweep = %d, want 5000", n)
		}
		done <- err
	}()
	between := 0
	for i := 0; ; i++ {
		if err := s.Create(t.Context(), record(i), 0, false); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			if between == 0 {
				t.Error("no write came between the batches of a sweep")
			}
			return
		default:
			between++
		}
	}
}
