// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package fleet

import (
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/postgrestest"
)

const (
	// healing is how long after a fault nodes may still say that they do not know.
	healing = 5 * time.Second

	// patience is how long a client may wait for any answer.
	patience = 8 * time.Second
)

// While PostgreSQL fails, good credentials are answered 200 or 503 and bad ones
// 401 or 503; soon after it is back, all are answered as before.
func TestChaos(t *testing.T) {
	server := postgrestest.New(t)
	dsn := server.Database(t)
	// It guesses without a pause, and every guess is to reach the store.
	line, dir := store(dsn, server.Dir, server.Socket())+"\nlogin_throttle off", t.TempDir()
	nodes := []*node{newNode(t, "A", line, dir), newNode(t, "B", line, dir)}
	nodes[0].manage(http.MethodPost, "/users", `{"name":"alice","password":"a secret"}`, nil)
	var tokens []string
	for range 4 {
		tokens = append(tokens, nodes[0].newToken("alice").Token)
	}
	const ours = "usename = '" + postgrestest.User + "'"
	for _, fault := range []struct {
		name  string
		fault func(t *testing.T)
	}{
		{"connections killed", func(t *testing.T) {
			for range 5 {
				if server.KillBackends(t, ours) == 0 {
					t.Error("there was none to kill")
				}
				time.Sleep(300 * time.Millisecond)
			}
		}},
		{"restarted", func(t *testing.T) { server.Restart(t) }},
		{"stopped for a while", func(t *testing.T) {
			server.Stop()
			time.Sleep(4 * time.Second)
			server.Start(t)
		}},
		{"paused", func(t *testing.T) {
			server.Pause(t)
			time.Sleep(20 * time.Second)
			server.Resume()
		}},
		{"no connection to be had", func(t *testing.T) {
			server.Exec(t, "postgres", "ALTER ROLE "+postgrestest.User+" CONNECTION LIMIT 0")
			server.KillBackends(t, ours)
			time.Sleep(4 * time.Second)
			server.Exec(t, "postgres", "ALTER ROLE "+postgrestest.User+" CONNECTION LIMIT -1")
		}},
		{"read-only, as a standby", func(t *testing.T) {
			server.Exec(t, "postgres", "ALTER ROLE "+postgrestest.User+" SET default_transaction_read_only = on")
			server.KillBackends(t, ours)
			time.Sleep(3 * time.Second)
			server.Exec(t, "postgres", "ALTER ROLE "+postgrestest.User+" RESET default_transaction_read_only")
		}},
	} {
		t.Run(fault.name, func(t *testing.T) {
			for _, n := range nodes {
				n.await("the feed", 10*time.Second, n.feedUp)
			}
			w := newWitness(t, nodes, tokens)
			time.Sleep(200 * time.Millisecond)
			fault.fault(t)
			over := time.Now()
			time.Sleep(healing + 500*time.Millisecond)
			w.stop()
			w.report(t, over)
		})
	}
}

// A witness asks the nodes without a pause and keeps what it was answered.
type witness struct {
	mu      sync.Mutex
	answers []answer
	stopped atomic.Bool
	clients sync.WaitGroup
}

type answer struct {
	what   string
	good   bool
	status int
	began  time.Time
	took   time.Duration
}

func newWitness(t *testing.T, nodes []*node, tokens []string) *witness {
	w := new(witness)
	for _, n := range nodes {
		w.watch("good token at "+n.name, true, rotating(tokens, n.ask))
		w.watch("bad token at "+n.name, false, func() int { return n.ask("unknown") })
		w.watch("good password at "+n.name, true, func() int { return n.login("alice", "a secret") })
		w.watch("unknown user at "+n.name, false, func() int { return n.login("nobody", "a secret") })
		w.watch("management at "+n.name, true, func() int {
			status, _ := n.tryManage(http.MethodGet, "/users/alice", "")
			return status
		})
	}
	t.Cleanup(w.stop)
	return w
}

func rotating(tokens []string, ask func(string) int) func() int {
	i := 0
	return func() int {
		i++
		return ask(tokens[i%len(tokens)])
	}
}

func (w *witness) watch(what string, good bool, ask func() int) {
	w.clients.Go(func() {
		for !w.stopped.Load() {
			a := answer{what: what, good: good, began: time.Now()}
			a.status = ask()
			a.took = time.Since(a.began)
			w.mu.Lock()
			w.answers = append(w.answers, a)
			w.mu.Unlock()
			time.Sleep(20 * time.Millisecond)
		}
	})
}

func (w *witness) stop() {
	w.stopped.Store(true)
	w.clients.Wait()
}

func (w *witness) report(t *testing.T, over time.Time) {
	t.Helper()
	var refused, late int
	var healed, longest time.Duration
	for _, a := range w.answers {
		known := http.StatusOK
		if !a.good {
			known = http.StatusUnauthorized
		}
		ended := a.began.Add(a.took)
		switch {
		case a.status == http.StatusServiceUnavailable:
			refused++
			if since := ended.Sub(over); since > 0 {
				late++
				healed = max(healed, since)
			}
		case a.status != known:
			t.Errorf("%s was answered %d", a.what, a.status)
		}
		longest = max(longest, a.took)
	}
	if healed > healing {
		t.Errorf("503 was answered %s after the fault was over", healed)
	}
	if longest > patience {
		t.Errorf("a request took %s", longest)
	}
	last := slices.MaxFunc(w.answers, func(a, b answer) int { return a.began.Compare(b.began) })
	t.Logf("%d answers, %d of them 503; healed %s after the fault; the longest took %s; the last was %d",
		len(w.answers), refused, healed.Round(time.Millisecond), longest.Round(time.Millisecond), last.status)
}
