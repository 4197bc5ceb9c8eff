// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/memory"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/storetest"
)

func init() { caddy.RegisterModule(new(failingDriver)) }

// failingDriver is a store in memory whose calls fail when a test says so.
type failingDriver struct {
	memory.Driver
}

var (
	failingMu     sync.Mutex
	failingStores = make(map[string]*storetest.FailingStore)
)

func (*failingDriver) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "rest_auth.token_stores.test_failing", New: func() caddy.Module { return new(failingDriver) }}
}

func (d *failingDriver) Identifier() string { return "test_failing:" + d.Name }

func (d *failingDriver) Open(ctx context.Context) (tokenstore.Store, error) {
	store, err := d.Driver.Open(ctx)
	if err != nil {
		return nil, err
	}
	failing := storetest.Failing(store)
	failingMu.Lock()
	defer failingMu.Unlock()
	failingStores[d.Name] = failing
	return failing, nil
}

func (d *failingDriver) UnmarshalCaddyfile(disp *caddyfile.Dispenser) error {
	return d.Driver.UnmarshalCaddyfile(disp)
}

const failingSite = `{
	{{global}}
	rest_auth {
		store test_failing NAME
		cache 1
	}
}
{{site}} {
	rest_auth {
		authenticate token
		authenticate basic
		SETTINGS
	}
	reverse_proxy {{echo}}
}`

func serveFailing(t *testing.T, settings string) (*server, *storetest.FailingStore) {
	t.Helper()
	name := t.Name()
	s := serve(t, strings.NewReplacer("NAME", strings.ReplaceAll(name, "/", "_"), "SETTINGS", settings).Replace(failingSite))
	s.seed()
	failingMu.Lock()
	defer failingMu.Unlock()
	return s, failingStores[strings.ReplaceAll(name, "/", "_")]
}

// While every call of the store fails, nobody is let in on the strength of it,
// nobody is told that good credentials are bad, and the rest of the site works.
func TestStoreDown(t *testing.T) {
	for _, settings := range []string{"", "require allow_any", "require allow_any\ninvalid anonymous", "require any authenticated read_only"} {
		t.Run(settings, func(t *testing.T) {
			s, store := serveFailing(t, settings)
			store.Down(true)
			for _, line := range []string{token("token-alice"), token("unknown"), basic("alice", "pw"), basic("nobody", "x")} {
				before := s.echo.hits.Load()
				got := s.get("/", line)
				if got.Status != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" {
					t.Errorf("%q was answered %d %v", line, got.Status, got.Header)
				}
				if s.echo.hits.Load() != before {
					t.Errorf("%q reached the upstream", line)
				}
			}
			store.Down(false)
			if got := s.get("/", token("token-alice")).Status; got != http.StatusOK {
				t.Errorf("after the store healed: %d", got)
			}
		})
	}
}

// afterwards are the calls of a store by which nothing is decided: those of the
// background, and those that note what was decided.
var afterwards = []string{"Touch", "Sweep", "Watch", "Rehash", "Remember", "Forget", "Refund"}

// lastIndex returns where a text is last, or -1.
func lastIndex(texts []string, text string) int {
	for i := len(texts) - 1; i >= 0; i-- {
		if texts[i] == text {
			return i
		}
	}
	return -1
}

