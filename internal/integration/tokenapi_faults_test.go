// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/durin"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// tokenAPIs are knox and durin over a store that fails when it is told to.
const tokenAPIs = `{
	{{global}}
	rest_auth {
		store test_failing NAME
	}
}
{{site}} {
	rest_auth_endpoints {
		knox /knox/ {
			token_limit_per_user 3 evict
			authenticate basic
		}
		durin /durin/ {
			api_access_client_name api
			refresh_token_on_login
		}
	}
	rest_auth {
		authenticate token
	}
	respond "{http.auth.user.id}"
}`

// TestTokenAPIs_everyStoreCallFails lets each call of the store fail in turn, or
// lose its answer. Nobody is told of a token that does not work, of an end that
// is not stored, or of a logout that was none, and what fails has issued nothing.
func TestTokenAPIs_everyStoreCallFails(t *testing.T) {
	s := serve(t, strings.Replace(tokenAPIs, "NAME", t.Name(), 1))
	s.seed()
	failingMu.Lock()
	store := failingStores[t.Name()]
	failingMu.Unlock()
	for _, name := range []string{"web", "api"} {
		_, err := s.store().PutClient(t.Context(), tokenstore.Client{
			ID: durin.ClientID(name), Name: name, Data: durin.Encode(durin.Client{TokenTTL: time.Hour}),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	alice := s.user("alice")
	end := func() {
		t.Helper()
		for _, kind := range []string{tokenstore.KindKnox, tokenstore.KindDurin} {
			if _, err := s.store().Delete(t.Context(), tokenstore.Filter{UserKey: alice.Key, Kind: kind}); err != nil {
				t.Fatal(err)
			}
		}
	}
	count := func() int {
		t.Helper()
		n := 0
		for _, kind := range []string{tokenstore.KindKnox, tokenstore.KindDurin} {
			page, _, err := s.store().List(t.Context(), tokenstore.Filter{UserKey: alice.Key, Kind: kind}, "", 100)
			if err != nil {
				t.Fatal(err)
			}
			n += len(page)
		}
		return n
	}
	lives := func(secret string) bool { return s.get("/", token(secret)).Status == http.StatusOK }
	knoxLogin := func() reply { return s.post("/knox/login/", "", basic("alice", "pw")) }
	durinLogin := func() reply { return s.durinLogin("alice", "web") }
	secret := func(got reply) string { return got.issued(t).Token }

	// Each is prepared, and then done while a call fails. proof says whether what
	// was answered is so.
	operations := map[string]func() (do func() reply, proof func(reply) bool){
		"knox login": func() (func() reply, func(reply) bool) {
			return knoxLogin, func(got reply) bool { return lives(secret(got)) }
		},
		"knox login over the limit": func() (func() reply, func(reply) bool) {
			knoxLogin()
			knoxLogin()
			knoxLogin()
			return knoxLogin, func(got reply) bool { return lives(secret(got)) && count() == 3 }
		},
		"durin login": func() (func() reply, func(reply) bool) {
			return durinLogin, func(got reply) bool { return lives(secret(got)) }
		},
		"durin login again": func() (func() reply, func(reply) bool) {
			first := durinLogin().issued(t)
			return durinLogin, func(got reply) bool {
				again := got.issued(t)
				return again.Token == first.Token && lives(first.Token) && *again.Expiry <= *durinLogin().issued(t).Expiry
			}
		},
		"durin refresh": func() (func() reply, func(reply) bool) {
			web := secret(durinLogin())
			return func() reply { return s.post("/durin/refresh/", "", token(web)) }, func(got reply) bool {
				var said, listed []struct{ Expiry time.Time }
				if json.Unmarshal([]byte("["+got.Body+"]"), &said) != nil || json.Unmarshal([]byte(s.get("/durin/sessions/", token(web)).Body), &listed) != nil {
					return false
				}
				return len(listed) == 1 && !listed[0].Expiry.Before(said[0].Expiry)
			}
		},
		"durin sessions": func() (func() reply, func(reply) bool) {
			web := secret(durinLogin())
			return func() reply { return s.get("/durin/sessions/", token(web)) }, func(got reply) bool { return strings.Contains(got.Body, `"web"`) }
		},
		"durin end a session": func() (func() reply, func(reply) bool) {
			api := secret(s.durinLogin("alice", "api"))
			web := secret(durinLogin())
			page, _, err := s.store().List(t.Context(), tokenstore.Filter{UserKey: alice.Key, ClientID: durin.ClientID("api")}, "", 1)
			if err != nil || len(page) != 1 {
				t.Fatalf("%d tokens, %v", len(page), err)
			}
			return func() reply { return s.do("DELETE", "/durin/sessions/"+page[0].ID, token(web)) }, func(reply) bool { return !lives(api) }
		},
		"durin apiaccess, POST": func() (func() reply, func(reply) bool) {
			web := secret(durinLogin())
			return func() reply { return s.post("/durin/apiaccess/", "", token(web)) }, func(got reply) bool {
				var made issuedToken
				return json.Unmarshal([]byte(got.Body), &made) == nil && lives(made.Token)
			}
		},
		"durin apiaccess, DELETE": func() (func() reply, func(reply) bool) {
			web, api := secret(durinLogin()), secret(s.durinLogin("alice", "api"))
			return func() reply { return s.do("DELETE", "/durin/apiaccess/", token(web)) }, func(reply) bool { return !lives(api) }
		},
	}
	for _, api := range []string{"knox", "durin"} {
		login := map[string]func() reply{"knox": knoxLogin, "durin": durinLogin}[api]
		for _, path := range []string{"logout", "logoutall"} {
			operations[api+" "+path] = func() (func() reply, func(reply) bool) {
				issued := secret(login())
				return func() reply { return s.post("/"+api+"/"+path+"/", "", token(issued)) }, func(reply) bool { return !lives(issued) }
			}
		}
	}
	for name, prepare := range operations {
		for mode, at := range map[string]func(int){"fails": store.FailAt, "loses its answer": store.LoseAt} {
			for n := 1; ; n++ {
				end()
				do, proof := prepare()
				before := count()
				at(n)
				got := do()
				calls := store.Calls()
				store.FailAt(0)
				switch {
				case got.Status < 300:
					if !proof(got) {
						t.Errorf("%s, call %d %s: %d %s was answered, and is not so", name, n, mode, got.Status, got.Body)
					}
				case got.Status != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "":
					t.Errorf("%s, call %d %s: %d %s, want 503; %v", name, n, mode, got.Status, got.Body, calls)
				case mode == "fails" && count() > before:
					t.Errorf("%s, call %d %s: %d tokens, and there were %d; %v", name, n, mode, count(), before, calls)
				}
				if len(calls) < n {
					if n == 1 {
						t.Errorf("%s does not ask the store", name)
					}
					break
				}
			}
		}
	}
}
