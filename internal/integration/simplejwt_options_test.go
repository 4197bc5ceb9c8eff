// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// TestSimpleJWTAdoption refreshes what a Django project has issued with the same
// key, whose users were imported.
func TestSimpleJWTAdoption(t *testing.T) {
	s := serve(t, projectSite("rotate_refresh_tokens"))
	s.seed()
	carol := s.putImported("carol", "7")

	// A number was the user's id until simplejwt 5.5.1.
	token := asProject(t, refreshClaims(map[string]any{"user_id": 7, "shop": []int{1, 2}, "aud": "a", "jti": "number"}))
	s.post("/api/token/verify/", `{"token":"`+token+`"}`).expect(t, 200, "-", `{}`)
	pair := s.refreshWith(token).pair(t)
	access := claimsOf(t, pair.Access)
	if access["user_id"] != 7. || access["token_type"] != "access" || len(access["shop"].([]any)) != 2 || access["jti"] == "number" {
		t.Errorf("claims %v", access)
	}
	if got := s.records(tokenstore.Filter{UserKey: carol.Key}); len(got) != 1 || got[0].Kind != tokenstore.KindRefresh {
		t.Errorf("the store has %+v", got)
	}
	if again := s.refreshWith(token).pair(t); again != pair {
		t.Error("within the grace the answer is another one")
	}
	s.post("/api/token/verify/", `{"token":"`+token+`"}`).expect(t, 400, "-", `{"non_field_errors":["Token is blacklisted"]}`)
	s.refreshWith(pair.Refresh).pair(t)
	s.post("/api/token/blacklist/", `{"refresh":"`+pair.Refresh+`"}`).expect(t, 401, jwtBearer, blacklisted)
	s.refreshWith(token).expect(t, 401, jwtBearer, blacklisted)

	// Without a use before.
	token = asProject(t, refreshClaims(map[string]any{"jti": "unused"}))
	s.post("/api/token/blacklist/", `{"refresh":"`+token+`"}`).expect(t, 200, "-", `{}`)
	s.post("/api/token/blacklist/", `{"refresh":"`+token+`"}`).expect(t, 401, jwtBearer, blacklisted)
	s.refreshWith(token).expect(t, 401, jwtBearer, blacklisted)

	// One who is deleted and imported anew is another user; the record is the old one's.
	token = asProject(t, refreshClaims(map[string]any{"jti": "deleted"}))
	s.refreshWith(token).pair(t)
	if err := s.store().DeleteUser(t.Context(), carol.Key); err != nil {
		t.Fatal(err)
	}
	s.refreshWith(token).expect(t, 401, jwtBearer, noAccount)
	s.putImported("carol", "7")
	s.refreshWith(token).expect(t, 401, jwtBearer, blacklisted)

	// simplejwt gives an access token for a token that names nobody.
	s.refreshWith(asProject(t, refreshClaims(map[string]any{"jti": "nobody", "user_id": nil}))).pair(t)
}

