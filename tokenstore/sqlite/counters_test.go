// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// login is a backoff as that of logins.
var login = tokenstore.Backoff{Free: 5, Base: time.Second, Max: time.Hour, Quiet: 24 * time.Hour}

// Who must wait does so after a restart too, and for a process beside us.
func TestAttempt_durable(t *testing.T) {
	d := newDriver(t)
	s := started(t, d)
	for range 5 {
		if wait, err := s.Attempt(t.Context(), "alice", login, t0); wait != 0 || err != nil {
			t.Fatalf("Attempt = %v, %v, want 0", wait, err)
		}
	}
	beside := openStore(t, d)
	if wait, err := beside.Attempt(t.Context(), "alice", login, t0); wait != time.Second || err != nil {
		t.Errorf("Attempt in another process = %v, %v, want 1s", wait, err)
	}
	if err := errors.Join(s.Close(), beside.Close()); err != nil {
		t.Fatal(err)
	}
	again := openStore(t, d)
	if wait, err := again.Attempt(t.Context(), "alice", login, t0.Add(time.Millisecond)); wait != 999*time.Millisecond || err != nil {
		t.Errorf("Attempt after a restart = %v, %v, want 999ms", wait, err)
	}
}

// A guess that must wait writes nothing, so that guessing cannot wear the disk.
func TestAttempt_deniedWritesNothing(t *testing.T) {
	d := newDriver(t)
	s := started(t, d)
	for range 5 {
		if _, err := s.Attempt(t.Context(), "alice", login, t0); err != nil {
			t.Fatal(err)
		}
	}
	release := lock(t, d.Path)
	defer release()
	if wait, err := s.Attempt(t.Context(), "alice", login, t0); wait != time.Second || err != nil {
		t.Errorf("Attempt while nobody can write = %v, %v, want 1s", wait, err)
	}
}

// Events are counted as long as the store serves, and it does not while its file
// is lost.
func TestHit_lostFile(t *testing.T) {
	d := newDriver(t)
	s := started(t, d)
	hits := func(want time.Duration, wantErr error) func() error {
		return func() error {
			wait, err := s.Hit(t.Context(), "alice", 1, time.Hour, t0)
			if wait != want || !errors.Is(err, wantErr) {
				return fmt.Errorf("%v, %v, want %v, %v", wait, err, want, wantErr)
			}
			return nil
		}
	}
	if err := hits(0, nil)(); err != nil {
		t.Fatalf("Hit = %v", err)
	}
	away := filepath.Join(t.TempDir(), "away")
	if err := moveFiles(d.Path, away); err != nil {
		t.Fatal(err)
	}
	heals(t, "Hit without the file", hits(0, tokenstore.ErrUnavailable))
	if err := restore(d.Path, away); err != nil {
		t.Fatal(err)
	}
	heals(t, "Hit with the file", hits(time.Hour, nil))
}

// A file of a release before attempts were counted, or before families were revoked,
// is brought up to date.
func TestMigratesOlderSchemas(t *testing.T) {
	for schema, undo := range map[string]string{"1": `DROP TABLE attempts; DROP TABLE revoked`, "2": `DROP TABLE revoked`} {
		d := newDriver(t)
		if err := started(t, d).Close(); err != nil {
			t.Fatal(err)
		}
		execRaw(t, d.Path, undo+`; UPDATE meta SET value = '`+schema+`' WHERE name = 'schema'`)
		s := openStore(t, d)
		wantRecord(t, s)
		if wait, err := s.Attempt(t.Context(), "alice", login, t0); wait != 0 || err != nil {
			t.Errorf("Attempt = %v, %v, want 0", wait, err)
		}
		if revoked, err := s.Revoked(t.Context(), ""); revoked || err != nil {
			t.Errorf("Revoked = %t, %v, want false", revoked, err)
		}
		if err := s.Revoke(t.Context(), "family", t0); err != nil {
			t.Errorf("Revoke = %v", err)
		}
		if revoked, err := s.Revoked(t.Context(), "family"); !revoked || err != nil {
			t.Errorf("Revoked = %t, %v, want true", revoked, err)
		}
	}
}
