// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/sqlstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// wantDown wants reads and writes to say that the store is unavailable.
func wantDown(t *testing.T, s *Store, why string) {
	t.Helper()
	_, _, readErr := s.Lookup(t.Context(), digest(1), t0)
	for how, err := range map[string]error{"Lookup": readErr, "Create": s.Create(t.Context(), record(2), 0, false)} {
		if !errors.Is(err, tokenstore.ErrUnavailable) || !strings.Contains(err.Error(), why) {
			t.Fatalf("%s = %v, want ErrUnavailable because of %q", how, err, why)
		}
	}
}

// heals waits until f succeeds.
func heals(t *testing.T, what string, f func() error) {
	t.Helper()
	var err error
	for start := time.Now(); time.Since(start) < 5*time.Second; time.Sleep(20 * time.Millisecond) {
		if err = f(); err == nil {
			return
		}
	}
	t.Fatalf("%s = %v still", what, err)
}

func (s *Store) finds(t *testing.T) func() error {
	return func() error {
		_, _, err := s.Lookup(t.Context(), digest(1), t0)
		return err
	}
}

func started(t *testing.T, d *Driver) *Store {
	t.Helper()
	s := openStore(t, d)
	if err := s.Create(t.Context(), record(1), 0, false); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAFileThatDisappearsWhileItIsOpen(t *testing.T) {
	for name, lose := range map[string]func(d *Driver, away string) error{
		"moved":     func(d *Driver, away string) error { return os.Rename(filepath.Dir(d.Path), away) },
		"file only": func(d *Driver, away string) error { return moveFiles(d.Path, away) },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDriver(t)
			logs := logged(d)
			s := started(t, d)
			away := filepath.Join(t.TempDir(), "away")
			if err := lose(d, away); err != nil {
				t.Fatal(err)
			}
			wantDown(t, s, d.Path+" is gone")
			time.Sleep(checkEvery + checkEvery/2)
			wantDown(t, s, d.Path+" is gone")
			if _, err := os.Stat(d.Path); err == nil {
				t.Error("a file took the place of the lost one")
			}
			if lines := logs.FilterLevelExact(zap.ErrorLevel).All(); len(lines) != 1 {
				t.Errorf("%d ERROR lines, want one: %v", len(lines), lines)
			}
			if err := restore(d.Path, away); err != nil {
				t.Fatal(err)
			}
			heals(t, "Lookup", s.finds(t))
			if err := s.Create(t.Context(), record(2), 0, false); err != nil {
				t.Errorf("Create after the file came back = %v, want no error", err)
			}
		})
	}
}

// moveFiles moves the file and what SQLite keeps beside it.
func moveFiles(path, away string) error {
	if err := os.MkdirAll(away, 0o700); err != nil {
		return err
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Rename(path+suffix, filepath.Join(away, filepath.Base(path)+suffix)); err != nil {
			return err
		}
	}
	return nil
}

func restore(path, away string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return moveFilesThatAreThere(away, filepath.Dir(path))
}

