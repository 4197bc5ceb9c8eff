// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/sqlstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// logged lets a driver log where the test can read it.
func logged(d *Driver) *observer.ObservedLogs {
	core, logs := observer.New(zap.InfoLevel)
	d.logger = zap.New(core)
	d.reports.Logger = d.logger
	return logs
}

// reads the marker of the driver; nil if there is none.
func markerOf(t *testing.T, d *Driver) *marker {
	t.Helper()
	m, err := d.loadMarker(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// closed opens a store, puts a record into it, and closes it.
func closed(t *testing.T, d *Driver) {
	t.Helper()
	s := openStore(t, d)
	if err := s.Create(t.Context(), record(1), 0, false); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func wantRecord(t *testing.T, s tokenstore.Store) {
	t.Helper()
	if _, _, err := s.Lookup(t.Context(), digest(1), t0); err != nil {
		t.Fatalf("Lookup = %v, want the record", err)
	}
}

func TestOpenCreatesForTheOwnerAlone(t *testing.T) {
	d := newDriver(t)
	s := openStore(t, d)
	for name, want := range map[string]fs.FileMode{
		d.Path: 0o600, d.Path + "-wal": 0o600, d.Path + "-shm": 0o600, filepath.Dir(d.Path): 0o700,
	} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("mode of %s = %o, want %o", filepath.Base(name), got, want)
		}
	}
	m := markerOf(t, d)
	if m == nil || m.ID != s.state.Load().handle.id || len(m.ID) < 26 {
		t.Errorf("marker %+v, want one of the store", m)
	}
}

func TestNothingButServingCreates(t *testing.T) {
	d := newDriver(t)
	if _, err := d.OpenExisting(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("OpenExisting = %v, want fs.ErrNotExist", err)
	}
	if err := d.Check(t.Context()); err != nil {
		t.Errorf("Check of no store = %v, want no error", err)
	}
	if _, err := os.Stat(filepath.Dir(d.Path)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory was made: %v", err)
	}
	if markerOf(t, d) != nil {
		t.Error("a marker was written")
	}
}

func TestOpenExistingAndCheckOfAStore(t *testing.T) {
	d := newDriver(t)
	closed(t, d)
	before := listing(t, d)
	if err := d.Check(t.Context()); err != nil {
		t.Errorf("Check = %v, want no error", err)
	}
	if after := listing(t, d); !slices.Equal(after, before) {
		t.Errorf("Check left %q, want %q", after, before)
	}
	s, err := d.OpenExisting(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	wantRecord(t, s)
	if err := d.Check(t.Context()); err != nil {
		t.Errorf("Check of an open store = %v, want no error", err)
	}
}

func listing(t *testing.T, d *Driver) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(d.Path))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, fmt.Sprint(entry.Name(), info.Size(), info.ModTime()))
	}
	return names
}

func TestALostFileIsNeverReplacedByAnEmptyOne(t *testing.T) {
	for name, lose := range map[string]func(d *Driver) error{
		"deleted":           func(d *Driver) error { return os.Remove(d.Path) },
		"emptied":           func(d *Driver) error { return os.Truncate(d.Path, 0) },
		"directory deleted": func(d *Driver) error { return os.RemoveAll(filepath.Dir(d.Path)) },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDriver(t)
			closed(t, d)
			if err := lose(d); err != nil {
				t.Fatal(err)
			}
			logs := logged(d)
			for range 3 {
				_, err := d.Open(t.Context())
				wantLost(t, err, d)
			}
			_, err := d.OpenExisting(t.Context())
			wantLost(t, err, d)
			wantLost(t, d.Check(t.Context()), d)
			wantLost(t, d.Init(t.Context(), false), d)
			if info, err := os.Stat(d.Path); err == nil && info.Size() > 0 {
				t.Error("a file was made")
			}
			if n := logs.FilterLevelExact(zap.ErrorLevel).Len(); n != 1 {
				t.Errorf("%d ERROR lines, want 1", n)
			}
			old := markerOf(t, d).ID
			if err := d.Init(t.Context(), true); err != nil {
				t.Fatalf("Init with force = %v, want no error", err)
			}
			if m := markerOf(t, d); m == nil || m.ID == old {
				t.Errorf("marker %v, want a new one", m)
			}
			if _, _, err := openStore(t, d).Lookup(t.Context(), digest(1), t0); !errors.Is(err, tokenstore.ErrNotFound) {
				t.Errorf("Lookup in the new store = %v, want ErrNotFound", err)
			}
		})
	}
}

func wantLost(t *testing.T, err error, d *Driver) {
	t.Helper()
	if !errors.Is(err, tokenstore.ErrUnavailable) {
		t.Fatalf("error %v, want ErrUnavailable", err)
	}
	for _, word := range []string{d.Path, "caddy rest-auth store init --force"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error %v does not name %s", err, word)
		}
	}
}

