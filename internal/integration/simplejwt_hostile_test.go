// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/revocation"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// TestSimpleJWTCookies_otherSite has another site's page send a token of its own: the
// browser must not go on as somebody else, nor forget who it is.
func TestSimpleJWTCookies_otherSite(t *testing.T) {
	s := serve(t, cookieSite())
	s.seed()
	mallory := s.post("/api/token/", `{"username":"bob","password":"pw"}`).jar()["refresh"].Value
	for _, path := range []string{"refresh/", "blacklist/", "logout/"} {
		got := s.post("/api/token/"+path, "refresh="+mallory, "Origin: https://evil.example")
		if got.Status != http.StatusForbidden || len(got.jar()) != 0 {
			t.Errorf("%s: %d %s, cookies %v", path, got.Status, got.Body, got.Header["Set-Cookie"])
		}
	}
	if got := s.post("/api/token/refresh/", `{"refresh":"`+mallory+`"}`, "Origin: "+s.URL); got.Status != 200 {
		t.Errorf("our own page: %d %s", got.Status, got.Body)
	}
}

// TestSimpleJWT_ownSession takes the tokens of a project that has a claim sid of its
// own: it is not mistaken for ours, and does not tie its tokens together.
func TestSimpleJWT_ownSession(t *testing.T) {
	for _, sid := range []string{"0123456789abcdef", "1", strings.Repeat("x", 2000)} {
		s := serve(t, projectSite("rotate_refresh_tokens"))
		s.awaitStore()
		s.putImported("carol", "7")
		first := asProject(t, refreshClaims(map[string]any{"jti": "a", "sid": sid}))
		other := asProject(t, refreshClaims(map[string]any{"jti": "b", "sid": sid}))
		s.post("/api/token/verify/", `{"token":"`+first+`"}`).expect(t, 200, "-", `{}`)
		pair := s.refreshWith(first).pair(t)
		s.post("/api/token/blacklist/", `{"refresh":"`+pair.Refresh+`"}`).expect(t, 200, "-", `{}`)
		s.post("/api/token/verify/", `{"token":"`+pair.Access+`"}`).expect(t, 400, "-", `*`)
		s.refreshWith(other).pair(t)
	}
}

// TestSimpleJWT_withoutID ends tokens that have no jti as surely as others.
func TestSimpleJWT_withoutID(t *testing.T) {
	s := serve(t, projectSite("jti_claim none", "rotate_refresh_tokens"))
	s.seed()
	s.putImported("carol", "7")
	token := asProject(t, refreshClaims(map[string]any{"jti": nil}))
	s.post("/api/token/blacklist/", `{"refresh":"`+token+`"}`).expect(t, 200, "-", `{}`)
	s.refreshWith(token).expect(t, 401, jwtBearer, blacklisted)
	s.post("/api/token/verify/", `{"token":"`+token+`"}`).expect(t, 400, "-", `*`)

	token = asProject(t, refreshClaims(map[string]any{"jti": nil, "n": 1}))
	pair := s.refreshWith(token).pair(t)
	// The grace is over.
	_, _, err := s.store().Rotate(t.Context(), jwtDigest(token), nil, nil, time.Now().Add(11*time.Second), 10*time.Second)
	if err == nil {
		t.Fatal("the reuse was not noticed")
	}
	s.refreshWith(token).expect(t, 401, jwtBearer, blacklisted)
	for _, ended := range []string{pair.Access, pair.Refresh} {
		s.post("/api/token/verify/", `{"token":"`+ended+`"}`).expect(t, 400, "-", `*`)
	}
}

