// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"net/http"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"
)

// propagation is how long a change at one node may take to reach another.
const propagation = time.Second

// rounds is how often a revocation is timed. FLEET_ROUNDS sets it for
// docs/performance.md.
var rounds = func() int {
	if n, err := strconv.Atoi(os.Getenv("FLEET_ROUNDS")); err == nil && n > 0 {
		return n
	}
	return 60
}()

// testFleet is what holds of two nodes on one store: what A answered is so at B
// within a second.
func testFleet(t *testing.T, a, b *node) {
	a.manage(http.MethodPost, "/users", `{"name":"alice","password":"first secret"}`, nil)
	for _, n := range []*node{a, b} {
		n.await("the feed", 10*time.Second, n.feedUp)
	}

	t.Run("a created token works at once", func(t *testing.T) {
		s := a.newToken("alice")
		if got := b.ask(s.Token); got != http.StatusOK {
			t.Errorf("answered %d", got)
		}
	})

	t.Run("a revoked token ends", func(t *testing.T) {
		s := a.newToken("alice")
		b.remembers(t, func() int { return b.ask(s.Token) })
		a.manage(http.MethodDelete, "/tokens/"+s.Handle, "", nil)
		b.await("401", propagation, func() bool { return b.ask(s.Token) == http.StatusUnauthorized })
	})

	t.Run("a revoked JSON Web Token ends", func(t *testing.T) { testRevokedJWT(t, a, b) })

	t.Run("a disabled user ends, and returns", func(t *testing.T) {
		s := a.newToken("alice")
		b.remembers(t, func() int { return b.ask(s.Token) })
		b.remembers(t, func() int { return b.login("alice", "first secret") })
		a.manage(http.MethodPatch, "/users/alice", `{"active":false}`, nil)
		b.await("401", propagation, func() bool {
			return b.ask(s.Token) == http.StatusUnauthorized && b.login("alice", "first secret") == http.StatusUnauthorized
		})
		a.manage(http.MethodPatch, "/users/alice", `{"active":true}`, nil)
		b.await("200", propagation, func() bool { return b.ask(s.Token) == http.StatusOK })
	})

	t.Run("a changed password ends the old one", func(t *testing.T) {
		b.remembers(t, func() int { return b.login("alice", "first secret") })
		a.manage(http.MethodPut, "/users/alice/password", `{"password":"second secret"}`, nil)
		b.await("401", propagation, func() bool { return b.login("alice", "first secret") == http.StatusUnauthorized })
		if got := b.login("alice", "second secret"); got != http.StatusOK {
			t.Errorf("the new password was answered %d", got)
		}
	})

	t.Run("a deleted user leaves nothing", func(t *testing.T) {
		a.manage(http.MethodPost, "/users", `{"name":"bob"}`, nil)
		s := a.newToken("bob")
		b.remembers(t, func() int { return b.ask(s.Token) })
		a.manage(http.MethodDelete, "/users/bob", "", nil)
		b.await("401", propagation, func() bool { return b.ask(s.Token) == http.StatusUnauthorized })
	})

	testSessions(t, a, b)

	t.Run("logins of simplejwt", func(t *testing.T) { testSimpleJWT(t, a, b) })

	t.Run("both ways, many times", func(t *testing.T) {
		var took []time.Duration
		for i := range rounds {
			from, to := a, b
			if i%2 == 1 {
				from, to = b, a
			}
			s := from.newToken("alice")
			to.remembers(t, func() int { return to.ask(s.Token) })
			from.manage(http.MethodDelete, "/tokens/"+s.Handle, "", nil)
			took = append(took, to.await("401", propagation, func() bool { return to.ask(s.Token) == http.StatusUnauthorized }))
			if got := from.ask(s.Token); got != http.StatusUnauthorized {
				t.Errorf("answered %d where it was revoked", got)
			}
		}
		slices.Sort(took)
		t.Logf("from the acknowledgement at one node to 401 at the other, %d times: median %s, 95 %% %s, 99 %% %s, longest %s",
			len(took), took[len(took)/2], took[len(took)*95/100], took[len(took)*99/100], took[len(took)-1])
	})
}

// remembers asks until the node answers from its memory, so that what follows
// is not merely read from the store.
func (n *node) remembers(t *testing.T, ask func() int) {
	t.Helper()
	n.await("an answer from memory", 5*time.Second, func() bool {
		before := n.hits()
		if got := ask(); got != http.StatusOK {
			t.Fatalf("node %s: answered %d", n.name, got)
		}
		return n.hits() > before
	})
}

// testWithoutFeed is what holds of a node while it does not hear of changes:
// everything is asked of the store.
func testWithoutFeed(t *testing.T, a, b *node, revoke func(secret)) {
	s := a.newToken("alice")
	kept := a.newToken("alice")
	for range 20 {
		before := b.hits()
		for _, token := range []string{s.Token, kept.Token} {
			if got := b.ask(token); got != http.StatusOK {
				t.Fatalf("without the feed a good token was answered %d", got)
			}
		}
		if after := b.hits(); after != before {
			t.Fatalf("without the feed %v answers came from memory", after-before)
		}
	}
	revoke(s)
	if got := b.ask(s.Token); got != http.StatusUnauthorized {
		t.Errorf("the first request after a revocation was answered %d", got)
	}
	if got := b.ask(kept.Token); got != http.StatusOK {
		t.Errorf("a good token was answered %d", got)
	}
	if b.feedUp() {
		t.Error("the metric says that the feed is up")
	}
}
