// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package fleet

import (
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/postgrestest"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

// store is the line of a Caddyfile for a database, with the socket of the server
// or of what stands before it.
func store(dsn, dir, socket string) string {
	return `postgres "` + strings.Replace(dsn, "host="+dir, "host="+filepath.Dir(socket), 1) + `"`
}

func TestPostgres(t *testing.T) {
	server := postgrestest.Shared(t)
	dsn := server.Database(t)
	cutter := newCutter(t, server.Socket())
	dir := t.TempDir()
	const slow = "\nlogin_throttle {\ndelay 10m 1h\n}" // no delay ends within the test
	a := newNode(t, "A", store(dsn, server.Dir, server.Socket())+slow, dir)
	b := newNode(t, "B", store(dsn, server.Dir, filepath.Join(cutter.dir, "socket"))+slow, dir)
	testFleet(t, a, b)
	t.Run("a throttle counts for both", func(t *testing.T) { testThrottle(t, a, b) })
	t.Run("guesses count for both", func(t *testing.T) { testLoginThrottle(t, a, b) })
	t.Run("without the feed", func(t *testing.T) {
		cutter.setCut(true)
		b.await("the end of the feed", 3*time.Second, func() bool { return !b.feedUp() })
		if !a.feedUp() {
			t.Error("the feed of node A ended too")
		}
		if !strings.Contains(b.log(), "token store does not report changes; asking it on every request") {
			t.Error("node B did not say so in its log")
		}
		testWithoutFeed(t, a, b, func(s secret) { a.manage(http.MethodDelete, "/tokens/"+s.Handle, "", nil) })
		cutter.setCut(false)
		b.await("the feed", 5*time.Second, b.feedUp)
		if !strings.Contains(b.log(), "token store reports changes again") {
			t.Error("node B did not say so in its log")
		}
		s := a.newToken("alice")
		b.remembers(t, func() int { return b.ask(s.Token) })
	})
}

// testThrottle is what holds of two nodes on a store that counts for both: as many
// requests pass as may, wherever they are sent.
func testThrottle(t *testing.T, a, b *node) {
	s := a.newToken("alice")
	var passed, refused atomic.Int64
	var wg sync.WaitGroup
	for i := range 48 {
		wg.Go(func() {
			switch []*node{a, b}[i%2].askFor("/throttled", s.Token) {
			case http.StatusOK:
				passed.Add(1)
			case http.StatusTooManyRequests:
				refused.Add(1)
			}
		})
	}
	wg.Wait()
	if passed.Load() != 20 || refused.Load() != 28 {
		t.Errorf("%d passed, and %d were refused", passed.Load(), refused.Load())
	}
}

// Two nodes that start at once on an empty database both serve, and one schema
// is made.
func TestPostgresMigratedByTwo(t *testing.T) {
	server := postgrestest.Shared(t)
	dsn := server.Database(t)
	line, dir := store(dsn, server.Dir, server.Socket()), t.TempDir()
	var nodes []*node
	for _, name := range []string{"A", "B", "C"} {
		nodes = append(nodes, startNode(t, name, line, dir))
	}
	for _, n := range nodes {
		n.awaitAdmin()
		n.await("the feed", 10*time.Second, n.feedUp)
		for line := range strings.Lines(n.log()) {
			// The admin endpoint was asked before there was a configuration.
			if strings.Contains(line, `"level":"error"`) && !strings.Contains(line, `"logger":"admin.api"`) {
				t.Errorf("node %s has an error in its log: %s", n.name, line)
			}
		}
	}
	nodes[0].manage(http.MethodPost, "/users", `{"name":"alice"}`, nil)
	s := nodes[1].newToken("alice")
	if got := nodes[2].ask(s.Token); got != http.StatusOK {
		t.Errorf("answered %d", got)
	}
}

// A node that meets the tables of a newer program leaves them alone: 503 for
// whoever needs the store, and a line that says so.
func TestPostgresNewerSchema(t *testing.T) {
	server := postgrestest.Shared(t)
	dsn := server.Database(t)
	line := store(dsn, server.Dir, server.Socket())
	newer := newNode(t, "newer", line, t.TempDir())
	newer.manage(http.MethodPost, "/users", `{"name":"alice"}`, nil)
	s := newer.newToken("alice")
	_, database, _ := strings.Cut(dsn, "dbname=")
	server.Exec(t, database, "UPDATE rest_auth.meta SET value = '99' WHERE name = 'schema'")

	older := newNode(t, "older", line, t.TempDir())
	for range 3 {
		if got := older.ask(s.Token); got != http.StatusServiceUnavailable {
			t.Errorf("answered %d", got)
		}
	}
	if log := older.log(); !strings.Contains(log, "schema is newer than this program") {
		t.Errorf("the log does not say so:\n%s", log)
	}
	if got := server.Count(t, database, "SELECT count(*) FROM rest_auth.credentials"); got != 1 {
		t.Errorf("%d tokens are left", got)
	}
}