// TestSimpleJWT_withoutTypes verifies where no claim says what a token is for.
func TestSimpleJWT_withoutTypes(t *testing.T) {
	s := serve(t, projectSite("token_type_claim none", "rotate_refresh_tokens"))
	s.seed()
	pair := s.obtain("alice")
	next := s.refreshWith(pair.Refresh).pair(t)
	s.post("/api/token/verify/", `{"token":"`+pair.Refresh+`"}`).expect(t, 400, "-", `*`)
	for _, good := range []string{pair.Access, next.Access, next.Refresh} {
		s.post("/api/token/verify/", `{"token":"`+good+`"}`).expect(t, 200, "-", `{}`)
	}
	s.refreshWith(next.Access).expect(t, 401, jwtBearer, blacklisted)
}

// TestSimpleJWT_importedUnderOldPassword refuses a token that a project has issued
// before the password was changed there, though it has a record here.
func TestSimpleJWT_importedUnderOldPassword(t *testing.T) {
	s := serve(t, projectSite("check_revoke_token"))
	s.awaitStore()
	carol := s.putImported("carol", "7")
	for name, row := range map[string]struct {
		hash string
		good bool
	}{"former": {"pbkdf2_sha256$1$a$b", false}, "present": {carol.PasswordHash, true}} {
		token := asProject(t, refreshClaims(map[string]any{"jti": name, "hash_password": users.HashDigest(row.hash)}))
		err := s.store().Create(t.Context(), tokenstore.Credential{
			ID: tokenstore.NewCredentialID(), Kind: tokenstore.KindRefresh, Digest: jwtDigest(token), UserKey: carol.Key,
			Family: revocation.JWT("", name), Created: time.Now(), Expires: time.Now().Add(time.Hour), Origin: "django",
			PasswordVersion: carol.PasswordVersion,
		}, 0, false)
		if err != nil {
			t.Fatal(err)
		}
		if row.good {
			s.refreshWith(token).pair(t)
			continue
		}
		s.refreshWith(token).expect(t, 401, jwtBearer, `{"detail":"The user's password has been changed."}`)
		s.refreshWith(token).expect(t, 401, jwtBearer, blacklisted)
	}
}

// TestSimpleJWT_issuedRefreshTokens accepts refresh tokens of ours until they are spent,
// where a site says so.
func TestSimpleJWT_issuedRefreshTokens(t *testing.T) {
	key := "signing_key `" + projectKey + "`"
	s := serve(t, `{{site}} {
	rest_auth_endpoints {
		simplejwt /api/token/ {
			`+key+`
			rotate_refresh_tokens
		}
	}
	rest_auth /me {
		authenticate simplejwt {
			`+key+`
			auth_token_classes refresh
		}
	}
	respond {http.auth.user.id}
}`)
	s.seed()
	s.putImported("carol", "7")
	for name, token := range map[string]string{
		"ours": s.obtain("alice").Refresh, "a project's": asProject(t, refreshClaims(nil)),
	} {
		for range 3 { // remembered, too
			if got := s.get("/me", withBearer(token)); got.Status != 200 {
				t.Errorf("%s: %d %s", name, got.Status, got.Body)
			}
		}
		s.refreshWith(token).pair(t)
		if got := s.get("/me", withBearer(token)); got.Status != 401 || !strings.Contains(got.Body, "Token is blacklisted") {
			t.Errorf("%s, spent: %d %s", name, got.Status, got.Body)
		}
	}
}

