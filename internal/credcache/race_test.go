// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package credcache

import (
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// A record is a row of a store: how often its user was revoked and let in
// again, as committed, and as acknowledged to the one who revoked.
type record struct{ committed, acknowledged atomic.Int64 }

// No Get that begins after a revocation was acknowledged may be Fresh with
// what was true before it, whatever verifications were under way.
func TestRevocation_final(t *testing.T) {
	const users = 4
	revocations := 10_000
	if testing.Short() {
		revocations = 1000
	}
	for _, how := range []string{"user", "credential", "family", "client", "all"} {
		t.Run(how, func(t *testing.T) {
			c := New(64)
			var (
				store [users]record
				fresh atomic.Int64
				asked atomic.Int64
				stop  = make(chan struct{})
				wg    sync.WaitGroup
			)
			identity := func(u int, generation int64) *auth.Identity {
				name := fmt.Sprint("name", u)
				return &auth.Identity{
					ID: name, Key: name, Credential: name, Family: name, Client: name,
					Proof: strconv.FormatInt(generation, 10),
				}
			}
			for worker := range 3 {
				wg.Go(func() {
					for i := worker; ; i++ {
						select {
						case <-stop:
							return
						default:
						}
						asked.Add(1)
						u := i % users
						acknowledged := store[u].acknowledged.Load()
						now := time.Now()
						var id auth.Identity
						if c.Get(keyOf(u), now, time.Minute, &id) != Fresh {
							stamp := c.Stamp()
							c.Put(keyOf(u), stamp, now, identity(u, store[u].committed.Load()))
							continue
						}
						fresh.Add(1)
						if seen, _ := strconv.ParseInt(id.Proof, 10, 64); seen < acknowledged {
							t.Errorf("let in as of revocation %d although %d was acknowledged", seen, acknowledged)
							return
						}
					}
				})
			}
			for i := range revocations {
				u := i % users
				generation := store[u].committed.Add(1)
				name := fmt.Sprint("name", u)
				c.Touched(map[string]tokenstore.Change{
					"user": {UserKey: name}, "credential": {CredentialID: name},
					"family": {Family: name}, "client": {ClientID: name}, "all": {All: true},
				}[how])
				store[u].acknowledged.Store(generation)
				// Half of the revocations come while the others are at work.
				for seen := asked.Load(); i%2 == 0 && asked.Load() < seen+4 && !t.Failed(); {
					runtime.Gosched()
				}
			}
			close(stop)
			wg.Wait()
			if fresh.Load() == 0 {
				t.Error("nothing was ever remembered: the test shows nothing")
			}
		})
	}
}

// What several revocations at once touch is as stale as the last one makes it.
func TestRevocation_concurrent(t *testing.T) {
	c := New(64)
	id := typical(1)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 2000 {
				stamp := c.Stamp()
				c.Touched(changeOf(id))
				c.Put(keyOf(1), stamp, c.start, id)
				if c.Get(keyOf(1), c.start, time.Minute, new(auth.Identity)) == Fresh {
					t.Error("fresh by a stamp from before a revocation that has returned")
					return
				}
			}
		})
	}
	wg.Wait()
}