func TestAFileOfAnotherStore(t *testing.T) {
	d, other := newDriver(t), newDriver(t)
	closed(t, d)
	openStore(t, other).Close()
	if err := os.Rename(other.Path, d.Path); err != nil {
		t.Fatal(err)
	}
	_, err := d.Open(t.Context())
	wantLost(t, err, d)
	wantLost(t, d.Check(t.Context()), d)
	wantLost(t, d.Init(t.Context(), false), d)
	if err := d.Init(t.Context(), true); err != nil {
		t.Fatalf("Init with force = %v, want no error", err)
	}
	if got, want := markerOf(t, d).ID, markerOf(t, other).ID; got != want {
		t.Errorf("after Init with force the marker is of %s, want the file's %s", got, want)
	}
	openStore(t, d)
}

func TestAFileWithoutAMarkerIsTaken(t *testing.T) {
	d := newDriver(t)
	closed(t, d)
	moved := driverAt(filepath.Join(t.TempDir(), "moved.db"), t.TempDir())
	if err := os.Rename(d.Path, moved.Path); err != nil {
		t.Fatal(err)
	}
	logs := logged(moved)
	s, err := moved.OpenExisting(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantRecord(t, s)
	s.Close()
	if markerOf(t, moved) != nil {
		t.Error("a command wrote a marker")
	}
	wantRecord(t, openStore(t, moved))
	if m := markerOf(t, moved); m == nil || m.ID != markerOf(t, d).ID {
		t.Errorf("marker %v, want that of the file", m)
	}
	if logs.FilterLevelExact(zap.InfoLevel).Len() != 1 {
		t.Errorf("log %v, want one INFO line", logs.All())
	}
}

func TestInitKeepsAStore(t *testing.T) {
	d := newDriver(t)
	if err := d.Init(t.Context(), false); err != nil {
		t.Fatalf("Init = %v, want no error", err)
	}
	closed(t, d)
	for _, force := range []bool{false, true} {
		if err := d.Init(t.Context(), force); err != nil {
			t.Fatalf("Init of a store in order, force %t = %v, want no error", force, err)
		}
	}
	wantRecord(t, openStore(t, d))
}

func TestACreationThatWasCutShortIsFinished(t *testing.T) {
	d := newDriver(t)
	if err := create(d.Path); err != nil {
		t.Fatal(err)
	}
	if _, err := d.OpenExisting(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("OpenExisting of an empty file = %v, want fs.ErrNotExist", err)
	}
	closed(t, d)
}

func TestAFileThatIsNoStoreIsLeftAlone(t *testing.T) {
	newer := func(t *testing.T, d *Driver) {
		h := openStore(t, d)
		if err := h.state.Load().handle.writer.exclusively(t.Context(), func(conn *sqlstore.Conn) error {
			_, err := conn.Exec(t.Context(), `UPDATE meta SET value = '9999' WHERE name = 'schema'`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
	}
	write := func(content string) func(*testing.T, *Driver) {
		return func(t *testing.T, d *Driver) {
			closed(t, d)
			if err := os.WriteFile(d.Path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, tt := range map[string]struct {
		make func(*testing.T, *Driver)
		want error
		text string
	}{
		"newer schema": {newer, tokenstore.ErrNewerSchema, "9999"},
		"no database":  {write(strings.Repeat("garbage ", 1000)), tokenstore.ErrUnavailable, "no SQLite database"},
		"damaged": {func(t *testing.T, d *Driver) {
			closed(t, d)
			content, err := os.ReadFile(d.Path)
			if err != nil {
				t.Fatal(err)
			}
			copy(content[100:], strings.Repeat("x", 4000))
			if err := os.WriteFile(d.Path, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}, tokenstore.ErrUnavailable, "damaged"},
		"another program's": {func(t *testing.T, d *Driver) {
			if err := create(d.Path); err != nil {
				t.Fatal(err)
			}
			execRaw(t, d.Path, `CREATE TABLE recipes (name TEXT)`)
		}, tokenstore.ErrUnavailable, "another program"},
		"a directory": {func(t *testing.T, d *Driver) {
			if err := os.MkdirAll(d.Path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, tokenstore.ErrUnavailable, "not a regular file"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDriver(t)
			tt.make(t, d)
			before, _ := os.ReadFile(d.Path)
			_, openErr := d.Open(t.Context())
			_, existingErr := d.OpenExisting(t.Context())
			for how, err := range map[string]error{
				"Open": openErr, "OpenExisting": existingErr,
				"Check": d.Check(t.Context()), "Init": d.Init(t.Context(), true),
			} {
				if !errors.Is(err, tt.want) || !errors.Is(err, tokenstore.ErrUnavailable) {
					t.Errorf("%s = %v, want %v", how, err, tt.want)
				} else if !strings.Contains(err.Error(), tt.text) || !strings.Contains(err.Error(), d.Path) {
					t.Errorf("%s = %v, want it to name the file and %q", how, err, tt.text)
				}
			}
			if after, _ := os.ReadFile(d.Path); string(after) != string(before) {
				t.Error("the file was changed")
			}
		})
	}
}
