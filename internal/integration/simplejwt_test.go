// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// projectKey is a SECRET_KEY as `django-admin startproject` makes it.
const projectKey = "k3y-of-a-pr0ject!m8x#v2q@r7t$w5y^u1i&o4p*a6s(d9f)g0"

// simplejwtSite is the API of simplejwt with options of its own.
func simplejwtSite(options ...string) string {
	return "{{site}} {\nrest_auth_endpoints {\nsimplejwt /api/token/ {\n" + strings.Join(options, "\n") + "\n}\n}\n}"
}

// projectSite is simplejwtSite with the key of a project.
func projectSite(options ...string) string {
	return simplejwtSite(append([]string{"signing_key `" + projectKey + "`"}, options...)...)
}

const (
	badLoginJWT = `{"detail":"No active account found with the given credentials"}`
	noAccount   = `{"detail":"No active account found for the given token."}`
	jwtBearer   = `Bearer realm="api"`
)

// notValid is the body for what is wrong with a token.
func notValid(text string) string { return `{"detail":"` + text + `","code":"token_not_valid"}` }

// jwtPair is what an answer has of tokens.
type jwtPair struct{ Access, Refresh, Token string }

func (r reply) pair(t *testing.T) (p jwtPair) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.Body), &p); err != nil || r.Status != http.StatusOK || p.Access == "" && p.Token == "" {
		t.Fatalf("no tokens: %d %q", r.Status, r.Body)
	}
	return p
}

// obtain logs in.
func (s *server) obtain(name string) jwtPair {
	s.t.Helper()
	return s.post("/api/token/", `{"username":"`+name+`","password":"pw"}`).pair(s.t)
}

func (s *server) refreshWith(token string) reply {
	s.t.Helper()
	return s.post("/api/token/refresh/", `{"refresh":"`+token+`"}`)
}

// claimsText returns a token's payload as it is written.
func claimsText(t *testing.T, token string) string {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is not a token", token)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	return string(payload)
}

// claimsOf returns a token's claims.
func claimsOf(t *testing.T, token string) (claims map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(claimsText(t, token)), &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// namesOf returns the names of a token's claims in their order.
func namesOf(t *testing.T, token string) (names []string) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(claimsText(t, token)))
	_, _ = decoder.Token()
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name.(string))
		var value any
		if err := decoder.Decode(&value); err != nil {
			t.Fatal(err)
		}
	}
	return names
}

// asProject signs a payload as a Django project with the key does.
func asProject(t *testing.T, claims map[string]any) string {
	t.Helper()
	return signHS256(t, projectKey, claims)
}

