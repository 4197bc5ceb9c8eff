// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"database/sql"
	"os"
	"testing"
	"time"
)

// The file has part of the records and the log the others: who opened the file
// anew beside a guest would read a log that is empty by the index of the lost one.
func TestALogThatIsLostBesideAGuest(t *testing.T) {
	s := started(t, newDriver(t))
	for i := 100; i < 180; i++ {
		if i == 150 {
			onWriter(t, s, `PRAGMA wal_checkpoint`)
		}
		if err := s.Create(t.Context(), record(i), 0, false); err != nil {
			t.Fatal(err)
		}
	}
	entered, leave, left := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		left <- s.examining(t.Context(), func(_ *handle, conn *sql.Conn) error {
			var n int
			err := conn.QueryRowContext(t.Context(), `SELECT count(*) FROM credentials`).Scan(&n)
			close(entered)
			<-leave
			return err
		})
	}()
	<-entered
	if err := os.Remove(s.driver.Path + "-wal"); err != nil {
		t.Fatal(err)
	}
	for start := time.Now(); time.Since(start) < 5*checkEvery/2; time.Sleep(50 * time.Millisecond) {
		if s.Create(t.Context(), record(2), 0, false) == nil {
			t.Error("Create without a log succeeded, want an error")
		}
	}
	close(leave)
	if err := <-left; err != nil {
		t.Errorf("reading = %v, want no error", err)
	}
	heals(t, "Create", func() error { return s.Create(t.Context(), record(2), 0, false) })
	wantRecord(t, s)
	for i := 100; i < 180; i++ {
		if _, _, err := s.Lookup(t.Context(), digest(i), t0); err != nil {
			t.Fatalf("Lookup of record %d = %v, want it back from the log", i, err)
		}
	}
}
