// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// TestTokensTutorial runs the lines of docs/endpoints/tokens.md.
func TestTokensTutorial(t *testing.T) { runTutorial(t, "tokens") }

const tokensSite = `{
	{{global}}
	rest_auth {
		{{store}}
		user carol HASH
	}
}
{{site}} {
	rest_auth_endpoints {
		origin https://api.example.com
		tokens /tokens/ {
			scopes orders.read orders.write
			limit_per_user 5
		}
		tokens /bounded/ {
			prefix acme_
			max_ttl 24h
			default_ttl 1h
			grace 0
		}
		tokens /by-token/ {
			scopes orders.read orders.write
			authenticate token
		}
	}
	rest_auth {
		authenticate token
		require authenticated
	}
	respond "{http.auth.user.id} {http.auth.user.scopes}"
}
`

func serveTokens(t *testing.T) *server {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte("pw"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, strings.Replace(tokensSite, "HASH", string(hash), 1))
}

// issued is the answer that makes a token.
type issued struct {
	Token, Handle, Label string
	Scopes               []string
	Created              time.Time
	Expires, LastUsed    *time.Time
	Current              bool
	Previous             *issued
}

func (s *server) createToken(path, body string, lines ...string) (issued, reply) {
	s.t.Helper()
	got := s.send(http.MethodPost, s.URL+path, strings.NewReader(body), append(lines, ofJSON)...)
	var made issued
	if got.Status == http.StatusCreated {
		if err := json.Unmarshal([]byte(got.Body), &made); err != nil {
			s.t.Fatalf("%s: %v", got.Body, err)
		}
	}
	return made, got
}

