// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/storetest"
)

func serveFailingJWT(t *testing.T, options ...string) (*server, *storetest.FailingStore) {
	t.Helper()
	s := serve(t, inStore("store test_failing "+t.Name(), projectSite(options...)))
	s.seed()
	failingMu.Lock()
	defer failingMu.Unlock()
	return s, failingStores[t.Name()]
}

// TestSimpleJWT_everyStoreCallFails lets each call of the store fail in turn, or
// lose its answer: 503, and nothing that was not done is said to be.
func TestSimpleJWT_everyStoreCallFails(t *testing.T) {
	s, store := serveFailingJWT(t, "rotate_refresh_tokens")
	s.putImported("carol", "7")
	serial := 0
	operations := map[string]func() (send func() reply, check func(t *testing.T, got reply)){
		"login": func() (func() reply, func(*testing.T, reply)) {
			return func() reply { return s.post("/api/token/", `{"username":"alice","password":"pw"}`) },
				func(t *testing.T, got reply) {
					if got.Status == http.StatusOK {
						s.refreshWith(got.pair(t).Refresh).pair(t)
					}
				}
		},
		"refresh": func() (func() reply, func(*testing.T, reply)) {
			token := s.obtain("alice").Refresh
			return func() reply { return s.refreshWith(token) }, func(t *testing.T, _ reply) {
				// Whoever asks again gets the pair, the answer to which was lost perhaps.
				s.refreshWith(s.refreshWith(token).pair(t).Refresh).pair(t)
			}
		},
		"adoption": func() (func() reply, func(*testing.T, reply)) {
			serial++
			token := asProject(t, refreshClaims(map[string]any{"jti": string(rune('A'+serial%26)) + string(rune('A'+serial/26))}))
			return func() reply { return s.refreshWith(token) }, func(t *testing.T, _ reply) {
				s.refreshWith(s.refreshWith(token).pair(t).Refresh).pair(t)
			}
		},
		"blacklist": func() (func() reply, func(*testing.T, reply)) {
			pair := s.obtain("alice")
			return func() reply { return s.post("/api/token/blacklist/", `{"refresh":"`+pair.Refresh+`"}`) }, func(t *testing.T, got reply) {
				if got.Status == http.StatusOK {
					s.refreshWith(pair.Refresh).expect(t, 401, jwtBearer, blacklisted)
				}
			}
		},
		"verify": func() (func() reply, func(*testing.T, reply)) {
			pair := s.obtain("alice")
			return func() reply { return s.post("/api/token/verify/", `{"token":"`+pair.Refresh+`"}`) }, func(*testing.T, reply) {}
		},
	}
	for name, prepare := range operations {
		t.Run(name, func(t *testing.T) {
			for how, at := range map[string]func(int){"fails": store.FailAt, "loses its answer": store.LoseAt} {
				for n := 1; ; n++ {
					send, check := prepare()
					at(n)
					got := send()
					calls := len(store.Calls())
					store.FailAt(0)
					if got.Status != http.StatusOK && (got.Status != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "") {
						t.Errorf("call %d %s: %d %s", n, how, got.Status, got.Body)
					}
					check(t, got)
					if calls < n {
						break
					}
				}
			}
		})
	}
}

// TestSimpleJWT_keysDown answers 503 while the storage has no good keys, and heals.
func TestSimpleJWT_keysDown(t *testing.T) {
	s := serve(t, simplejwtSite("algorithm ES256"))
	s.seed()
	file := filepath.Join(s.vars["{{dir}}"], "storage", "rest_auth", "signing", "simplejwt", "ES256")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(`{"algorithm":"ES256","keys":[{}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, got := range []reply{s.post("/api/token/", `{"username":"alice","password":"pw"}`), s.get("/api/token/jwks.json")} {
		if got.Status != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" {
			t.Errorf("%d %s", got.Status, got.Body)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	pair := s.obtain("alice")
	s.refreshWith(pair.Refresh).pair(t)
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the keys are in %v, %v", info, err)
	}
}
