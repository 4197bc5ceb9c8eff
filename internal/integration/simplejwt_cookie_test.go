// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"slices"
	"testing"
)

// TestSimpleJWT_cookie takes the token from the cookie of dj-rest-auth, under
// protection from other sites.
func TestSimpleJWT_cookie(t *testing.T) {
	s := serveSimpleJWT(t, "jwt_auth_cookie access")
	s.djangoUsers()
	good, expired := projectAccess("jti", `"a"`), projectAccess("exp", "1")
	const in, nobody = "alice simplejwt a ", "public "
	cookie := func(token string) string { return "Cookie: access=" + token }
	csrf := "; csrftoken=" + csrfSecret
	missing := detail("CSRF Failed: CSRF cookie not set.")
	for name, row := range map[string]struct {
		method, path string
		lines        []string
		status       int
		body         string
	}{
		"good":                          {"GET", "/", []string{cookie(good)}, 200, in},
		"last of two":                   {"GET", "/", []string{cookie("x") + "; access=" + good}, 200, in},
		"header first":                  {"GET", "/", []string{cookie("x"), withBearer(good)}, 200, in},
		"bad header, good cookie":       {"GET", "/", []string{cookie(good), withBearer("x")}, 401, jwtNotValid("Token is invalid")},
		"other scheme, good cookie":     {"GET", "/", []string{cookie(good), basic("alice", "pw")}, 401, notAuthenticated},
		"other name":                    {"GET", "/", []string{"Cookie: Access=" + good}, 401, notAuthenticated},
		"empty":                         {"GET", "/", []string{cookie("")}, 401, notAuthenticated},
		"garbage":                       {"GET", "/", []string{cookie("x")}, 401, notAuthenticated},
		"expired":                       {"GET", "/", []string{cookie(expired)}, 401, notAuthenticated},
		"unknown user":                  {"GET", "/", []string{cookie(projectAccess("user_id", "99"))}, 401, notAuthenticated},
		"inactive user":                 {"GET", "/", []string{cookie(projectAccess("user_id", "2"))}, 401, notAuthenticated},
		"good, public":                  {"GET", "/public", []string{cookie(good)}, 200, "public alice"},
		"expired, public":               {"GET", "/public", []string{cookie(expired)}, 200, nobody},
		"garbage, public":               {"POST", "/public", []string{cookie("x")}, 200, nobody},
		"expired in a header, public":   {"GET", "/public", []string{withBearer(expired)}, 401, jwtNotValid("Token is expired")},
		"POST":                          {"POST", "/", []string{cookie(good)}, 403, missing},
		"POST, public":                  {"POST", "/public", []string{cookie(good)}, 403, missing},
		"POST and token":                {"POST", "/", []string{cookie(good) + csrf, "X-CSRFToken: " + csrfSecret}, 200, in},
		"POST and another token":        {"POST", "/", []string{cookie(good) + csrf, "X-CSRFToken: " + csrfSecret[1:] + "x"}, 403, detail("CSRF Failed: CSRF token from the 'X-Csrftoken' HTTP header incorrect.")},
		"POST of another site":          {"POST", "/", []string{cookie(good) + csrf, "X-CSRFToken: " + csrfSecret, "Origin: https://evil.example"}, 403, detail("CSRF Failed: Origin checking failed - https://evil.example does not match any trusted origins.")},
		"POST by header":                {"POST", "/", []string{withBearer(good)}, 200, in},
		"POST by header and cookie":     {"POST", "/", []string{cookie(good), withBearer(good)}, 200, in},
		"POST by header, remembered or": {"DELETE", "/", []string{cookie(good)}, 403, missing},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				got := s.do(row.method, row.path, row.lines...)
				if got.Status != row.status || got.Body != row.body {
					t.Errorf("%d %q, want %d %q", got.Status, got.Body, row.status, row.body)
				}
				if !slices.Contains(got.Header.Values("Vary"), "Cookie") {
					t.Errorf("Vary = %q", got.Header.Values("Vary"))
				}
			}
		})
	}
}

// TestSimpleJWT_cookieWithoutCSRF is what dj-rest-auth does unless told otherwise.
func TestSimpleJWT_cookieWithoutCSRF(t *testing.T) {
	s := serveSimpleJWT(t, "jwt_auth_cookie access\njwt_auth_cookie_use_csrf off")
	s.djangoUsers()
	if got := s.do("POST", "/", "Cookie: access="+projectAccess()); got.Status != 200 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}
