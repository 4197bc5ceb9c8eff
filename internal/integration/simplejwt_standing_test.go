// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// serveSimpleJWT serves a site that accepts the project's tokens, with more lines
// in the block.
func serveSimpleJWT(t *testing.T, lines ...string) *server {
	t.Helper()
	return serve(t, `{
{{global}}
rest_auth {
	{{store}}
	simplejwt {
		signing_key `+projectJWTKey+`
	}
}
}
{{site}} {
	handle /public {
		rest_auth {
			authenticate simplejwt {
				`+strings.Join(lines, "\n")+`
			}
			require allow_any
		}
		respond "public {http.auth.user.id}"
	}
	handle {
		rest_auth {
			authenticate simplejwt {
				`+strings.Join(lines, "\n")+`
			}
		}
		respond "{http.auth.user.id} {http.auth.method} {http.auth.credential} {http.auth.user.claims.role}"
	}
}
`)
}

// TestSimpleJWT_revoked ends tokens by their jti: whoever was told so sees it on the
// next request, whether the token was remembered or not.
func TestSimpleJWT_revoked(t *testing.T) {
	s := serveSimpleJWT(t)
	s.djangoUsers()
	blacklisted := jwtNotValid("Token is blacklisted")
	remembered, fresh, other := projectAccess("jti", `"a"`, "role", `"cook"`), projectAccess("jti", `"b"`), projectAccess("jti", `"c"`)
	issued := projectAccess("jti", `"d"`, "iss", `"https://issuer.example"`)
	if got := s.get("/", withBearer(remembered)); got.Status != 200 || got.Body != "alice simplejwt a cook" {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	s.get("/", withBearer(other))
	s.get("/", withBearer(issued))

	s.admin(201, "POST", "revocations", `{"jti":"a"}`)
	s.get("/", withBearer(remembered)).expect(t, 401, bearerAPI, blacklisted)
	s.admin(201, "POST", "revocations", fmt.Sprintf(`{"jti":"b","until":%q}`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339)))
	s.get("/", withBearer(fresh)).expect(t, 401, bearerAPI, blacklisted)
	s.admin(201, "POST", "revocations", `{"jti":"d"}`) // of no issuer
	if got := s.get("/", withBearer(issued)); got.Status != 200 {
		t.Errorf("a token of another issuer: %d %s", got.Status, got.Body)
	}
	s.admin(201, "POST", "revocations", `{"jti":"d","issuer":"https://issuer.example"}`)
	s.get("/", withBearer(issued)).expect(t, 401, bearerAPI, blacklisted)
	if got := s.get("/", withBearer(other)); got.Status != 200 {
		t.Errorf("another token: %d %s", got.Status, got.Body)
	}

	// What came from one login ends together, and a reload changes nothing.
	session := projectAccess("jti", `"e"`, "sid", `"login:a"`)
	s.get("/", withBearer(session))
	if err := s.store().Revoke(t.Context(), "login:a", time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	s.get("/", withBearer(session)).expect(t, 401, bearerAPI, blacklisted)
	s.reload(simplejwtViews)
	s.get("/", withBearer(session)).expect(t, 401, bearerAPI, blacklisted)
	s.get("/", withBearer(remembered)).expect(t, 401, bearerAPI, blacklisted)
	if text := s.logs.text(); strings.Contains(text, remembered[strings.LastIndexByte(remembered, '.'):]) {
		t.Error("a token is in the log")
	}
}

// TestSimpleJWT_users follows changes of a user whose token is remembered.
func TestSimpleJWT_users(t *testing.T) {
	s := serveSimpleJWT(t)
	alice := s.djangoUsers()
	for name, line := range map[string]string{"imported": withBearer(projectAccess()), "by key": withBearer(projectAccess("user_id", `"`+alice.Key+`"`))} {
		if got := s.get("/", line); got.Status != 200 {
			t.Fatalf("%s: %d %s", name, got.Status, got.Body)
		}
		s.admin(200, "PATCH", "users/alice", `{"active":false}`)
		s.get("/", line).expect(t, 401, bearerAPI, jwtInactive)
		s.admin(200, "PATCH", "users/alice", `{"active":true}`)
		if got := s.get("/", line); got.Status != 200 {
			t.Errorf("%s, enabled again: %d %s", name, got.Status, got.Body)
		}
	}
	// By default access tokens do not end with the password, as in simplejwt.
	s.admin(200, "PUT", "users/alice/password", `{"password":"another one"}`)
	if got := s.get("/", withBearer(projectAccess())); got.Status != 200 {
		t.Errorf("another password: %d %s", got.Status, got.Body)
	}
	s.admin(204, "DELETE", "users/alice", "")
	s.get("/", withBearer(projectAccess())).expect(t, 401, bearerAPI, noSuchUser)
}

// TestSimpleJWT_checkRevokeToken ends tokens with the password.
func TestSimpleJWT_checkRevokeToken(t *testing.T) {
	s := serveSimpleJWT(t, "check_revoke_token")
	alice := s.djangoUsers()
	sum := md5.Sum([]byte(alice.PasswordHash))
	const changed = `{"detail":"The user's password has been changed.","code":"password_changed"}`
	djangos := projectAccess("hash_password", `"`+strings.ToUpper(hex.EncodeToString(sum[:]))+`"`)
	ours := projectAccess("hash_password", `"v1"`)
	for name, tokenText := range map[string]string{"Django's": djangos, "ours": ours} {
		if got := s.get("/", withBearer(tokenText)); got.Status != 200 {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	for name, claim := range map[string]string{"none": "-", "other": `"00"`, "null": "null", "empty": `""`, "number": "1"} {
		got := s.get("/", withBearer(projectAccess("hash_password", claim)))
		if got.Status != 401 || got.Body != changed {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	s.admin(200, "PUT", "users/alice/password", `{"password":"another one"}`)
	s.get("/", withBearer(djangos)).expect(t, 401, bearerAPI, changed)
	s.get("/", withBearer(ours)).expect(t, 401, bearerAPI, changed)
	if got := s.get("/", withBearer(projectAccess("hash_password", `"v2"`))); got.Status != 200 {
		t.Errorf("of the new password: %d %s", got.Status, got.Body)
	}
}

// TestSimpleJWT_renewedHash logs in, so that the hash that Django has made is replaced
// by one of ours: what Django has issued for the same password lives on.
func TestSimpleJWT_renewedHash(t *testing.T) {
	s := serve(t, `{{site}} {
	@login path /login
	rest_auth @login {
		authenticate basic
	}
	@other not path /login
	rest_auth @other {
		authenticate simplejwt {
			signing_key `+projectJWTKey+`
			check_revoke_token
		}
	}
	respond {http.auth.user.id}
}`)
	s.awaitStore()
	const hash = "pbkdf2_sha256$1000$c2FsdA$b8BW5Ns590FBX0rRb/cnXQEUqoa03BD2sFeoJhqVjhc=" // of pw
	alice := s.putUser(tokenstore.User{Name: "alice", Origin: "django", OriginID: "1", PasswordHash: hash, Active: true})
	sum := md5.Sum([]byte(hash))
	djangos := func(jti string) string {
		return withBearer(projectAccess("jti", `"`+jti+`"`, "hash_password", `"`+strings.ToUpper(hex.EncodeToString(sum[:]))+`"`))
	}
	if got := s.get("/", djangos("a")); got.Status != 200 {
		t.Fatalf("before the login: %d %s", got.Status, got.Body)
	}
	if got := s.get("/login", basic("alice", "pw")); got.Status != 200 {
		t.Fatalf("the login: %d %s", got.Status, got.Body)
	}
	for began := time.Now(); alice.PasswordHash == hash; time.Sleep(5 * time.Millisecond) {
		var err error
		if alice, err = s.store().User(t.Context(), alice.Key); err != nil || time.Since(began) > 30*time.Second {
			t.Fatalf("the hash is not renewed: %v", err)
		}
	}
	for _, jti := range []string{"a", "b"} {
		if got := s.get("/", djangos(jti)); got.Status != 200 {
			t.Errorf("after the login: %d %s", got.Status, got.Body)
		}
	}
	s.admin(200, "PUT", "users/alice/password", `{"password":"another one"}`)
	for _, jti := range []string{"a", "c"} {
		if got := s.get("/", djangos(jti)); got.Status != 401 {
			t.Errorf("after a change of the password: %d %s", got.Status, got.Body)
		}
	}
}

// TestSimpleJWT_inactiveAllowed is check_user_is_active off.
func TestSimpleJWT_inactiveAllowed(t *testing.T) {
	s := serveSimpleJWT(t, "check_user_is_active off")
	s.djangoUsers()
	if got := s.get("/", withBearer(projectAccess("user_id", "2"))); got.Status != 200 || !strings.HasPrefix(got.Body, "gone ") {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}

// TestSimpleJWT_refreshTokens accepts refresh tokens where a site says so, until they
// are spent.
func TestSimpleJWT_refreshTokens(t *testing.T) {
	s := serveSimpleJWT(t, "auth_token_classes refresh")
	s.djangoUsers()
	djangos := projectAccess("token_type", `"refresh"`, "jti", `"a"`)
	if got := s.get("/", withBearer(djangos)); got.Status != 200 {
		t.Errorf("Django's: %d %s", got.Status, got.Body)
	}
	spent := projectAccess("token_type", `"refresh"`, "jti", `"b"`, "sid", `"login:b"`)
	s.get("/", withBearer(spent)).expect(t, 401, bearerAPI,
		`{"detail":"Given token not valid for any token type","code":"token_not_valid","messages":[{"token_class":"RefreshToken","token_type":"refresh","message":"Token is blacklisted"}]}`)
}

// TestSimpleJWT_storeDown answers 503 for what only the store can tell.
func TestSimpleJWT_storeDown(t *testing.T) {
	s := serve(t, `{
{{global}}
rest_auth {
	store test_failing `+t.Name()+`
	simplejwt {
		signing_key `+projectJWTKey+`
	}
}
}
{{site}} {
	rest_auth {
		authenticate simplejwt
	}
	respond {http.auth.user.id}
}
`)
	s.djangoUsers()
	failingMu.Lock()
	store := failingStores[t.Name()]
	failingMu.Unlock()
	unavailable := 0
	for n := 1; ; n++ {
		store.FailAt(n)
		got := s.get("/", withBearer(projectAccess("jti", fmt.Sprintf(`"%d"`, n))))
		calls := store.Count()
		store.FailAt(0)
		switch {
		case got.Status == http.StatusServiceUnavailable && got.Header.Get("Retry-After") != "":
			unavailable++
		case got.Status != 200: // the call was another one's, in the background
			t.Errorf("call %d fails: %d %s", n, got.Status, got.Body)
		}
		if calls < n {
			break
		}
	}
	if unavailable == 0 {
		t.Error("no call of the store failed")
	}
	store.Down(true)
	defer store.Down(false)
	for name, row := range map[string]viewRow{
		"good":    {lines: []string{withBearer(projectAccess("jti", `"x"`))}, status: 503},
		"garbage": {lines: []string{withBearer("garbage")}, status: 401},
		"expired": {lines: []string{withBearer(projectAccess("exp", "1"))}, status: 401},
		"none":    {status: 401},
	} {
		if got := s.get("/", row.lines...); got.Status != row.status {
			t.Errorf("%s, the store is down: %d %s, want %d", name, got.Status, got.Body, row.status)
		}
	}
}
