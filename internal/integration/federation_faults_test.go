// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/idptest"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/storetest"
)

// eachCallFails lets each call of the store in turn fail, or lose its answer, while
// something is done: anew each time, so that nothing is remembered.
func eachCallFails(t *testing.T, store *storetest.FailingStore, do func(t *testing.T, n int) int) {
	t.Helper()
	serial := 0
	for mode, arm := range map[string]func(int){"fail": store.FailAt, "lose": store.LoseAt} {
		t.Run(mode, func(t *testing.T) {
			for n := 1; n < 50; n++ {
				serial++
				arm(n)
				status := do(t, serial)
				calls := store.Calls()
				store.FailAt(0)
				if len(calls) < n {
					if n == 1 {
						t.Error("the store is not asked: nothing was tested")
					}
					return
				}
				if !slices.Contains(afterwards, calls[n-1]) && status != 503 {
					t.Errorf("call %d (%s): answered %d, want 503", n, calls[n-1], status)
				}
			}
			t.Error("it does not end to ask the store")
		})
	}
}

// TestJWT_storeFails lets a good token of an unknown person meet a store that fails
// at each of its steps: nobody gets in by it, and no good token is called bad.
func TestJWT_storeFails(t *testing.T) {
	p := idptest.New(t)
	s, store := serveFailing(t, "authenticate jwt {\nissuer "+p.Issuer()+"\naudience api\nallow_http\nallow_internal loopback\nlink subject\ncreate\nuser_claim name\n}")
	sign := func(n int) string {
		return "Authorization: Bearer " + p.Sign(map[string]any{"aud": "api", "sub": fmt.Sprint(n), "name": fmt.Sprint("person", n), "jti": fmt.Sprint(n)})
	}
	// A revocation makes the list of them be asked for each token from now on.
	if got := s.send("POST", "http://"+s.Admin+"/rest_auth/revocations", strings.NewReader(`{"issuer":"`+p.Issuer()+`","jti":"other"}`), "Content-Type: application/json"); got.Status >= 300 {
		t.Fatalf("revoking: %d %s", got.Status, got.Body)
	}
	if got := s.get("/", sign(1000)); got.Status != 200 {
		t.Fatalf("without a fault: %d %s", got.Status, got.Body)
	}
	eachCallFails(t, store, func(t *testing.T, n int) int {
		before := s.echo.hits.Load()
		got := s.get("/", sign(n))
		if reached := s.echo.hits.Load() > before; reached != (got.Status == 200) {
			t.Errorf("answered %d, and the upstream was reached: %t", got.Status, reached)
		}
		return got.Status
	})
}

// TestOIDC_storeFails lets a login at a provider end at a store that fails at each
// of its steps: no session comes of it, and the page says that it may be tried again.
func TestOIDC_storeFails(t *testing.T) {
	p := newIDP(t)
	name := t.Name()
	s := serve(t, "{\n{{global}}\nrest_auth {\nstore test_failing "+name+"\n}\n}\n"+strings.Replace(oidcSite, "%s", providerLines("corp", p, ""), 1))
	s.awaitStore()
	failingMu.Lock()
	store := failingStores[name]
	failingMu.Unlock()
	eachCallFails(t, store, func(t *testing.T, n int) int {
		p.claims["sub"], p.claims["preferred_username"] = fmt.Sprint("s", n), fmt.Sprint("person", n)
		v := s.visit()
		got := v.callback("corp", p.consent(v.loginAt("/auth/login/?next=/wiki")))
		if got.Status != 303 && v.cookie("sessionid") != "" {
			t.Errorf("answered %d, and a session is there", got.Status)
		}
		return got.Status
	})
}