// TestSimpleJWTSettings is what the settings change.
func TestSimpleJWTSettings(t *testing.T) {
	t.Run("claims", func(t *testing.T) {
		s := serve(t, projectSite(
			"access_token_lifetime 10m", "refresh_token_lifetime 604800", "audience api", "issuer https://id.example.com", "leeway 30s",
			"user_id_claim sub", "user_id_field username", "token_type_claim kind", "jti_claim id", "auth_header_types JWT Bearer",
			"check_revoke_token", "revoke_token_claim pw", "user_serializer username is_staff", "jwt_auth_return_expiration",
		))
		s.seed()
		login := s.post("/api/token/", `{"username":"bob","password":"pw"}`)
		login.matches(t, 200, `\{"refresh":"[^"]+","access":"[^"]+","user":\{"username":"bob","is_staff":true\},"access_expiration":`+timePattern+`,"refresh_expiration":`+timePattern+`\}`)
		pair := login.pair(t)
		want := []string{"kind", "exp", "iat", "id", "sub", "pw", "sid", "aud", "iss"}
		for _, token := range []string{pair.Access, pair.Refresh} {
			if got := namesOf(t, token); !slices.Equal(got, want) {
				t.Errorf("claims %v, want %v", got, want)
			}
		}
		claims := claimsOf(t, pair.Access)
		if claims["sub"] != "bob" || claims["aud"] != "api" || claims["iss"] != "https://id.example.com" || claims["exp"].(float64)-claims["iat"].(float64) != 600 {
			t.Errorf("claims %v", claims)
		}
		s.refreshWith("x").expect(t, 401, `JWT realm="api"`, notValid("Token is invalid"))
		s.refreshWith(pair.Refresh).pair(t)
		base := map[string]any{"kind": "refresh", "id": "x", "sub": "bob", "aud": "api", "iss": "https://id.example.com", "token_type": nil, "jti": nil, "user_id": nil}
		for name, change := range map[string]map[string]any{
			"audience": {"aud": "other"}, "no audience": {"aud": nil}, "issuer": {"iss": "https://x"}, "no issuer": {"iss": nil},
			"odd audience": {"aud": 7}, "long expired": {"exp": time.Now().Add(-31 * time.Second).Unix()},
		} {
			claims := refreshClaims(base)
			for claim, value := range change {
				if claims[claim] = value; value == nil {
					delete(claims, claim)
				}
			}
			text := "Token is invalid"
			if name == "long expired" {
				text = "Token is expired"
			}
			s.refreshWith(asProject(t, claims)).expect(t, 401, `JWT realm="api"`, notValid(text))
		}
		// It does not say which password it was issued under.
		within := refreshClaims(base)
		within["exp"] = time.Now().Add(-20 * time.Second).Unix()
		s.refreshWith(asProject(t, within)).expect(t, 401, `JWT realm="api"`, detail("The user's password has been changed."))

		bob, err := s.store().UserByName(t.Context(), "bob")
		if err != nil {
			t.Fatal(err)
		}
		bob.PasswordHash = "!changed"
		s.putUser(bob)
		s.refreshWith(pair.Refresh).expect(t, 401, `JWT realm="api"`, detail("The user's password has been changed."))
		s.refreshWith(pair.Refresh).expect(t, 401, `JWT realm="api"`, notValid("Token is blacklisted"))
	})
	t.Run("neither type nor id", func(t *testing.T) {
		s := serve(t, projectSite("token_type_claim none", "jti_claim none"))
		s.seed()
		pair := s.obtain("alice")
		if got := namesOf(t, pair.Refresh); !slices.Equal(got, []string{"exp", "iat", "user_id", "sid"}) {
			t.Errorf("claims %v", got)
		}
		s.refreshWith(pair.Refresh).pair(t)
		s.post("/api/token/blacklist/", `{"refresh":"`+pair.Refresh+`"}`).expect(t, 200, "-", `{}`)
		s.refreshWith(pair.Refresh).expect(t, 401, jwtBearer, blacklisted)
	})
	t.Run("paths", func(t *testing.T) {
		s := serve(t, projectSite("obtain_path login/", "refresh_path token/refresh/", "verify_path off", "blacklist_path off"))
		s.seed()
		pair := s.post("/api/token/login/", `{"username":"alice","password":"pw"}`).pair(t)
		s.post("/api/token/token/refresh", `{"refresh":"`+pair.Refresh+`"}`).pair(t)
		for _, path := range []string{"", "verify/", "blacklist/", "refresh/"} {
			if got := s.post("/api/token/"+path, `{}`); got.Body != "" {
				t.Errorf("%s: %d %s", path, got.Status, got.Body)
			}
		}
	})
	t.Run("the app's", func(t *testing.T) {
		s := serve(t, "{\n{{global}}\nrest_auth {\n{{store}}\nsimplejwt {\nsigning_key `"+projectKey+"`\naccess_token_lifetime 1m\nrotate_refresh_tokens\n}\n}\n}\n"+
			simplejwtSite("access_token_lifetime 2m"))
		s.seed()
		pair := s.obtain("alice")
		claims := claimsOf(t, pair.Access)
		if claims["exp"].(float64)-claims["iat"].(float64) != 120 {
			t.Errorf("claims %v", claims)
		}
		if s.refreshWith(pair.Refresh).pair(t).Refresh == "" {
			t.Error("the app's settings are not inherited")
		}
	})
}