// TestSimpleJWT_signingKeyLifetime has a key that signed for long enough make room for
// the next one, which is published before it signs.
func TestSimpleJWT_signingKeyLifetime(t *testing.T) {
	s := serve(t, simplejwtSite("algorithm ES256", "signing_key_lifetime 24h"))
	s.seed()
	before := s.obtain("alice")
	file := filepath.Join(s.vars["{{dir}}"], "storage", "rest_auth", "signing", "simplejwt", "ES256")
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.get("/api/token/jwks.json"); strings.Count(got.Body, `"kid"`) != 1 {
		t.Fatalf("%s", got.Body)
	}
	var ring map[string]any
	if err := json.Unmarshal(raw, &ring); err != nil {
		t.Fatal(err)
	}
	ring["keys"].([]any)[0].(map[string]any)["starts"] = time.Now().Add(-25 * time.Hour).UTC()
	if raw, err = json.Marshal(ring); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	s.reload(simplejwtSite("algorithm ES256", "signing_key_lifetime 24h", "leeway 1s"))
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		if headerOf(t, s.obtain("alice").Access)["kid"] != headerOf(t, before.Access)["kid"] {
			t.Fatal("the new key signs before others know it")
		}
		if got := s.get("/api/token/jwks.json"); strings.Count(got.Body, `"kid"`) == 2 {
			break
		} else if time.Since(began) > 30*time.Second {
			t.Fatalf("no other key: %s", got.Body)
		}
	}
	s.refreshWith(before.Refresh).pair(t)
	if list := s.manage(http.MethodGet, "/signing_keys", ""); strings.Count(list.Body, `"state":"next"`) != 1 || strings.Count(list.Body, `"state":"signs"`) != 1 {
		t.Errorf("%s", list.Body)
	}
	// What is not said in the block is the app's.
	s.reload("{\n{{global}}\nrest_auth {\n{{store}}\nsimplejwt {\nalgorithm ES256\n}\n}\n}\n" + simplejwtSite("signing_key_lifetime 2h"))
	// That of generated keys is none of a key that is given beside it.
	s.reload("{\n{{global}}\nrest_auth {\n{{store}}\nsimplejwt {\nsigning_key_lifetime 24h\n}\n}\n}\n" + projectSite())
	for option, want := range map[string]string{
		"algorithm HS256\nsigning_key_lifetime 1h":                               "signing_key_lifetime: ",
		"algorithm ES256\nrefresh_token_lifetime 30d\nsigning_key_lifetime 1h":   "signing_key_lifetime: ",
		"algorithm HS256\nrefresh_token_lifetime 180d\nsigning_key_lifetime 30d": "",
	} {
		err := s.tryReload(simplejwtSite(option))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", option, err, want)
		}
	}
}

// TestSimpleJWT_secretsStay looks for tokens and keys where none belong: in the log, in
// the store, in answers of the admin API and in errors.
func TestSimpleJWT_secretsStay(t *testing.T) {
	s := serve(t, projectSite("rotate_refresh_tokens"))
	s.seed()
	s.putImported("carol", "7")
	first := s.obtain("alice")
	second := s.refreshWith(first.Refresh).pair(t)
	adopted := asProject(t, refreshClaims(nil))
	third := s.refreshWith(adopted).pair(t)
	s.refreshWith(second.Refresh[:len(second.Refresh)-2] + "xx")
	s.post("/api/token/verify/", `{"token":"`+first.Refresh+`"}`)
	if _, _, err := s.store().Rotate(t.Context(), jwtDigest(first.Refresh), nil, nil, time.Now().Add(time.Minute), 0); err == nil {
		t.Fatal("the reuse was not noticed")
	}
	s.refreshWith(first.Refresh).expect(t, 401, jwtBearer, blacklisted)
	shown := s.logs.text() + s.manage(http.MethodGet, "/tokens", "").Body + s.manage(http.MethodGet, "/export", "").Body +
		s.manage(http.MethodGet, "/signing_keys", "").Body
	files, err := filepath.Glob(filepath.Join(s.vars["{{dir}}"], "*.db*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("files %q, %v", files, err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		shown += string(raw)
	}
	if !strings.Contains(shown, "refresh token reused") || !strings.Contains(shown, "carol") {
		t.Error("this is not the log or the store")
	}
	for _, token := range []string{first.Refresh, first.Access, second.Refresh, second.Access, adopted, third.Refresh, third.Access} {
		for _, part := range strings.Split(token, ".")[1:] {
			if strings.Contains(shown, part) {
				t.Errorf("a part of a token is shown: %.20s…", part)
			}
		}
	}
	if strings.Contains(shown, projectKey) {
		t.Error("the key is shown")
	}
}
