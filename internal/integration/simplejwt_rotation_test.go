// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const blacklisted = `{"detail":"Token is blacklisted","code":"token_not_valid"}`

// inStore is simplejwtSite with another store.
func inStore(store, site string) string {
	return "{\n{{global}}\nrest_auth {\n" + store + "\n}\n}\n" + site
}

// TestSimpleJWTRotation refreshes one token fifty times at once: all get the same
// pair, and the store has one successor.
func TestSimpleJWTRotation(t *testing.T) {
	for name, store := range map[string]string{"sqlite": "{{store}}", "memory": "store memory"} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, inStore(store, projectSite("rotate_refresh_tokens")))
			s.seed()
			first := s.obtain("alice")
			replies := make([]reply, 50)
			var group sync.WaitGroup
			for i := range replies {
				group.Go(func() { replies[i] = s.refreshWith(first.Refresh) })
			}
			group.Wait()
			second := replies[0].pair(t)
			for _, got := range replies {
				if got.Status != 200 || got.Body != replies[0].Body {
					t.Fatalf("%d %s, and another %s", got.Status, got.Body, replies[0].Body)
				}
			}
			replies[0].matches(t, 200, `\{"access":"[^"]+","refresh":"[^"]+"\}`)
			if before, after := namesOf(t, first.Refresh), namesOf(t, second.Refresh); !slices.Equal(before, after) {
				t.Errorf("claims %v after %v", after, before)
			}
			before, after := claimsOf(t, first.Refresh), claimsOf(t, second.Refresh)
			if before["jti"] == after["jti"] || before["sid"] != after["sid"] {
				t.Errorf("%v after %v", after, before)
			}
			if live := s.records(tokenstore.Filter{Kind: tokenstore.KindRefresh}); len(live) != 1 {
				t.Errorf("%d refresh tokens live, want 1", len(live))
			}
			s.post("/api/token/verify/", `{"token":"`+first.Refresh+`"}`).expect(t, 400, "-", `{"non_field_errors":["Token is blacklisted"]}`)
			s.post("/api/token/verify/", `{"token":"`+second.Access+`"}`).expect(t, 200, "-", `{}`)
			third := s.refreshWith(second.Refresh).pair(t)
			// Whoever has the token that was rotated before logs the family out.
			s.post("/api/token/blacklist/", `{"refresh":"`+first.Refresh+`"}`).expect(t, 401, jwtBearer, blacklisted)
			for _, token := range []string{first.Refresh, second.Refresh, third.Refresh} {
				s.refreshWith(token).expect(t, 401, jwtBearer, blacklisted)
			}
		})
	}
}

// TestSimpleJWTReuse uses a token again after the grace: its login is over, and the
// access tokens that came from it are, too.
func TestSimpleJWTReuse(t *testing.T) {
	s := serve(t, projectSite("rotate_refresh_tokens"))
	s.seed()
	other, first := s.obtain("alice"), s.obtain("alice")
	second := s.refreshWith(first.Refresh).pair(t)
	// The grace is over: the store is asked as of eleven seconds later.
	_, _, err := s.store().Rotate(t.Context(), jwtDigest(first.Refresh), nil, nil, time.Now().Add(11*time.Second), 10*time.Second)
	if err == nil {
		t.Fatal("the reuse was not noticed")
	}
	s.refreshWith(first.Refresh).expect(t, 401, jwtBearer, blacklisted)
	s.refreshWith(second.Refresh).expect(t, 401, jwtBearer, blacklisted)
	for _, token := range []string{first.Access, second.Access, second.Refresh} {
		s.post("/api/token/verify/", `{"token":"`+token+`"}`).expect(t, 400, "-", `{"non_field_errors":["Token is blacklisted"]}`)
	}
	s.refreshWith(other.Refresh).pair(t)
	s.logs.await("refresh token reused", 1)
}