func TestTokens(t *testing.T) {
	s := serveTokens(t)
	s.seed()
	made, got := s.createToken("/tokens/", `{"label":" deploy ","scopes":["orders.write","orders.read","orders.read"],"expires":"2999-01-01T00:00:00Z"}`, basic("alice", "pw"))
	if got.Status != 201 {
		t.Fatalf("creating: %d %s", got.Status, got.Body)
	}
	if !regexp.MustCompile(`^cra_[0-9A-Za-z]{36}$`).MatchString(made.Token) || made.Label != "deploy" ||
		strings.Join(made.Scopes, " ") != "orders.read orders.write" || made.Expires == nil || made.LastUsed != nil || made.Current {
		t.Errorf("created: %s", got.Body)
	}
	if want := "https://api.example.com/tokens/" + made.Handle + "/"; got.Header.Get("Location") != want {
		t.Errorf("Location = %q, want %q", got.Header.Get("Location"), want)
	}
	use := func(secret string) reply { return s.get("/", token(secret)) }
	if used := use(made.Token); used.Status != 200 || used.Body != "alice orders.read,orders.write" {
		t.Errorf("using it: %d %s", used.Status, used.Body)
	}

	// alice has token-alice of the seed too.
	list := s.get("/tokens/", basic("alice", "pw"))
	if list.Status != 200 || strings.Count(list.Body, `"handle"`) != 2 || !strings.HasPrefix(list.Body, `{"next":null,"results":[`) {
		t.Errorf("listing: %d %s", list.Status, list.Body)
	}
	if strings.Contains(list.Body, made.Token) || strings.Contains(list.Body, `"token"`) {
		t.Errorf("the list shows a secret: %s", list.Body)
	}
	first := s.get("/tokens/?limit=1", basic("alice", "pw"))
	var page struct{ Next string }
	if err := json.Unmarshal([]byte(first.Body), &page); err != nil || !strings.HasPrefix(page.Next, "https://api.example.com/tokens/?cursor=") {
		t.Fatalf("first page: %s", first.Body)
	}
	second := s.get(strings.TrimPrefix(page.Next, "https://api.example.com"), basic("alice", "pw"))
	if strings.Count(first.Body+second.Body, `"handle"`) != 2 || !strings.Contains(first.Body+second.Body, made.Handle) {
		t.Errorf("pages: %s %s", first.Body, second.Body)
	}

	one := "/tokens/" + made.Handle + "/"
	if shown := s.get(one, basic("alice", "pw")); shown.Status != 200 || !strings.Contains(shown.Body, made.Handle) {
		t.Errorf("showing: %d %s", shown.Status, shown.Body)
	}
	for _, method := range []string{"GET", "DELETE"} {
		if other := s.do(method, one, basic("bob", "pw")); other.Status != 404 || other.Body != `{"detail":"Not found."}` {
			t.Errorf("%s by another user: %d %s", method, other.Status, other.Body)
		}
	}
	if other := s.do("POST", one+"rotate/", basic("bob", "pw"), ofJSON); other.Status != 400 && other.Status != 404 {
		t.Errorf("rotating another user's: %d %s", other.Status, other.Body)
	}

	next, got := s.createToken(one+"rotate/", `{}`, basic("alice", "pw"))
	if got.Status != 201 || next.Previous == nil || next.Previous.Handle != made.Handle || next.Handle == made.Handle ||
		next.Label != "deploy" || !next.Expires.Equal(*made.Expires) {
		t.Fatalf("rotating: %d %s", got.Status, got.Body)
	}
	if until := time.Until(*next.Previous.Expires); until < 23*time.Hour || until > 24*time.Hour {
		t.Errorf("the old one is accepted for %s, want 24h", until)
	}
	if a, b := use(made.Token), use(next.Token); a.Status != 200 || b.Status != 200 {
		t.Errorf("within the grace: old %d, new %d", a.Status, b.Status)
	}
	last, got := s.createToken("/tokens/"+next.Handle+"/rotate/", `{"grace":0}`, basic("alice", "pw"))
	if got.Status != 201 || last.Previous != nil {
		t.Fatalf("rotating without grace: %d %s", got.Status, got.Body)
	}
	if a, b := use(next.Token), use(last.Token); a.Status != 401 || b.Status != 200 {
		t.Errorf("without a grace: old %d, new %d", a.Status, b.Status)
	}

	if gone := s.do("DELETE", "/tokens/"+last.Handle+"/", basic("alice", "pw")); gone.Status != 204 || gone.Body != "" {
		t.Errorf("revoking: %d %s", gone.Status, gone.Body)
	}
	if after := use(last.Token); after.Status != 401 {
		t.Errorf("after it was revoked: %d", after.Status)
	}
	if again := s.do("DELETE", "/tokens/"+last.Handle+"/", basic("alice", "pw")); again.Status != 404 {
		t.Errorf("revoking again: %d", again.Status)
	}
	if gone := s.do("DELETE", "/tokens/", basic("alice", "pw")); gone.Status != 204 {
		t.Errorf("revoking all: %d %s", gone.Status, gone.Body)
	}
	if a, b := use(made.Token), use("token-alice"); a.Status != 401 || b.Status != 401 {
		t.Errorf("after all were revoked: %d, %d", a.Status, b.Status)
	}
	if bob := use("token-bob"); bob.Status != 200 {
		t.Errorf("another user's token: %d", bob.Status)
	}
}

