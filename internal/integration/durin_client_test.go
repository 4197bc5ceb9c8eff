// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/durin"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/password"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// TestDurinClients is AllowSpecificClients and DisallowSpecificClients.
func TestDurinClients(t *testing.T) {
	site := func(require string) string {
		return "{{site}} {\nrest_auth {\nauthenticate token {\nkinds durin\n}\nrequire authenticated\nrequire " + require + "\n}\nrespond \"{http.auth.user.id}\"\n}"
	}
	s := serveDurin(t)
	web, cli := s.durinLogin("alice", "web").issued(t).Token, s.durinLogin("alice", "cli").issued(t).Token
	for _, row := range []struct {
		require, credentials string
		status               int
		challenge, body      string
	}{
		{"client web", "Accept: */*", 401, "Token", notAuthenticated},
		{"client web", token(web), 200, "-", "alice"},
		{"client web", token(cli), 403, "-", deniedBody},
		{"client web cli", token(cli), 200, "-", "alice"},
		{"client durin:web", token(web), 200, "-", "alice"},
		{"client We", token(web), 403, "-", deniedBody},
		{"not client web", "Accept: */*", 401, "Token", notAuthenticated},
		{"not client web", token(web), 403, "-", deniedBody},
		{"not client web", token(cli), 200, "-", "alice"},
		// Where durin's tokens alone are taken, no other passes either.
		{"client web", token("token-alice"), 401, "Token", invalidToken},
		{"not client web", token("token-alice"), 401, "Token", invalidToken},
	} {
		s.reload(site(row.require))
		s.awaitStore()
		s.get("/", row.credentials).expect(t, row.status, row.challenge, row.body)
	}
}

// TestDurinThrottle is UserClientRateThrottle: the client's own rate, else that
// of the scope user_per_client.
func TestDurinThrottle(t *testing.T) {
	s := serveDurin(t)
	s.reload(strings.Replace(durinSite("Token"), "authenticate token", "throttle user_per_client 2/day\nauthenticate token", 1))
	s.awaitStore()
	_, err := s.store().PutClient(t.Context(), tokenstore.Client{
		ID: durin.ClientID("slow"), Name: "slow", Data: durin.Encode(durin.Client{TokenTTL: time.Hour, ThrottleRate: "1/d"}),
	})
	if err != nil {
		t.Fatal(err)
	}
	web := s.durinLogin("alice", "web").issued(t).Token
	cli := s.durinLogin("alice", "cli").issued(t).Token
	slow := s.durinLogin("alice", "slow").issued(t).Token
	bobs := s.durinLogin("bob", "slow").issued(t).Token
	for _, row := range []struct {
		token string
		want  []int
	}{
		{web, []int{200, 200, 429}},
		{cli, []int{200, 200, 429}},
		{slow, []int{200, 429}},
		{bobs, []int{200, 429}},
	} {
		for i, want := range row.want {
			got := s.get("/", token(row.token))
			if got.Status != want || want == 429 && (got.Header.Get("Retry-After") == "" || !strings.HasPrefix(got.Body, `{"detail":"Request was throttled. Expected available in `)) {
				t.Errorf("request %d: %d %s, want %d", i, got.Status, got.Body, want)
			}
		}
	}
}

// TestDurinConfigured: users of the configuration have one token for each client
// too, and the same on every login.
func TestDurinConfigured(t *testing.T) {
	hash, err := password.New(password.Config{}).Hash(t.Context(), "pw")
	if err != nil {
		t.Fatal(err)
	}
	global := "{\n{{global}}\nrest_auth {\n{{store}}\nuser carol " + hash + "\n}\n}\n"
	s := serve(t, global+durinSite("Token"))
	s.awaitStore()
	_, err = s.store().PutClient(t.Context(), tokenstore.Client{
		ID: durin.ClientID("web"), Name: "web", Data: durin.Encode(durin.Client{TokenTTL: time.Hour}),
	})
	if err != nil {
		t.Fatal(err)
	}
	first := s.durinLogin("carol", "web")
	carols := first.issued(t).Token
	s.get("/", token(carols)).expect(t, 200, "-", "carol durin:web")
	if again := s.durinLogin("carol", "web"); again.Body != first.Body {
		t.Errorf("the second login was answered %s, want %s", again.Body, first.Body)
	}
	if got := s.get("/durin/sessions/", token(carols)); got.Status != 200 || !strings.Contains(got.Body, `"is_current":true`) {
		t.Errorf("sessions: %d %s", got.Status, got.Body)
	}
	s.post("/durin/logout/", "", token(carols)).matches(t, 204, "")
	s.get("/", token(carols)).expect(t, 401, "Token", invalidToken)
}

// TestDurinClient_changed: a client's new lifetime is that of the tokens that are
// issued or refreshed from then on.
func TestDurinClient_changed(t *testing.T) {
	s := serveDurin(t)
	before := s.durinLogin("alice", "web")
	web := before.issued(t)
	lasts := func(want time.Duration, expiry string) {
		t.Helper()
		ends, err := time.Parse(time.RFC3339, expiry)
		if left := time.Until(ends); err != nil || left > want || left < want-time.Minute {
			t.Errorf("the token ends in %s, want %s; %v", left, want, err)
		}
	}
	refresh := func() string {
		t.Helper()
		var answer struct{ Expiry string }
		if err := json.Unmarshal([]byte(s.post("/durin/refresh/", "", token(web.Token)).Body), &answer); err != nil {
			t.Fatal(err)
		}
		return answer.Expiry
	}
	s.admin(200, "PATCH", "clients/web", `{"token_ttl":"3h"}`)
	if got := s.durinLogin("alice", "web"); got.Body != before.Body {
		t.Errorf("the login was answered %s, and before %s", got.Body, before.Body)
	}
	lasts(3*time.Hour, *s.durinLogin("bob", "web").issued(t).Expiry)
	lasts(3*time.Hour, refresh())
	// No end comes nearer.
	s.admin(200, "PATCH", "clients/web", `{"token_ttl":"5m"}`)
	lasts(3*time.Hour, refresh())
	lasts(5*time.Minute, *s.durinLogin("root", "web").issued(t).Expiry)
}
