// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const authtokenSite = `{
	{{global}}
	rest_auth {
		{{store}}
		login_throttle off
		authenticate token Bearer
		user carol $2a$04$aATN97WGhSalWaxlqCSdiOnARtqeKhOj6oTcXdHmnkYn8mc3/0eTa
	}
}
{{site}} {
	rest_auth_endpoints {
		authtoken /api-token-auth/
		whoami /me/ {
			authenticate token
			authenticate basic
		}
		whoami    /anybody/ {
			authenticate token
			require      allow_any
		}
		whoami    /site/
	}
}`

var tokenAnswer = regexp.MustCompile(`^\{"token":"([0-9a-f]{40})"\}$`)

// check compares an answer with the row's, and returns the token in it.
func (row authtokenRow) check(t *testing.T, got reply) (key string) {
	t.Helper()
	switch match := tokenAnswer.FindStringSubmatch(got.Body); {
	case got.Status != row.status:
		t.Errorf("%d %s, want %d", got.Status, got.Body, row.status)
	case row.answer == hexToken:
		if match == nil {
			t.Fatalf("no token: %s", got.Body)
		}
		key = match[1]
	case row.answer != "*" && got.Body != row.answer:
		t.Errorf("%s, want %s", got.Body, row.answer)
	}
	if challenge := got.Header.Get("WWW-Authenticate"); challenge != "" {
		t.Errorf("WWW-Authenticate %q", challenge)
	}
	if allow := got.Header.Get("Allow"); allow != "POST, OPTIONS" {
		t.Errorf("Allow %q", allow)
	}
	if kind := got.Header.Get("Content-Type"); kind != "application/json" {
		t.Errorf("Content-Type %q", kind)
	}
	return key
}

func TestAuthtokenRows(t *testing.T) {
	s := serve(t, authtokenSite)
	s.seed()
	alice, err := s.store().UserByName(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	s.putSession(alice, aliceKey)
	address := strings.TrimPrefix(s.URL, "http://")
	first := ""
	for name, row := range authtokenRows {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			got := over(t, "tcp", address, row.request())
			if key := row.check(t, got); key != "" && first != "" && key != first {
				t.Error("another token than before")
			} else if key != "" {
				first = key
			}
			if got.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("Cache-Control %q", got.Header["Cache-Control"])
			}
			t.Log(time.Since(began))
		})
	}
	s.get("/me/", token(first)).expect(t, 200, "-", "*")
}

// TestAuthtokenRows_django sends every row to Django REST framework. Where it
// answers otherwise, the row says so.
func TestAuthtokenRows_django(t *testing.T) {
	socket, versions := djangoApp(t, "authtoken", "KEY="+aliceKey)
	differ := 0
	for name, row := range authtokenRows {
		t.Run(name, func(t *testing.T) {
			got := over(t, "unix", socket, row.request())
			if row.django == 0 {
				row.check(t, got)
				return
			}
			differ++
			if got.Status != row.django || got.Body == row.answer {
				t.Errorf("%d %s, want %d", got.Status, got.Body, row.django)
			}
		})
	}
	t.Logf("%d rows, as Django %s with REST framework %s answers them, but %d", len(authtokenRows), versions.Django, versions.RESTFramework, differ)
}

// The token stays until it is revoked, and an imported one works beside it.
func TestAuthtoken_lifecycle(t *testing.T) {
	s := serve(t, authtokenSite)
	s.seed()
	obtain := func(login string) string {
		t.Helper()
		got := s.send("POST", s.URL+"/api-token-auth", strings.NewReader(login), "Content-Type: "+jsonType)
		match := tokenAnswer.FindStringSubmatch(got.Body)
		if match == nil {
			t.Fatalf("no token: %d %s", got.Status, got.Body)
		}
		return match[1]
	}
	alice, err := s.store().UserByName(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	imported := tokenstore.Credential{
		ID: "imported", Kind: tokenstore.KindAuthtoken, Digest: digestOf("imported-key"), UserKey: alice.Key,
		Slot: "authtoken:" + alice.Key, Created: time.Now(), Origin: "django",
	}
	if err := s.store().Create(t.Context(), imported, 0, false); err != nil {
		t.Fatal(err)
	}
	first := obtain(goodLogin)
	for _, key := range []string{first, "imported-key"} {
		s.get("/me/", token(key)).expect(t, 200, "-", "*")
	}
	if again := obtain(goodLogin); again != first {
		t.Error("another token on the second call")
	}
	s.reload(authtokenSite)
	if again := obtain(goodLogin); again != first {
		t.Error("another token after a reload")
	}
	if _, err := s.store().Delete(t.Context(), tokenstore.Filter{UserKey: alice.Key, Kind: tokenstore.KindAuthtoken}); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{first, "imported-key"} {
		s.get("/me/", token(key)).expect(t, 401, "Token", invalidToken)
	}
	second := obtain(goodLogin)
	if second == first {
		t.Error("a revoked token came back")
	}
	s.get("/me/", token(second)).expect(t, 200, "-", "*")
	if carol := obtain(`{"username":"carol","password":"pw"}`); carol == second {
		t.Error("two users have one token")
	} else {
		s.get("/me/", token(carol)).expect(t, 200, "-", "*")
	}
	var wait sync.WaitGroup
	keys := make([]string, 8)
	for i := range keys {
		wait.Go(func() { keys[i] = obtain(`{"username":"bob","password":"pw"}`) })
	}
	wait.Wait()
	for _, key := range keys {
		if key != keys[0] {
			t.Error("two calls at once got two tokens")
		}
	}
}

// Guesses are throttled, and the answer to them is that of the throttle.
func TestAuthtoken_guessing(t *testing.T) {
	s := serve(t, strings.Replace(authtokenSite, "login_throttle off", "", 1))
	s.seed()
	for range 100 {
		got := s.send("POST", s.URL+"/api-token-auth/", strings.NewReader(`{"username":"alice","password":"bad"}`), "Content-Type: "+jsonType)
		if got.Status == 429 {
			if got.Header.Get("Retry-After") == "" || !strings.HasPrefix(got.Body, `{"detail":"`) {
				t.Errorf("answered %v %s", got.Header, got.Body)
			}
			return
		}
		if got.Status != 400 || got.Body != badLogin {
			t.Fatalf("answered %d %s", got.Status, got.Body)
		}
	}
	t.Error("a hundred guesses were answered")
}

