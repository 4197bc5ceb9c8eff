// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/idptest"
)

// TestJWT_createOff has several issuers, of which one may not bring new users.
func TestJWT_createOff(t *testing.T) {
	one, two := idptest.New(t), idptest.New(t)
	s := serve(t, whoamiSite("authenticate jwt {\nissuer "+one.Issuer()+" {\ncreate off\n}\nissuer "+two.Issuer()+"\n"+
		"audience api\nlink subject\ncreate on\n"+local+"}"))
	s.awaitStore()
	for idp, want := range map[*idptest.Server]int{one: 401, two: 200} {
		if got := s.get("/", bearerToken(idp.Sign(map[string]any{"sub": "new", "aud": "api"}))); got.Status != want {
			t.Errorf("%d %q, want %d", got.Status, got.Body, want)
		}
	}
}

// TestJWT_newcomers has one new person come with many tokens at once, and two who
// would be called alike.
func TestJWT_newcomers(t *testing.T) {
	idp := idptest.New(t)
	s := serve(t, jwtSite(idp, "link subject", "create on", "user_claim login"))
	s.awaitStore()
	sign := func(sub, login string, n int) string {
		return bearerToken(idp.Sign(map[string]any{"sub": sub, "login": login, "aud": "api", "jti": fmt.Sprint(sub, n)}))
	}
	var group sync.WaitGroup
	var lock sync.Mutex
	bodies, rivals := map[string]int{}, map[int]int{}
	for n := range 8 {
		group.Go(func() {
			got := s.get("/", sign("n1", "newcomer", n))
			rival := s.get("/", sign(fmt.Sprint("rival", n), "wanted", n))
			lock.Lock()
			defer lock.Unlock()
			bodies[got.Body]++
			rivals[rival.Status]++
		})
	}
	group.Wait()
	if len(bodies) != 1 || rivals[200] != 1 || rivals[401] != 7 {
		t.Errorf("one person is %v; those of one name are answered %v", bodies, rivals)
	}

	// Whoever is called otherwise here keeps the account, and the name is free.
	user, err := s.store().UserByOrigin(t.Context(), idp.Issuer(), "n1")
	if err != nil {
		t.Fatal(err)
	}
	user.Name = "renamed"
	s.putUser(user)
	for n := range 2 {
		if got := s.get("/", sign("n1", "newcomer", n)); !strings.HasPrefix(got.Body, "renamed|"+user.Key+"|") {
			t.Errorf("renamed: %d %q", got.Status, got.Body)
		}
	}
	if got := s.get("/", sign("n2", "newcomer", 0)); got.Status != 200 || strings.Contains(got.Body, user.Key) {
		t.Errorf("the next of the name: %d %q", got.Status, got.Body)
	}
}

// TestJWT_names has names that are not what they look like.
func TestJWT_names(t *testing.T) {
	idp := idptest.New(t)
	sign := func(claims map[string]any) string {
		claims["aud"], claims["sub"] = "api", "x"
		return bearerToken(idp.Sign(claims))
	}
	s := serve(t, jwtSite(idp, "link login"))
	s.seed()
	if got := s.get("/", sign(map[string]any{"login": "root"})); !strings.HasPrefix(got.Body, "root|store:") {
		t.Errorf("%d %q", got.Status, got.Body)
	}
	for _, login := range []string{"ｒoot", "ⓡoot", "ROOT", "root\u200b"} {
		s.get("/", sign(map[string]any{"login": login})).expect(t, 401, bearerPlain+`, error="invalid_token", error_description="User inactive or deleted."`, "*")
	}
	s.reload(jwtSite(idp, "user_claim email"))
	for verified, want := range map[any]int{true: 200, "true": 200, false: 401, "false": 401, 0: 401, nil: 200} {
		if got := s.get("/", sign(map[string]any{"email": "boss@example.com", "email_verified": verified})); got.Status != want {
			t.Errorf("an address that is verified: %v: %d %q, want %d", verified, got.Status, got.Body, want)
		}
	}
}

// TestJWT_prefixes has another source's user choose a name that begins as those of
// one of several issuers do.
func TestJWT_prefixes(t *testing.T) {
	one, two, third := idptest.New(t), idptest.New(t), idptest.New(t)
	several := "authenticate jwt {\nissuer " + one.Issuer() + " {\nuser_prefix one:\n}\nissuer " + two.Issuer() + " {\nuser_prefix two:\n}\naudience api\n" + local + "}\n"
	other := "authenticate jwt {\nissuer " + third.Issuer() + "\naudience api\nuser_prefix off\n" + local + "}\n"
	for _, site := range []string{several + other, other + several} {
		s := serve(t, whoamiSite(site))
		for sub, want := range map[string]int{"one:root": 401, "two:": 401, "three:root": 200} {
			line := bearerToken(third.Sign(map[string]any{"sub": sub, "aud": "api"}))
			for range 2 { // the second time from memory
				if got := s.get("/", line); got.Status != want {
					t.Errorf("%s: %d %q, want %d", sub, got.Status, got.Body, want)
				}
			}
		}
		if got := s.get("/", bearerToken(one.Sign(map[string]any{"sub": "root", "aud": "api"}))); !strings.HasPrefix(got.Body, "one:root|") {
			t.Errorf("%d %q", got.Status, got.Body)
		}
	}
}
