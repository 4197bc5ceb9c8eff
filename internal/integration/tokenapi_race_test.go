// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/durin"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/knox"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// together does something n times at once, and returns the answers.
func together(n int, do func(i int) reply) []reply {
	answers := make([]reply, n)
	var group sync.WaitGroup
	start := make(chan struct{})
	for i := range answers {
		group.Go(func() {
			<-start
			answers[i] = do(i)
		})
	}
	close(start)
	group.Wait()
	return answers
}

// TestTokenAPIs_parallelLogins: a limit is exact, and durin's users have one
// token for each client, however many log in at once.
func TestTokenAPIs_parallelLogins(t *testing.T) {
	const limit, clients = 5, 64
	s := serveDurin(t)
	for action, want := range map[string]int{"deny": limit, "evict": clients} {
		s.reload(knoxSite("Token", "authenticate basic", "token_limit_per_user 5 "+action))
		s.awaitStore()
		if _, err := s.store().Delete(t.Context(), tokenstore.Filter{Kind: tokenstore.KindKnox}); err != nil {
			t.Fatal(err)
		}
		issued, live := 0, 0
		var tokens []string
		for _, got := range together(clients, func(int) reply { return s.post("/api/auth/login/", "", basic("alice", "pw")) }) {
			if got.Status == http.StatusOK {
				issued++
				tokens = append(tokens, got.issued(t).Token)
				continue
			}
			got.matches(t, http.StatusForbidden, `\{"error":"Maximum amount of tokens allowed per user exceeded\."\}`)
		}
		for _, secret := range tokens {
			if s.get("/", token(secret)).Status == http.StatusOK {
				live++
			}
		}
		if issued != want || live != limit {
			t.Errorf("%s: %d logins of %d got a token, %d of which live; want %d, %d", action, issued, clients, live, want, limit)
		}
	}

	s.reload(durinSite("Token"))
	s.awaitStore()
	answers := together(clients, func(int) reply { return s.durinLogin("alice", "web") })
	for _, got := range answers {
		if got.Status != http.StatusOK || got.Body != answers[0].Body {
			t.Errorf("%d %s, and another was answered %s", got.Status, got.Body, answers[0].Body)
		}
	}
}

// TestTokenAPIs_endedForGood: whatever puts the end of a token off while it is
// ended, it has ended when that is answered.
func TestTokenAPIs_endedForGood(t *testing.T) {
	s := serveDurin(t)
	s.reload("{{site}} {\nrest_auth_endpoints {\nknox /knox/ {\nauthenticate basic\n}\ndurin /durin/ {\nrefresh_token_on_login\n}\n}\n" +
		"rest_auth {\nauthenticate token\n}\nrespond ok\n}")
	s.awaitStore()
	alice := s.user("alice")
	due := knox.Encode(knox.Refresh{TTL: 10 * time.Hour})
	for round := range 8 {
		// Each use of this one puts its end off.
		secret := issueDue(t, s, alice, due)
		rest := together(16, func(i int) reply {
			if i == 8 {
				return s.post("/knox/logout/", "", token(secret))
			}
			return s.get("/", token(secret))
		})
		if rest[8].Status != http.StatusNoContent {
			t.Fatalf("round %d: the logout was answered %d %s", round, rest[8].Status, rest[8].Body)
		}
		s.get("/", token(secret)).expect(t, 401, "Token", invalidToken)

		web := s.durinLogin("alice", "web").issued(t).Token
		rest = together(12, func(i int) reply {
			switch {
			case i == 6:
				return s.post("/durin/logout/", "", token(web))
			case i%2 == 0:
				return s.post("/durin/refresh/", "", token(web))
			}
			return s.durinLogin("alice", "web")
		})
		for i, got := range rest {
			if i%2 == 1 && got.Status != http.StatusOK || got.Status >= 500 {
				t.Errorf("round %d: %d %s", round, got.Status, got.Body)
			}
		}
		s.get("/", token(web)).expect(t, 401, "Token", invalidToken)
		if again := s.durinLogin("alice", "web").issued(t).Token; again == web {
			t.Errorf("round %d: a token that was logged out came back", round)
		}
	}
}

func issueDue(t *testing.T, s *server, user tokenstore.User, data []byte) string {
	t.Helper()
	secret := "due-" + tokenstore.NewCredentialID()
	err := s.store().Create(t.Context(), tokenstore.Credential{
		ID: tokenstore.NewCredentialID(), Kind: tokenstore.KindKnox, Digest: digestOf(secret), UserKey: user.Key,
		Created: time.Now().Add(-9 * time.Hour), Expires: time.Now().Add(time.Hour), Data: data,
	}, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// TestDurinClient_deletedMeanwhile: no login leaves a token of a client that was
// deleted, nor does the next client of that name inherit one.
func TestDurinClient_deletedMeanwhile(t *testing.T) {
	s := serveDurin(t)
	for round := range 8 {
		answers := together(9, func(i int) reply {
			if i == 4 {
				if err := s.store().DeleteClient(t.Context(), durin.ClientID("web")); err != nil {
					t.Errorf("round %d: %v", round, err)
				}
				return reply{}
			}
			return s.durinLogin([]string{"alice", "bob", "root"}[i%3], "web")
		})
		for _, got := range answers {
			switch got.Status {
			case 0:
			case http.StatusOK:
				s.get("/", token(got.issued(t).Token)).expect(t, 401, "Token", invalidToken)
			default:
				got.matches(t, http.StatusBadRequest, `\{"detail":"No client with that name\."\}`)
			}
		}
		_, err := s.store().PutClient(t.Context(), tokenstore.Client{
			ID: durin.ClientID("web"), Name: "web", Data: durin.Encode(durin.Client{TokenTTL: time.Hour}),
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range answers {
			if got.Status == http.StatusOK {
				s.get("/", token(got.issued(t).Token)).expect(t, 401, "Token", invalidToken)
			}
		}
	}
}