func TestAuthtoken_autoCreate(t *testing.T) {
	site := strings.Replace(authtokenSite, "authtoken /api-token-auth/", "authtoken /api-token-auth/ {\nauto_create\n}", 1)
	s := serve(t, site)
	s.seed()
	alice, err := s.store().UserByName(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	filter := tokenstore.Filter{UserKey: alice.Key, Kind: tokenstore.KindAuthtoken}
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		page, _, err := s.store().List(t.Context(), filter, "", 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 1 {
			break
		}
		if len(page) > 1 || time.Since(began) > 20*time.Second {
			t.Fatalf("%d tokens", len(page))
		}
	}
	if n, err := s.store().Delete(t.Context(), filter); n != 1 || err != nil {
		t.Fatalf("revoking: %d, %v", n, err)
	}
	// Another user's is made after the first one's was revoked.
	dave := s.putUser(tokenstore.User{Name: "dave", Active: true})
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		page, _, err := s.store().List(t.Context(), tokenstore.Filter{UserKey: dave.Key}, "", 10)
		if err != nil || time.Since(began) > 20*time.Second {
			t.Fatalf("%d tokens, %v", len(page), err)
		}
		if len(page) == 1 {
			break
		}
	}
	if page, _, err := s.store().List(t.Context(), filter, "", 10); len(page) != 0 || err != nil {
		t.Errorf("a revoked token came back: %v, %v", page, err)
	}
}

func TestWhoami(t *testing.T) {
	s := serve(t, authtokenSite)
	s.seed()
	alice := `"user":{"username":"alice","full_name":"Alice Liddell","email":"alice@example.com","is_staff":false,"is_superuser":false,"groups":["editors","readers"],"permissions":[]}`
	for name, row := range map[string]struct {
		path, line string
		status     int
		challenge  string
		body       string
	}{
		"token":                    {"/me/", token("token-alice"), 200, "-", `{"authenticated":true,` + alice + `,"method":"token","credential":"id-token-alice","client":null,"scopes":[],"expires":null}`},
		"no slash":                 {"/me", token("token-alice"), 200, "-", "*"},
		"password":                 {"/me/", basic("alice", "pw"), 200, "-", `{"authenticated":true,` + alice + `,"method":"basic","credential":null,"client":null,"scopes":[],"expires":null}`},
		"nobody":                   {"/me/", "X: y", 401, "Token", notAuthenticated},
		"bad token":                {"/me/", token("bad"), 401, "Token", invalidToken},
		"nobody, and anybody may":  {"/anybody/", "X: y", 200, "-", `{"authenticated":false,"user":null,"method":null,"credential":null,"client":null,"scopes":[],"expires":null}`},
		"as the site says":         {"/site/", "Authorization: Bearer token-alice", 200, "-", "*"},
		"as the site does not say": {"/site/", token("token-alice"), 401, "Bearer", notAuthenticated},
		"bad, and anybody may":     {"/anybody/", token("bad"), 401, "Token", invalidToken},
		"somebody, and anyone may": {"/anybody/", token("token-alice"), 200, "-", "*"},
	} {
		t.Run(name, func(t *testing.T) { s.get(row.path, row.line).expect(t, row.status, row.challenge, row.body) })
	}
	if got := s.do("POST", "/me/", token("token-alice")); got.Status != 405 || got.Header.Get("Allow") != "GET, HEAD, OPTIONS" {
		t.Errorf("POST: %d, Allow %q", got.Status, got.Header["Allow"])
	}
	bob, err := s.store().UserByName(t.Context(), "bob")
	if err != nil {
		t.Fatal(err)
	}
	limited := tokenstore.Credential{
		ID: "limited", Kind: tokenstore.KindToken, Digest: digestOf("limited"), UserKey: bob.Key, Scopes: []string{"orders.read"},
		Created: time.Now(), Expires: time.Date(2100, 1, 2, 3, 4, 5, 600000000, time.UTC),
	}
	if err := s.store().Create(t.Context(), limited, 0, false); err != nil {
		t.Fatal(err)
	}
	got := s.get("/me/", token("limited"))
	if want := `"client":null,"scopes":["orders.read"],"expires":"2100-01-02T03:04:05.600000Z"}`; !strings.HasSuffix(got.Body, want) {
		t.Errorf("%s, want %s", got.Body, want)
	}
}
