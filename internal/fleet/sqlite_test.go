// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"database/sql"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSQLite(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "rest_auth.db")
	a := newNode(t, "A", "sqlite "+file, dir)
	b := newNode(t, "B", "sqlite "+file, dir)
	testFleet(t, a, b)
	t.Run("without the feed", func(t *testing.T) {
		db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(5000)")
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		exec := func(statement string, args ...any) {
			t.Helper()
			if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
		// What reads the table of changes fails, and what writes it in a
		// transaction that revokes. Look-ups and new tokens do without it.
		exec(`ALTER TABLE changes RENAME TO elsewhere`)
		for _, n := range []*node{a, b} {
			n.await("the end of the feed", 5*time.Second, func() bool { return !n.feedUp() })
			if !strings.Contains(n.log(), "token store does not report changes; asking it on every request") {
				t.Errorf("node %s did not say so in its log", n.name)
			}
		}
		testWithoutFeed(t, a, b, func(s secret) {
			if status, _ := a.tryManage(http.MethodDelete, "/tokens/"+s.Handle, ""); status != http.StatusServiceUnavailable {
				t.Errorf("a revocation that nobody would hear of was answered %d", status)
			}
			exec(`DELETE FROM credentials WHERE id = ?`, s.Handle)
		})
		exec(`ALTER TABLE elsewhere RENAME TO changes`)
		b.await("the feed", 5*time.Second, b.feedUp)
		if !strings.Contains(b.log(), "token store reports changes again") {
			t.Error("node B did not say so in its log")
		}
		s := a.newToken("alice")
		b.remembers(t, func() int { return b.ask(s.Token) })
	})
}