// Everything odd has an answer that says what is wrong.
func TestTokens_invalid(t *testing.T) {
	s := serveTokens(t)
	s.seed()
	for _, test := range []struct {
		name, path, body string
		status           int
		answer           string
	}{
		{"unknown scope", "/tokens/", `{"scopes":["admin"]}`, 400, `{"scopes":["You cannot grant one of these scopes."]}`},
		{"scopes as text", "/tokens/", `{"scopes":"orders.read"}`, 400, `{"scopes":["Expected a list of items but got type \"str\"."]}`},
		{"the first moment", "/tokens/", `{"expires":"0001-01-01T00:00:00Z"}`, 400, `{"expires":["Ensure this value is in the future."]}`},
		{"after the last year", "/tokens/", `{"expires":"9999-12-31T23:59:59-01:00"}`, 400, `{"expires":["Datetime value out of range."]}`},
		{"past", "/tokens/", `{"expires":"2001-01-01T00:00:00Z"}`, 400, `{"expires":["Ensure this value is in the future."]}`},
		{"no date", "/tokens/", `{"expires":"soon"}`, 400, `{"expires":["Datetime has wrong format.`},
		{"long label", "/tokens/", `{"label":"` + strings.Repeat("x", 201) + `"}`, 400, `{"label":["Ensure this field has no more than 200 characters."]}`},
		{"control character", "/tokens/", `{"label":"a\u0007b"}`, 400, `{"label":["Control characters are not allowed."]}`},
		{"NUL", "/tokens/", `{"label":"a\u0000b"}`, 400, `{"label":["Null characters are not allowed."]}`},
		{"two at once", "/tokens/", `{"label":[],"expires":1}`, 400, `{"label":["Not a valid string."],"expires":[`},
		{"no JSON", "/tokens/", `{`, 400, `{"detail":"JSON parse error - `},
		{"too long", "/bounded/", `{"expires":"2999-01-01T00:00:00Z"}`, 400, `{"expires":["Ensure this value is not after `},
		{"for ever", "/bounded/", `{"expires":null}`, 400, `{"expires":["A token has to end here."]}`},
		{"no scopes to grant", "/bounded/", `{"scopes":["orders.read"]}`, 400, `{"scopes":["You cannot grant one of these scopes."]}`},
		{"no such token", "/tokens/nosuch/rotate/", `{}`, 404, `{"detail":"Not found."}`},
		{"odd handle", "/tokens/%00/rotate/", `{}`, 404, `{"detail":"Not found."}`},
		{"grace", "/tokens/nosuch/rotate/", `{"grace":-1}`, 400, `{"grace":["Ensure this value is between 0 and 2592000."]}`},
		{"huge", "/tokens/", `{"label":"` + strings.Repeat("x", 70_000) + `"}`, 413, `{"detail":`},
	} {
		if _, got := s.createToken(test.path, test.body, basic("alice", "pw")); got.Status != test.status || !strings.HasPrefix(got.Body, test.answer) {
			t.Errorf("%s: %d %s, want %d %s", test.name, got.Status, got.Body, test.status, test.answer)
		}
	}
	for _, query := range []string{"limit=0", "limit=101", "limit=x", "limit=-1", "limit=1e1", "cursor=forged", "cursor=%00%ff", "cursor=" + strings.Repeat("A", 9000)} {
		if got := s.get("/tokens/?"+query, basic("alice", "pw")); got.Status != 400 {
			t.Errorf("%.40s: %d %s", query, got.Status, got.Body)
		}
	}
}

func TestTokens_bounds(t *testing.T) {
	s := serveTokens(t)
	s.seed()
	made, got := s.createToken("/bounded/", `{}`, basic("bob", "pw"))
	if got.Status != 201 || !strings.HasPrefix(made.Token, "acme_") || made.Expires == nil ||
		time.Until(*made.Expires) > time.Hour || time.Until(*made.Expires) < 59*time.Minute {
		t.Errorf("with defaults: %d %s", got.Status, got.Body)
	}
	// token-alice of the seed is one of the five.
	var group sync.WaitGroup
	statuses := make([]int, 20)
	for i := range statuses {
		group.Go(func() {
			_, got := s.createToken("/tokens/", `{}`, basic("alice", "pw"))
			statuses[i] = got.Status
		})
	}
	group.Wait()
	counts := make(map[int]int)
	for _, status := range statuses {
		counts[status]++
	}
	if counts[201] != 4 || counts[400] != 16 {
		t.Errorf("20 at once under a limit of 5, of which one is taken: %v", counts)
	}
	_, got = s.createToken("/tokens/", `{}`, basic("alice", "pw"))
	if want := `{"non_field_errors":["You have 5 tokens, which is the most that are allowed. Revoke one first."]}`; got.Body != want {
		t.Errorf("over the limit: %s", got.Body)
	}
}