func signHS256(t *testing.T, key string, claims map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jose.Sign(jose.SigningKey{Algorithm: "HS256", Private: []byte(key)}, jose.Header{Type: "JWT"}, payload)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// refreshClaims are those of a refresh token of a Django project, with changes;
// nil leaves a claim out.
func refreshClaims(changes map[string]any) map[string]any {
	claims := map[string]any{
		"token_type": "refresh", "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix(),
		"jti": "f0e1d2c3b4a5968778695a4b3c2d1e0f", "user_id": "7",
	}
	for name, value := range changes {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	return claims
}

// putImported adds a user who was imported from Django.
func (s *server) putImported(name, id string) tokenstore.User {
	s.t.Helper()
	return s.putUser(tokenstore.User{Name: name, Origin: "django", OriginID: id, Active: true, PasswordHash: "!"})
}

// TestSimpleJWT is each row of simplejwt's token views with its default settings.
func TestSimpleJWT(t *testing.T) {
	s := serve(t, projectSite())
	s.seed()

	login := s.post("/api/token/", `{"username":"alice","password":"pw"}`, "Authorization: Bearer broken")
	login.matches(t, 200, `\{"refresh":"[\w-]+\.[\w-]+\.[\w-]+","access":"[\w-]+\.[\w-]+\.[\w-]+"\}`)
	pair := login.pair(t)
	if header, _, _ := strings.Cut(pair.Access, "."); header != base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) {
		t.Errorf("header %s", header)
	}
	for token, want := range map[string]time.Duration{pair.Access: 5 * time.Minute, pair.Refresh: 24 * time.Hour} {
		if got := namesOf(t, token); !slices.Equal(got, []string{"token_type", "exp", "iat", "jti", "user_id", "sid"}) {
			t.Errorf("claims %v", got)
		}
		claims := claimsOf(t, token)
		if got := claims["exp"].(float64) - claims["iat"].(float64); got != want.Seconds() {
			t.Errorf("%s lives for %v seconds, want %s", claims["token_type"], got, want)
		}
		if jti := claims["jti"].(string); len(jti) != 32 || jti[12] != '4' || !strings.Contains("89ab", jti[16:17]) {
			t.Errorf("jti %s is not a uuid4 in hex", jti)
		}
	}

	if got := s.post("/api/token/", "username=alice&password=pw"); got.Status != 200 {
		t.Errorf("a form: %d %s", got.Status, got.Body)
	}
	s.post("/api/token/", `{"username":"alice","password":" pw"}`).expect(t, 401, jwtBearer, badLoginJWT)
	for _, body := range []string{
		`{"username":"alice","password":"wrong"}`, `{"username":"nobody","password":"pw"}`, `{"username":"gone","password":"pw"}`,
	} {
		s.post("/api/token/", body).expect(t, 401, jwtBearer, badLoginJWT)
	}
	s.post("/api/token/", `{}`).expect(t, 400, "-", `{"username":["This field is required."],"password":["This field is required."]}`)
	s.post("/api/token/", `{"username":"","password":""}`).expect(t, 400, "-", `{"username":["This field may not be blank."],"password":["This field may not be blank."]}`)
	s.post("/api/token/", `{"username":null,"password":"x"}`).expect(t, 400, "-", `{"username":["This field may not be null."]}`)
	s.get("/api/token/").expect(t, 405, "-", `{"detail":"Method \"GET\" not allowed."}`)
	if got := s.get("/api/token/jwks.json"); strings.Contains(got.Body, "keys") {
		t.Errorf("a secret is published: %s", got.Body)
	}

	refreshed := s.refreshWith(pair.Refresh)
	refreshed.matches(t, 200, `\{"access":"[\w-]+\.[\w-]+\.[\w-]+"\}`)
	if first, second := claimsOf(t, pair.Access), claimsOf(t, refreshed.pair(t).Access); first["jti"] == second["jti"] || first["sid"] != second["sid"] || second["user_id"] != first["user_id"] {
		t.Errorf("%v after %v", second, first)
	}
	s.refreshWith(pair.Refresh).pair(t) // it is not rotated
	for token, want := range map[string]string{
		"garbage": "Token is invalid", "a.b.c": "Token is invalid", pair.Refresh + "x": "Token is invalid",
		pair.Access: "Token has wrong type",
		asProject(t, refreshClaims(map[string]any{"exp": time.Now().Add(-time.Second).Unix()})): "Token is expired",
		asProject(t, refreshClaims(map[string]any{"exp": nil})):                                 "Token has no 'exp' claim",
		asProject(t, refreshClaims(map[string]any{"jti": nil})):                                 "Token has no id",
		asProject(t, refreshClaims(map[string]any{"token_type": nil})):                          "Token has no type",
		asProject(t, refreshClaims(map[string]any{"token_type": 7})):                            "Token has wrong type",
		asProject(t, refreshClaims(map[string]any{"iat": time.Now().Add(time.Hour).Unix()})):    "Token is invalid",
		asProject(t, refreshClaims(map[string]any{"nbf": time.Now().Add(time.Hour).Unix()})):    "Token is invalid",
		asProject(t, refreshClaims(map[string]any{"exp": "soon"})):                              "Token is invalid",
		asProject(t, refreshClaims(map[string]any{"jti": 7})):                                   "Token is invalid",
		// Of an expired token with a bad signature nothing is told.
		asProject(t, refreshClaims(map[string]any{"exp": 1}))[:200] + "AAAA": "Token is invalid",
	} {
		s.refreshWith(token).expect(t, 401, jwtBearer, notValid(want))
	}
	for user, id := range map[string]any{"unknown": "99", "odd": true, "a list": []int{1}, "text": "abc", "null": nil, "long": strings.Repeat("x", 9000)} {
		changes := map[string]any{"user_id": id, "jti": "of-" + user}
		if id == nil {
			delete(changes, "user_id")
			changes["user_id"] = json.RawMessage("null")
		}
		s.refreshWith(asProject(t, refreshClaims(changes))).expect(t, 401, jwtBearer, noAccount)
	}
	s.post("/api/token/refresh/", `{}`).expect(t, 400, "-", `{"refresh":["This field is required."]}`)
	s.post("/api/token/refresh/", `{"refresh":""}`).expect(t, 400, "-", `{"refresh":["This field may not be blank."]}`)
	s.post("/api/token/refresh/", `{"refresh":null}`).expect(t, 400, "-", `{"refresh":["This field may not be null."]}`)

	for _, token := range []string{pair.Access, pair.Refresh} {
		s.post("/api/token/verify/", `{"token":"`+token+`"}`).expect(t, 200, "-", `{}`)
	}
	s.post("/api/token/verify/", `{"token":"x"}`).expect(t, 401, jwtBearer, notValid("Token is invalid"))
	s.post("/api/token/verify/", `{}`).expect(t, 400, "-", `{"token":["This field is required."]}`)
	s.post("/api/token/verify/", `{"token":"`+asProject(t, refreshClaims(map[string]any{"exp": 1}))+`"}`).expect(t, 401, jwtBearer, notValid("Token is expired"))

	s.post("/api/token/blacklist/", `{"refresh":"`+pair.Access+`"}`).expect(t, 401, jwtBearer, notValid("Token has wrong type"))
	s.post("/api/token/blacklist/", `{"refresh":"`+pair.Refresh+`"}`).expect(t, 200, "-", `{}`)
	s.post("/api/token/blacklist/", `{"refresh":"`+pair.Refresh+`"}`).expect(t, 401, jwtBearer, notValid("Token is blacklisted"))
	s.refreshWith(pair.Refresh).expect(t, 401, jwtBearer, notValid("Token is blacklisted"))
	for _, token := range []string{pair.Access, pair.Refresh} {
		s.post("/api/token/verify/", `{"token":"`+token+`"}`).expect(t, 400, "-", `{"non_field_errors":["Token is blacklisted"]}`)
	}
	if got := s.post("/api/token/sliding/", `{"username":"alice","password":"pw"}`); strings.Contains(got.Body, "token") {
		t.Errorf("sliding tokens are not asked for: %s", got.Body)
	}
}
