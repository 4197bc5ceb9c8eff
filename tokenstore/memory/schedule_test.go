// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package memory

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

var scheduleStart = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func scheduled(i int, expires time.Time) tokenstore.Credential {
	return tokenstore.Credential{
		ID: fmt.Sprint(i), Kind: tokenstore.KindToken, Digest: fmt.Appendf(nil, "digest %016d", i), Created: scheduleStart, Expires: expires,
	}
}

func sweeps(t *testing.T, s tokenstore.Store, before time.Time, want int) {
	t.Helper()
	if got, err := s.Sweep(t.Context(), before, 1_000_000); got != want || err != nil {
		t.Errorf("Sweep = %d, %v, want %d", got, err, want)
	}
}

// Records that live on when they are looked at are looked at again.
func TestSweep_prolonged(t *testing.T) {
	s := New()
	defer s.Close()
	const n = 3 * sweepLooks
	for i := range n {
		c := scheduled(i, scheduleStart.Add(time.Minute))
		if err := s.Create(t.Context(), c, 0, false); err != nil {
			t.Fatal(err)
		}
		if i%3 > 0 {
			longer := scheduleStart.Add(time.Minute + time.Duration(i%3)*time.Millisecond)
			if err := s.Touch(t.Context(), c.Digest, scheduleStart, longer); err != nil {
				t.Fatal(err)
			}
		}
	}
	sweeps(t, s, scheduleStart.Add(time.Minute+time.Millisecond), n/3)
	sweeps(t, s, scheduleStart.Add(time.Minute+2*time.Millisecond), n/3)
	sweeps(t, s, scheduleStart.Add(time.Minute+2*time.Millisecond), 0)
	sweeps(t, s, scheduleStart.Add(time.Hour), n/3)
	if st := s.db.state.schedule; len(st.due) != 0 || len(st.seconds) != 0 || len(s.db.state.records) != 0 {
		t.Errorf("%d and %d seconds and %d records are left", len(st.due), len(st.seconds), len(s.db.state.records))
	}
}

// What a transaction swept, or deleted before it swept, ends again if it is undone.
func TestSweep_undone(t *testing.T) {
	s := New()
	defer s.Close()
	for i := range 4 {
		if err := s.Create(t.Context(), scheduled(i, scheduleStart.Add(time.Minute)), 0, false); err != nil {
			t.Fatal(err)
		}
	}
	undo := errors.New("undo")
	for range 3 {
		if err := s.InTx(t.Context(), func(tx tokenstore.Store) error {
			if _, err := tx.Delete(t.Context(), tokenstore.Filter{ID: "1"}); err != nil {
				return err
			}
			sweeps(t, tx, scheduleStart.Add(time.Hour), 3)
			return undo
		}); !errors.Is(err, undo) {
			t.Fatal(err)
		}
	}
	sweeps(t, s, scheduleStart.Add(time.Hour), 4)
}
