// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func TestAFileThatDisappearsBeforeTheCommit(t *testing.T) {
	for name, write := range map[string]func(s *Store, lose func()) error{
		"while it waits for another process": func(s *Store, lose func()) error {
			release := lock(t, s.driver.Path)
			done := make(chan error, 1)
			go func() { done <- s.Create(t.Context(), record(2), 0, false) }()
			for len(s.state.Load().handle.writer.turn) > 0 {
				time.Sleep(time.Millisecond)
			}
			time.Sleep(50 * time.Millisecond) // past the comparison, in BEGIN
			lose()
			release()
			return <-done
		},
		"in the middle of a transaction": func(s *Store, lose func()) error {
			return s.InTx(t.Context(), func(tx tokenstore.Store) error {
				defer lose()
				return tx.Create(t.Context(), record(2), 0, false)
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := started(t, newDriver(t))
			err := write(s, func() {
				if err := os.Remove(s.driver.Path); err != nil {
					t.Error(err)
				}
			})
			if !errors.Is(err, tokenstore.ErrUnavailable) {
				t.Errorf("a write into a deleted file = %v, want ErrUnavailable", err)
			}
		})
	}
}

// A full disk takes the savepoint away together with the transaction.
func TestAFullDiskIsNamedByATransaction(t *testing.T) {
	s := started(t, newDriver(t))
	onWriter(t, s, `PRAGMA max_page_count = 1`) // SQLite takes the present size
	err := s.InTx(t.Context(), func(tx tokenstore.Store) error {
		for i := 2; i < 1000; i++ {
			c := record(i)
			c.Data = bytes.Repeat([]byte("x"), tokenstore.MaxData)
			if err := tx.Create(t.Context(), c, 0, false); err != nil {
				return err
			}
		}
		return nil
	})
	if !errors.Is(err, tokenstore.ErrUnavailable) || !strings.Contains(err.Error(), "disk is full") {
		t.Errorf("InTx = %v, want ErrUnavailable for a full disk", err)
	}
	wantRecord(t, s)
}

func TestARotationIntoAnInvalidRecordSaysNothingOfTheStore(t *testing.T) {
	s := started(t, newDriver(t))
	bad := record(2)
	bad.Kind = ""
	_, _, err := s.Rotate(t.Context(), digest(1), []tokenstore.Credential{bad}, nil, t0, 0)
	if err == nil || errors.Is(err, tokenstore.ErrUnavailable) {
		t.Errorf("Rotate = %v, want an error that is not ErrUnavailable", err)
	}
	wantRecord(t, s)
}