// TestSimpleJWTSliding is each row of sliding tokens.
func TestSimpleJWTSliding(t *testing.T) {
	s := serve(t, projectSite("auth_token_classes rest_framework_simplejwt.tokens.SlidingToken access"))
	s.seed()
	s.putImported("carol", "7")
	login := s.post("/api/token/sliding/", `{"username":"alice","password":"pw"}`)
	login.matches(t, 200, `\{"token":"[^"]+"\}`)
	token := login.pair(t).Token
	if got := namesOf(t, token); !slices.Equal(got, []string{"token_type", "exp", "iat", "jti", "refresh_exp", "user_id", "sid"}) {
		t.Errorf("claims %v", got)
	}
	before := claimsOf(t, token)
	if before["exp"].(float64)-before["iat"].(float64) != 300 || before["refresh_exp"].(float64)-before["iat"].(float64) != 86400 {
		t.Errorf("claims %v", before)
	}
	slide := func(token string) reply { return s.post("/api/token/sliding/refresh/", `{"token":"`+token+`"}`) }
	after := claimsOf(t, slide(token).pair(t).Token)
	if after["jti"] != before["jti"] || after["refresh_exp"] != before["refresh_exp"] || after["exp"].(float64) < before["exp"].(float64) {
		t.Errorf("%v after %v", after, before)
	}
	sliding := map[string]any{"token_type": "sliding", "refresh_exp": time.Now().Add(time.Hour).Unix(), "jti": "sliding"}
	with := func(changes map[string]any) string {
		claims := refreshClaims(sliding)
		for name, value := range changes {
			if claims[name] = value; value == nil {
				delete(claims, name)
			}
		}
		return asProject(t, claims)
	}
	slide(with(nil)).pair(t)
	for token, want := range map[string]string{
		with(map[string]any{"exp": time.Now().Add(-time.Second).Unix()}):         "Token is expired",
		with(map[string]any{"refresh_exp": time.Now().Add(-time.Second).Unix()}): "Token 'refresh_exp' claim has expired",
		with(map[string]any{"refresh_exp": nil}):                                 "Token has no 'refresh_exp' claim",
		with(map[string]any{"refresh_exp": "x"}):                                 "Token is invalid",
		with(map[string]any{"token_type": "refresh"}):                            "Token has wrong type",
		s.obtain("alice").Refresh:                                                "Token has wrong type",
	} {
		slide(token).expect(t, 401, jwtBearer, notValid(want))
	}
	slide(with(map[string]any{"user_id": "99", "jti": "other"})).expect(t, 401, jwtBearer, noAccount)
	s.post("/api/token/sliding/", `{"username":"alice","password":"x"}`).expect(t, 401, jwtBearer, badLoginJWT)
	s.post("/api/token/sliding/refresh/", `{}`).expect(t, 400, "-", `{"token":["This field is required."]}`)

	// A change of the password ends the renewal.
	alice, err := s.store().UserByName(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	alice.Permissions, alice.PasswordHash = nil, "!changed"
	s.putUser(alice)
	slide(token).expect(t, 401, jwtBearer, blacklisted)
	s.post("/api/token/verify/", `{"token":"`+token+`"}`).expect(t, 400, "-", `{"non_field_errors":["Token is blacklisted"]}`)
}

// TestSimpleJWTKeys publishes generated keys, and rotates them while tokens are
// refreshed.
func TestSimpleJWTKeys(t *testing.T) {
	for _, algorithm := range []string{"RS256", "ES256", "EdDSA", "HS256"} {
		t.Run(algorithm, func(t *testing.T) {
			site := simplejwtSite("algorithm " + algorithm)
			s := serve(t, site)
			s.seed()
			pair := s.obtain("alice")
			if algorithm != "HS256" {
				got := s.get("/api/token/jwks.json", "Accept: application/jwk-set+json")
				var set struct{ Keys []map[string]string }
				if err := json.Unmarshal([]byte(got.Body), &set); err != nil || got.Status != 200 || len(set.Keys) != 1 {
					t.Fatalf("%d %s", got.Status, got.Body)
				}
				if key := set.Keys[0]; key["alg"] != algorithm || key["use"] != "sig" || key["kid"] != headerOf(t, pair.Access)["kid"] || key["d"] != "" || key["k"] != "" {
					t.Errorf("key %v", key)
				}
				if got := got.Header.Get("Cache-Control"); got != "public, max-age=300" {
					t.Errorf("Cache-Control %q", got)
				}
			} else if headerOf(t, pair.Access)["kid"] != nil {
				t.Errorf("header %v", headerOf(t, pair.Access))
			}

			// Keys outlive a reload.
			s.reload(site + "\n{{site2}} {\nrespond ok\n}")
			s.get("/") // which is sent again on another connection if the reload has cut this one
			s.refreshWith(pair.Refresh).pair(t)
			rotated := s.manage(http.MethodPost, "/signing_keys/simplejwt/rotate", `{"now":true}`)
			if rotated.Status != 200 || strings.Contains(rotated.Body, "secret") {
				t.Fatalf("%d %s", rotated.Status, rotated.Body)
			}
			next := s.obtain("alice")
			if algorithm != "HS256" && headerOf(t, next.Access)["kid"] == headerOf(t, pair.Access)["kid"] {
				t.Error("the old key signs")
			}
			s.refreshWith(pair.Refresh).pair(t)
			s.refreshWith(next.Refresh).pair(t)
			s.post("/api/token/verify/", `{"token":"`+pair.Access+`"}`).expect(t, 200, "-", `{}`)
			if got := s.manage(http.MethodPost, "/signing_keys/simplejwt/rotate", `{"compromised":true}`); got.Status != 200 {
				t.Fatalf("%d %s", got.Status, got.Body)
			}
			for _, token := range []string{pair.Refresh, next.Refresh} {
				s.refreshWith(token).expect(t, 401, jwtBearer, notValid("Token is invalid"))
			}
			s.refreshWith(s.obtain("alice").Refresh).pair(t)
		})
	}
}

// headerOf returns a token's header.
func headerOf(t *testing.T, token string) (header map[string]any) {
	t.Helper()
	return claimsOf(t, ".."[:1]+strings.SplitN(token, ".", 2)[0]+".")
}