// TestSimpleJWT_clocksApart has a retry arrive at a node whose clock is ahead, by no more
// than the leeway.
func TestSimpleJWT_clocksApart(t *testing.T) {
	s := serve(t, projectSite("rotate_refresh_tokens", "leeway 30s"))
	s.seed()
	first := s.obtain("alice")
	s.refreshWith(first.Refresh).pair(t)
	ahead := time.Now().Add(30 * time.Second)
	if _, won, err := s.store().Rotate(t.Context(), jwtDigest(first.Refresh), nil, nil, ahead, 0); won || err != nil {
		t.Errorf("the retry is answered %v, %t", err, won)
	}
}

// TestSimpleJWTRotationKept is simplejwt's own way without its blacklist: the old
// token stays.
func TestSimpleJWTRotationKept(t *testing.T) {
	s := serve(t, projectSite("rotate_refresh_tokens on", "blacklist_after_rotation off"))
	s.seed()
	first := s.obtain("alice")
	second := s.refreshWith(first.Refresh).pair(t)
	third := s.refreshWith(first.Refresh).pair(t)
	if second.Refresh == third.Refresh || second.Refresh == "" {
		t.Errorf("%q after %q", third.Refresh, second.Refresh)
	}
	s.refreshWith(third.Refresh).pair(t)
	s.post("/api/token/blacklist/", `{"refresh":"`+second.Refresh+`"}`).expect(t, 200, "-", `{}`)
	s.refreshWith(first.Refresh).expect(t, 401, jwtBearer, blacklisted)
}

// TestSimpleJWTEnds is what ends a refresh token by itself, and what the answer is.
func TestSimpleJWTEnds(t *testing.T) {
	for _, rotate := range []string{"on", "off"} {
		t.Run("rotate "+rotate, func(t *testing.T) {
			s := serve(t, projectSite("rotate_refresh_tokens "+rotate))
			s.seed()
			pair := s.obtain("alice")
			alice, err := s.store().UserByName(t.Context(), "alice")
			if err != nil {
				t.Fatal(err)
			}
			alice.Permissions, alice.Active = nil, false
			alice = s.putUser(alice)
			s.refreshWith(pair.Refresh).expect(t, 401, jwtBearer, noAccount)
			s.post("/api/token/verify/", `{"token":"`+pair.Refresh+`"}`).expect(t, 200, "-", `{}`)
			alice.Active = true
			s.putUser(alice)
			s.refreshWith(pair.Refresh).pair(t)

			pair = s.obtain("alice")
			alice, _ = s.store().UserByName(t.Context(), "alice")
			alice.Permissions, alice.PasswordHash = nil, "!changed"
			s.putUser(alice)
			s.refreshWith(pair.Refresh).expect(t, 401, jwtBearer, blacklisted)

			pair = s.obtain("bob")
			bob, err := s.store().UserByName(t.Context(), "bob")
			if err != nil {
				t.Fatal(err)
			}
			listed := s.records(tokenstore.Filter{Kind: tokenstore.KindRefresh, UserKey: bob.Key})
			if len(listed) != 1 || listed[0].Family != claimsOf(t, pair.Access)["sid"] || listed[0].Expires.IsZero() {
				t.Fatalf("the store has %+v", listed)
			}
			if _, err := s.store().Delete(t.Context(), tokenstore.Filter{ID: listed[0].ID}); err != nil {
				t.Fatal(err)
			}
			s.refreshWith(pair.Refresh).expect(t, 401, jwtBearer, blacklisted)

			pair = s.obtain("bob")
			if err := s.store().DeleteUser(t.Context(), bob.Key); err != nil {
				t.Fatal(err)
			}
			s.refreshWith(pair.Refresh).expect(t, 401, jwtBearer, noAccount)
		})
	}
}

// records returns all that the store has and the filter selects.
func (s *server) records(filter tokenstore.Filter) []tokenstore.Credential {
	s.t.Helper()
	page, _, err := s.store().List(s.t.Context(), filter, "", 1000)
	if err != nil {
		s.t.Fatal(err)
	}
	return page
}

// jwtDigest is what the store finds a token by.
func jwtDigest(token string) []byte { return digestOf(token[:strings.LastIndexByte(token, '.')]) }
