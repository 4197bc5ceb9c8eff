// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"net/http"
	"sync"
	"testing"
)

// TestSimpleJWT_endedWhileRefreshing ends a login in each way while its clients refresh
// as fast as they can: whatever they had or got meanwhile is refused from then on.
func TestSimpleJWT_endedWhileRefreshing(t *testing.T) {
	for name, row := range map[string]struct {
		end    func(s *server, first jwtPair)
		access bool // whether access tokens end, too
	}{
		"blacklist": {func(s *server, first jwtPair) {
			// It was rotated by then, so that this is its reuse; the login is over.
			s.post("/api/token/blacklist/", `{"refresh":"`+first.Refresh+`"}`)
		}, true},
		"logout of an access token": {func(s *server, first jwtPair) {
			s.post("/api/token/logout/", ``, withBearer(first.Access)).expect(s.t, 200, "-", `*`)
		}, true},
		"user disabled": {func(s *server, _ jwtPair) { s.admin(200, "PATCH", "users/alice", `{"active":false}`) }, true},
		"new password":  {func(s *server, _ jwtPair) { s.admin(200, "PUT", "users/alice/password", `{"password":"another one"}`) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			key := "signing_key `" + projectKey + "`"
			s := serve(t, `{{site}} {
	rest_auth_endpoints {
		simplejwt /api/token/ {
			`+key+`
			rotate_refresh_tokens
			logout_path logout/
		}
	}
	rest_auth /me {
		authenticate simplejwt {
			`+key+`
		}
	}
	respond {http.auth.user.id}
}`)
			s.seed()
			first := s.obtain("alice")
			var mu sync.Mutex
			got := []jwtPair{first}
			begun := make(chan struct{})
			var group sync.WaitGroup
			for i := range 4 {
				group.Go(func() {
					for n, token := 0, first.Refresh; ; n++ {
						answer := s.refreshWith(token)
						if answer.Status == http.StatusUnauthorized {
							return
						}
						pair := answer.pair(t)
						s.get("/me", withBearer(pair.Access)) // remembered
						mu.Lock()
						got = append(got, pair)
						mu.Unlock()
						if token = pair.Refresh; i == 0 && n == 3 {
							close(begun)
						}
					}
				})
			}
			<-begun
			row.end(s, first)
			group.Wait()
			for _, pair := range got {
				if got := s.refreshWith(pair.Refresh); got.Status != http.StatusUnauthorized {
					t.Errorf("a refresh token: %d %s", got.Status, got.Body)
				}
				if got := s.get("/me", withBearer(pair.Access)); row.access && got.Status != http.StatusUnauthorized {
					t.Errorf("an access token: %d %s", got.Status, got.Body)
				}
			}
		})
	}
}