// Rotations with a grace do not pile tokens up.
func TestTokens_rotationsAreBounded(t *testing.T) {
	s := serveTokens(t)
	s.seed()
	alice := basic("alice", "pw")
	made, _ := s.createToken("/tokens/", `{}`, alice)
	var got reply
	for range 8 { // from 2 tokens to 10
		var next issued
		if next, got = s.createToken("/tokens/"+made.Handle+"/rotate/", `{}`, alice); got.Status != 201 {
			t.Fatalf("rotating: %d %s", got.Status, got.Body)
		}
		made = next
	}
	if _, got = s.createToken("/tokens/"+made.Handle+"/rotate/", `{}`, alice); got.Status != 400 || !strings.Contains(got.Body, "still accepted") {
		t.Errorf("over twice the limit: %d %s", got.Status, got.Body)
	}
	if used := s.get("/", token(made.Token)); used.Status != 200 {
		t.Errorf("the token that was not rotated: %d", used.Status)
	}
	if _, got = s.createToken("/tokens/"+made.Handle+"/rotate/", `{"grace":0}`, alice); got.Status != 201 {
		t.Errorf("without a grace: %d %s", got.Status, got.Body)
	}
}

// A page of another site cannot use the password that a browser knows.
func TestTokens_foreignScript(t *testing.T) {
	s := serveTokens(t)
	s.seed()
	alice, form := basic("alice", "pw"), "Content-Type: application/x-www-form-urlencoded"
	here := "Origin: " + s.URL
	for _, test := range []struct {
		path   string
		lines  []string
		status int
	}{
		{"/tokens/", []string{"Origin: https://evil.example"}, 403},
		{"/tokens/", []string{"Origin: null"}, 403},
		{"/tokens/revoke/", []string{"Origin: https://evil.example", "Sec-Fetch-Site: cross-site"}, 403},
		{"/tokens/", []string{here}, 201},
		{"/tokens/", []string{"Origin: https://behind-a-proxy.example", "Sec-Fetch-Site: same-origin"}, 201},
		{"/tokens/revoke/", nil, 204},
	} {
		got := s.do("POST", test.path, append(test.lines, alice, form)...)
		if got.Status != test.status || test.status == 403 && !strings.Contains(got.Body, "CSRF Failed: ") {
			t.Errorf("%s %v: %d %s, want %d", test.path, test.lines, got.Status, got.Body, test.status)
		}
	}
}

// A user of the configuration has tokens too; nobody else's can be reached.
func TestTokens_configured(t *testing.T) {
	s := serveTokens(t)
	s.seed()
	carol := basic("carol", "pw")
	made, got := s.createToken("/tokens/", `{}`, carol)
	if got.Status != 201 {
		t.Fatalf("creating: %d %s", got.Status, got.Body)
	}
	if used := s.get("/", token(made.Token)); used.Status != 200 || !strings.HasPrefix(used.Body, "carol") {
		t.Errorf("using it: %d %s", used.Status, used.Body)
	}
	s.reload(strings.Replace(tokensSite, "user carol HASH", "", 1))
	if after := s.get("/", token(made.Token)); after.Status != 401 {
		t.Errorf("after carol left the configuration: %d %s", after.Status, after.Body)
	}
}

// A token manages tokens only where the mount says so, and grants no more than
// it has.
func TestTokens_byToken(t *testing.T) {
	s := serveTokens(t)
	s.seed()
	if got := s.get("/tokens/", token("token-alice")); got.Status != 403 && got.Status != 401 {
		t.Errorf("by a token where none is accepted: %d %s", got.Status, got.Body)
	}
	narrow, got := s.createToken("/tokens/", `{"scopes":["orders.read"],"expires":"2999-01-01T00:00:00Z"}`, basic("alice", "pw"))
	if got.Status != 201 {
		t.Fatalf("creating: %s", got.Body)
	}
	wide, _ := s.createToken("/tokens/", `{"scopes":["orders.read","orders.write"]}`, basic("alice", "pw"))
	by := token(narrow.Token)
	for name, test := range map[string]struct {
		path, body string
		status     int
	}{
		"wider scope":          {"/by-token/", `{"scopes":["orders.write"]}`, 400},
		"longer life":          {"/by-token/", `{"expires":"2999-01-02T00:00:00Z"}`, 400},
		"for ever":             {"/by-token/", `{"expires":null}`, 400},
		"rotating a wider one": {"/by-token/" + wide.Handle + "/rotate/", `{}`, 403},
	} {
		if _, got := s.createToken(test.path, test.body, by); got.Status != test.status {
			t.Errorf("%s: %d %s, want %d", name, got.Status, got.Body, test.status)
		}
	}
	child, got := s.createToken("/by-token/", `{"scopes":["orders.read"]}`, by)
	if got.Status != 201 || child.Expires == nil || !child.Expires.Equal(*narrow.Expires) {
		t.Errorf("the same scope: %d %s", got.Status, got.Body)
	}
	self, got := s.createToken("/by-token/"+narrow.Handle+"/rotate/", `{}`, by)
	if got.Status != 201 || self.Previous == nil || !self.Previous.Current {
		t.Errorf("rotating itself: %d %s", got.Status, got.Body)
	}
}

