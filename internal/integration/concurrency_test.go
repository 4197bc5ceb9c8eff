// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const tokenSite = `{{site}} {
	rest_auth {
		authenticate token
		authenticate basic
	}
	respond ok
}`

// statusOf asks over a connection that the client keeps.
func statusOf(c *http.Client, url, credentials string) (int, error) {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	r.Header.Set("Authorization", credentials)
	response, err := c.Do(r)
	if err != nil {
		return 0, err
	}
	_ = response.Body.Close()
	return response.StatusCode, nil
}

// No request that starts after a revocation was acknowledged succeeds, however
// many are under way: the verification that it overtakes is stale at birth.
func TestRevokeAgainstUse(t *testing.T) {
	s := serve(t, "{{site}} {\nrest_auth {\nauthenticate token\n}\nrespond ok\n}")
	s.seed()
	alice, err := s.store().UserByName(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	rounds := 10_000
	if testing.Short() {
		rounds = 500
	}
	const workers = 4
	var (
		current atomic.Pointer[string] // the token in use
		revoked sync.Map               // tokens whose revocation was acknowledged
		late    atomic.Int64
		used    atomic.Int64
		done    = make(chan struct{})
		wg      sync.WaitGroup
	)
	for range workers {
		wg.Go(func() {
			c := client(t)
			for {
				select {
				case <-done:
					return
				default:
				}
				secret := current.Load()
				if secret == nil {
					continue
				}
				_, dead := revoked.Load(*secret)
				status, err := statusOf(c, s.URL, "Token "+*secret)
				if err != nil {
					t.Error(err)
					return
				}
				if status == http.StatusOK {
					used.Add(1)
					if dead {
						late.Add(1)
					}
				}
			}
		})
	}
	for i := range rounds {
		secret := fmt.Sprint("race-", i)
		credential := s.putToken(alice, secret)
		current.Store(&secret)
		if i%10 == 0 {
			time.Sleep(200 * time.Microsecond)
		}
		if n, err := s.store().Delete(t.Context(), tokenstore.Filter{ID: credential.ID}); err != nil || n != 1 {
			t.Fatalf("revoking: %d, %v", n, err)
		}
		revoked.Store(secret, true)
		if i%100 == 0 {
			if status, err := statusOf(client(t), s.URL, "Token "+secret); err != nil || status != http.StatusUnauthorized {
				t.Fatalf("the revoked token was answered %d, %v", status, err)
			}
		}
	}
	close(done)
	wg.Wait()
	if late.Load() > 0 {
		t.Errorf("%d requests succeeded that began after the revocation", late.Load())
	}
	t.Logf("%d revocations, %d successes between them", rounds, used.Load())
}

// Reloads under load: no error, no 5xx, caches and store kept, nothing leaked.
func TestReloads(t *testing.T) {
	s := serve(t, tokenSite)
	s.seed()
	reloads := 200
	if testing.Short() {
		reloads = 20
	}
	warm := func() {
		if got := s.get("/", basic("alice", "pw")).Status; got != http.StatusOK {
			t.Fatalf("alice was answered %d", got)
		}
	}
	warm()
	for range 3 {
		s.reload(tokenSite)
	}
	settle()
	goroutines, descriptors := runtime.NumGoroutine(), openFiles(t)

	done := make(chan struct{})
	var wg sync.WaitGroup
	var asked, reset atomic.Int64
	for i := range 4 {
		wg.Go(func() {
			c := client(t)
			credentials := []string{"Token token-alice", "Token token-bob", "Token unknown"}[i%3]
			want := []int{200, 200, 401}[i%3]
			defer c.CloseIdleConnections()
			for {
				select {
				case <-done:
					return
				default:
				}
				status, err := statusOf(c, s.URL, credentials)
				if err != nil {
					// Caddy resets connections that wait in the queue of a
					// listener which it replaces; the client tries again.
					reset.Add(1)
					continue
				}
				asked.Add(1)
				if status != want {
					t.Errorf("%s was answered %d, want %d", credentials, status, want)
					return
				}
			}
		})
	}
	verified := s.passwordsVerified()
	if verified == 0 {
		t.Fatal("verified passwords are not counted")
	}
	for i := range reloads {
		// Every other configuration differs, since Caddy skips a reload that
		// changes nothing; the credentials' part stays.
		site := tokenSite
		if i%2 == 0 {
			site += fmt.Sprintf("\n{{site2}} {\nrespond %d\n}", i)
		}
		s.reload(site)
		time.Sleep(5 * time.Millisecond)
	}
	close(done)
	wg.Wait()
	s.reload(tokenSite)
	warm()
	if again := s.passwordsVerified() - verified; again != 0 {
		t.Errorf("a password was verified %v times more: the cache was not kept", again)
	}
	// Caddy ends the servers that it replaced in the background.
	for range 100 {
		settle()
		if runtime.NumGoroutine() <= goroutines+10 && openFiles(t) <= descriptors+5 {
			break
		}
	}
	if now := runtime.NumGoroutine(); now > goroutines+10 {
		buf := make([]byte, 1<<20)
		t.Errorf("%d goroutines, %d before:\n%s", now, goroutines, buf[:runtime.Stack(buf, true)])
	}
	if now := openFiles(t); now > descriptors+5 {
		t.Errorf("%d open files, %d before", now, descriptors)
	}
	t.Logf("%d reloads, %d answers, %d connections reset", reloads, asked.Load(), reset.Load())
}

// passwordsVerified is how often a user was looked for by name, which only the
// verification of a password does.
func (s *server) passwordsVerified() float64 {
	s.t.Helper()
	return s.metrics()[`caddy_rest_auth_store_seconds_count{operation="user_by_name",result="ok"}`]
}

func settle() {
	for range 5 {
		time.Sleep(20 * time.Millisecond)
		runtime.GC()
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc: open files cannot be counted")
	}
	return len(entries)
}