// Every call of the store in turn fails, or does its work and loses the
// answer. No request reaches the upstream by the failure, and no command
// reports success that did not happen.
func TestEveryStoreCallFails(t *testing.T) {
	s, store := serveFailing(t, "require user alice")
	admin := func(method, path, body string) int {
		return s.send(method, "http://"+s.Admin+"/rest_auth"+path, strings.NewReader(body), "Content-Type: application/json").Status
	}
	serial := 0
	alice, err := s.store().UserByName(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	// What makes the next operation ask the store, although it remembers.
	prepare := map[string]func(){
		"token": func() {
			serial++
			s.putToken(alice, fmt.Sprint("fresh-", serial))
		},
		"password": func() { alice = s.putUser(alice) },
		// Another user each time, since guesses at one have to wait.
		"wrong password": func() {
			serial++
			s.putUser(tokenstore.User{Name: fmt.Sprint("guessed", serial), Active: true})
		},
	}
	operations := map[string]func() (status int, proof func() bool){
		"token": func() (int, func() bool) {
			return s.get("/", token(fmt.Sprint("fresh-", serial))).Status, nil
		},
		"password": func() (int, func() bool) {
			return s.get("/", basic("alice", "pw")).Status, nil
		},
		"wrong password": func() (int, func() bool) {
			status := s.get("/", basic(fmt.Sprint("guessed", serial), "wrong")).Status
			if status == http.StatusOK {
				t.Error("a wrong password was let in")
			}
			return status, nil
		},
		"create a user": func() (int, func() bool) {
			serial++
			name := fmt.Sprint("user", serial)
			return admin(http.MethodPost, "/users", `{"name":"`+name+`"}`), func() bool {
				_, err := s.store().UserByName(t.Context(), name)
				return err == nil
			}
		},
	}
	for name, operation := range operations {
		for _, mode := range []string{"fail", "lose"} {
			t.Run(name+"/"+mode, func(t *testing.T) {
				for n := 1; ; n++ {
					if n > 50 {
						t.Fatal("the operation does not end to make calls")
					}
					if prepare[name] != nil {
						prepare[name]()
					}
					if mode == "fail" {
						store.FailAt(n)
					} else {
						store.LoseAt(n)
					}
					before := s.echo.hits.Load()
					status, proof := operation()
					reached := s.echo.hits.Load() > before
					calls := store.Calls()
					store.FailAt(0)
					if reached && status != http.StatusOK {
						t.Errorf("call %d: the upstream was reached by a request that was answered %d", n, status)
					}
					if len(calls) < n {
						if n == 1 {
							t.Error("the operation does not ask the store: nothing was tested")
						}
						return // the operation makes fewer calls: all have failed once
					}
					// A guess from where the user is known is counted once it has failed.
					noted := strings.HasPrefix(calls[n-1], "Attempt") && slices.Index(calls[:n-1], "UserByName") < lastIndex(calls[:n-1], "UserByName")
					if !noted && !slices.Contains(afterwards, calls[n-1]) && proof == nil && status != http.StatusServiceUnavailable {
						t.Errorf("call %d (%s) failed: answered %d, want 503", n, calls[n-1], status)
					}
					if proof != nil && status < 300 {
						if status == 0 || !proof() {
							t.Errorf("call %d (%s) failed: success %d was reported, and nothing happened", n, calls[n-1], status)
						}
					}
				}
			})
		}
	}
}

// A revocation that the store did not make is not reported as made, and one
// whose answer was lost is not served from memory.
func TestRevokeWithAFailingStore(t *testing.T) {
	s, store := serveFailing(t, "")
	alice, err := s.store().UserByName(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []string{"fail", "lose"} {
		for n := 1; n <= 6; n++ {
			secret := fmt.Sprint("revoke-", mode, n)
			credential := s.putToken(alice, secret)
			if got := s.get("/", token(secret)).Status; got != http.StatusOK {
				t.Fatalf("the token was answered %d", got)
			}
			if mode == "fail" {
				store.FailAt(n)
			} else {
				store.LoseAt(n)
			}
			status := s.send(http.MethodDelete, "http://"+s.Admin+"/rest_auth/tokens/"+credential.ID, nil, "Content-Type: application/json").Status
			store.FailAt(0)
			_, _, err := s.store().Lookup(t.Context(), digestOf(secret), credential.Created)
			lives := err == nil
			if status < 300 && lives {
				t.Errorf("%s at call %d: %d was reported, and the token lives", mode, n, status)
			}
			want := http.StatusUnauthorized
			if lives {
				want = http.StatusOK
			}
			if got := s.get("/", token(secret)).Status; got != want {
				t.Errorf("%s at call %d: the token was answered %d, want %d", mode, n, got, want)
			}
		}
	}
}