// A store that fails never says that something was issued or revoked.
func TestTokens_failingStore(t *testing.T) {
	s := serve(t, `{
	{{global}}
	rest_auth {
		store test_failing TestTokens_failingStore
	}
}
{{site}} {
	rest_auth_endpoints {
		tokens /tokens/
	}
}
`)
	s.seed()
	failingMu.Lock()
	store := failingStores[t.Name()]
	failingMu.Unlock()
	alice, err := store.UserByName(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	before, _, err := store.List(t.Context(), tokenstore.Filter{UserKey: alice.Key}, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	handle := before[0].ID
	for _, test := range []struct{ method, path string }{
		{"POST", "/tokens/"},
		{"GET", "/tokens/"},
		{"DELETE", "/tokens/"},
		{"GET", "/tokens/" + handle + "/"},
		{"DELETE", "/tokens/" + handle + "/"},
		{"POST", "/tokens/" + handle + "/rotate/"},
	} {
		store.Down(true)
		got := s.send(test.method, s.URL+test.path, strings.NewReader("{}"), basic("alice", "pw"), ofJSON)
		store.Down(false)
		if got.Status != 503 || got.Header.Get("Retry-After") == "" {
			t.Errorf("%s %s: %d %s", test.method, test.path, got.Status, got.Body)
		}
	}
	count := func() int {
		t.Helper()
		page, _, err := store.List(t.Context(), tokenstore.Filter{UserKey: alice.Key}, "", 100)
		if err != nil {
			t.Fatal(err)
		}
		return len(page)
	}
	if n := count(); n != len(before) {
		t.Errorf("%d tokens, were %d", n, len(before))
	}
	// Each call in turn: what is answered is what was done.
	for _, test := range []struct {
		method, path string
		more         int
	}{{"POST", "/tokens/", 1}, {"POST", "/tokens/" + handle + "/rotate/", 1}, {"DELETE", "/tokens/", -100}} {
		for n, done := 1, false; !done; n++ {
			had := count()
			store.FailAt(n)
			got := s.send(test.method, s.URL+test.path, strings.NewReader("{}"), basic("alice", "pw"), ofJSON)
			done = got.Status < 300
			store.FailAt(0)
			if got.Status >= 300 && got.Status != 503 {
				t.Errorf("%s %s with call %d failing: %d %s", test.method, test.path, n, got.Status, got.Body)
			}
			want := had
			if done {
				want = max(0, had+test.more)
			}
			if has := count(); has != want {
				t.Errorf("%s %s with call %d failing: %d, and %d tokens of %d", test.method, test.path, n, got.Status, has, had)
			}
			if n > 50 {
				t.Fatal("it never succeeds")
			}
		}
	}
}

// The description says what sessions are called here.
func TestTokens_describesSessions(t *testing.T) {
	s := serve(t, `{
	{{global}}
	rest_auth {
		{{store}}
		session {
			cookie who
			csrf_header X-Forged-Not
		}
	}
}
{{site}} {
	rest_auth_endpoints {
		tokens /tokens/
	}
}
`)
	got := s.get("/tokens/openapi.json")
	if got.Status != 200 || !strings.Contains(got.Body, `"name":"who"`) || !strings.Contains(got.Body, `"name":"X-Forged-Not"`) {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}