// moveFilesThatAreThere knows that SQLite removes its log with the last connection.
func moveFilesThatAreThere(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := os.Rename(filepath.Join(from, entry.Name()), filepath.Join(to, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

func TestAFileThatIsReplacedWhileItIsOpen(t *testing.T) {
	d, other := newDriver(t), newDriver(t)
	s := started(t, d)
	openStore(t, other).Close()
	if err := os.Rename(other.Path, d.Path); err != nil {
		t.Fatal(err)
	}
	wantDown(t, s, "")
	time.Sleep(checkEvery + checkEvery/2)
	wantDown(t, s, "another store")
	if err := d.Init(t.Context(), true); err != nil {
		t.Fatalf("Init = %v, want no error", err)
	}
	heals(t, "Create", func() error { return s.Create(t.Context(), record(3), 0, false) })
	if _, _, err := s.Lookup(t.Context(), digest(1), t0); !errors.Is(err, tokenstore.ErrNotFound) {
		t.Errorf("Lookup in the other store = %v, want ErrNotFound", err)
	}
}

// TestTheOriginalComesBack is an operator who undoes what was done to the file
// while Caddy was running. What was acknowledged is there still.
func TestTheOriginalComesBack(t *testing.T) {
	d, other := newDriver(t), newDriver(t)
	s := started(t, d)
	openStore(t, other).Close()
	original := d.Path + ".original"
	if err := errors.Join(os.Rename(d.Path, original), os.Rename(other.Path, d.Path)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(checkEvery + checkEvery/2)
	wantDown(t, s, "another store")
	if err := os.Rename(original, d.Path); err != nil {
		t.Fatal(err)
	}
	heals(t, "Lookup", s.finds(t))
	if err := s.Create(t.Context(), record(2), 0, false); err != nil {
		t.Errorf("Create = %v, want no error", err)
	}
	if problems, err := s.Verify(t.Context()); len(problems) > 0 || err != nil {
		t.Errorf("Verify = %q, %v, want no problems", problems, err)
	}
}

// TestABackupTakesThePlace is an operator who restores a backup while Caddy is
// running. The log of the newer file must not be applied to it.
func TestABackupTakesThePlace(t *testing.T) {
	s := started(t, newDriver(t))
	var backup bytes.Buffer
	if err := s.Backup(t.Context(), &backup); err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		if err := s.Create(t.Context(), record(100+i), 0, false); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(s.driver.Path+".backup", backup.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	watched := make(chan error, 1)
	go func() { watched <- s.Watch(t.Context(), func(tokenstore.Change) {}) }()
	if err := os.Rename(s.driver.Path+".backup", s.driver.Path); err != nil {
		t.Fatal(err)
	}
	wantDown(t, s, "")
	heals(t, "Lookup", s.finds(t))
	if _, _, err := s.Lookup(t.Context(), digest(100), t0); !errors.Is(err, tokenstore.ErrNotFound) {
		t.Errorf("Lookup of what the backup does not have = %v, want ErrNotFound", err)
	}
	if problems, err := s.Verify(t.Context()); len(problems) > 0 || err != nil {
		t.Errorf("Verify = %q, %v, want no problems", problems, err)
	}
	if err := <-watched; !errors.Is(err, tokenstore.ErrUnavailable) {
		t.Errorf("Watch over another file = %v, want ErrUnavailable", err)
	}
}

func TestALostLogIsNoticed(t *testing.T) {
	for _, part := range []string{"-wal", "-shm"} {
		t.Run(part, func(t *testing.T) {
			s := started(t, newDriver(t))
			if err := os.Remove(s.driver.Path + part); err != nil {
				t.Fatal(err)
			}
			if err := s.Create(t.Context(), record(2), 0, false); !errors.Is(err, tokenstore.ErrUnavailable) {
				t.Errorf("Create without it = %v, want ErrUnavailable", err)
			}
			heals(t, "Create", func() error { return s.Create(t.Context(), record(2), 0, false) })
			wantRecord(t, s)
		})
	}
}

// onWriter runs a statement on the connection that writes.
func onWriter(t testing.TB, s *Store, statement string) {
	t.Helper()
	if err := s.state.Load().handle.writer.exclusively(t.Context(), func(conn *sqlstore.Conn) error {
		_, err := conn.Exec(t.Context(), statement)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func TestAFullDisk(t *testing.T) {
	s := started(t, newDriver(t))
	onWriter(t, s, `PRAGMA max_page_count = 1`) // SQLite takes the present size
	var err error
	for i := 2; err == nil && i < 10_000; i++ {
		c := record(i)
		c.Data = bytes.Repeat([]byte("x"), tokenstore.MaxData)
		err = s.Create(t.Context(), c, 0, false)
	}
	if !errors.Is(err, tokenstore.ErrUnavailable) || !strings.Contains(err.Error(), "disk is full") {
		t.Fatalf("Create = %v, want ErrUnavailable for a full disk", err)
	}
	wantRecord(t, s)
	if n, err := s.Delete(t.Context(), tokenstore.Filter{ID: "id1"}); n != 1 || err != nil {
		t.Errorf("Delete on a full disk = %d, %v, want 1", n, err)
	}
	onWriter(t, s, `PRAGMA max_page_count = 1000000`)
	if err := s.Create(t.Context(), record(1), 0, false); err != nil {
		t.Errorf("Create with room again = %v, want no error", err)
	}
}

func TestAReadOnlyFile(t *testing.T) {
	s := started(t, newDriver(t))
	onWriter(t, s, `PRAGMA query_only = 1`)
	err := s.Create(t.Context(), record(2), 0, false)
	if !errors.Is(err, tokenstore.ErrUnavailable) || !strings.Contains(err.Error(), "read-only") {
		t.Fatalf("Create = %v, want ErrUnavailable for a read-only file", err)
	}
	wantRecord(t, s)
	heals(t, "Create", func() error { return s.Create(t.Context(), record(2), 0, false) })
}

func TestAFileThatIsLockedForLong(t *testing.T) {
	d := newDriver(t)
	d.BusyTimeout = caddy.Duration(100 * time.Millisecond)
	s := started(t, d)
	release := lock(t, d.Path)
	start := time.Now()
	err := s.Create(t.Context(), record(2), 0, false)
	if !errors.Is(err, tokenstore.ErrUnavailable) || !strings.Contains(err.Error(), "locked") {
		t.Fatalf("Create = %v, want ErrUnavailable for the lock", err)
	}
	if waited := time.Since(start); waited < 90*time.Millisecond {
		t.Errorf("Create waited for %v, want busy_timeout", waited)
	}
	wantRecord(t, s)
	release()
	if err := s.Create(t.Context(), record(2), 0, false); err != nil {
		t.Errorf("Create after the lock = %v, want no error", err)
	}
}

func TestDamagedPages(t *testing.T) {
	d := newDriver(t)
	s := openStore(t, d)
	for i := range 500 {
		if err := s.Create(t.Context(), record(i), 0, false); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	content, err := os.ReadFile(d.Path)
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(content)
	for at := 40 * 4096; at < len(damaged); at++ {
		damaged[at] = 0xff
	}
	if err := os.WriteFile(d.Path, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, d)
	failed := 0
	for i := range 500 {
		if _, _, err := s.Lookup(t.Context(), digest(i), t0); errors.Is(err, tokenstore.ErrUnavailable) {
			failed++
		} else if err != nil {
			t.Fatalf("Lookup in a damaged file = %v, want the record or ErrUnavailable", err)
		}
	}
	if failed == 0 {
		t.Error("no lookup met the damage")
	}
	problems, err := s.Verify(t.Context())
	if len(problems) == 0 && err == nil {
		t.Error("Verify found nothing")
	}
}
