// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// cookieSite is the API with cookies as dj-rest-auth has them.
func cookieSite(options ...string) string {
	return projectSite(append([]string{"jwt_auth_cookie access", "jwt_auth_refresh_cookie refresh", "jwt_auth_refresh_cookie_path /api/token/"}, options...)...)
}

// jar is the cookies that an answer sets, by name.
func (r reply) jar() map[string]*http.Cookie {
	jar := make(map[string]*http.Cookie)
	for _, c := range (&http.Response{Header: r.Header}).Cookies() {
		jar[c.Name] = c
	}
	return jar
}

// TestSimpleJWTCookies keeps tokens in cookies that scripts cannot read, with CSRF
// protection.
func TestSimpleJWTCookies(t *testing.T) {
	s := serve(t, cookieSite("rotate_refresh_tokens", "jwt_auth_return_expiration"))
	s.seed()
	const noToken = `{"detail":"No valid refresh token found.","code":"token_not_valid"}`
	s.post("/api/token/refresh/", `{}`).expect(t, 401, jwtBearer, noToken)
	s.post("/api/token/blacklist/", `{}`).expect(t, 401, jwtBearer, noToken)

	// A cookie of long ago is in nobody's way.
	login := s.post("/api/token/", `{"username":"alice","password":"pw"}`, "Cookie: access=stale; refresh=stale")
	login.matches(t, 200, `\{"access":"[^"]+","refresh":"","access_expiration":`+timePattern+`,"refresh_expiration":`+timePattern+`\}`)
	jar := login.jar()
	for name, age := range map[string]int{"access": 300, "refresh": 86400} {
		c := jar[name]
		if c == nil || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Secure || c.MaxAge < age-1 || c.MaxAge > age {
			t.Errorf("cookie %s: %+v", name, c)
		}
	}
	if jar["access"].Path != "/" || jar["refresh"].Path != "/api/token/" || jar["csrftoken"] == nil || jar["csrftoken"].HttpOnly {
		t.Errorf("cookies %v", login.Header["Set-Cookie"])
	}
	sent := fmt.Sprintf("Cookie: access=%s; refresh=%s; csrftoken=%s", jar["access"].Value, jar["refresh"].Value, jar["csrftoken"].Value)
	csrf := "X-CSRFToken: " + jar["csrftoken"].Value
	s.post("/api/token/refresh/", `{}`, sent).expect(t, 403, "-", detail("CSRF Failed: CSRF token missing."))
	s.post("/api/token/refresh/", `{}`, sent, csrf, "Origin: https://evil.example").expect(t, 403, "-", `*`)
	s.post("/api/token/logout/", ``, sent).expect(t, 403, "-", detail("CSRF Failed: CSRF token missing."))
	refreshed := s.post("/api/token/refresh/", `{}`, sent, csrf)
	refreshed.matches(t, 200, `\{"access":"[^"]+","access_expiration":`+timePattern+`\}`)
	next := refreshed.jar()
	if next["refresh"] == nil || next["refresh"].Value == jar["refresh"].Value || next["access"] == nil {
		t.Fatalf("cookies %v", refreshed.Header["Set-Cookie"])
	}
	// A body needs no CSRF token: nobody else's page knows what is in it.
	s.refreshWith(next["refresh"].Value).pair(t)

	sent = fmt.Sprintf("Cookie: access=%s; refresh=%s; csrftoken=%s", next["access"].Value, next["refresh"].Value, jar["csrftoken"].Value)
	logout := s.post("/api/token/logout/", ``, sent, csrf)
	logout.expect(t, 200, "-", `{"detail":"Successfully logged out."}`)
	for name, path := range map[string]string{"access": "/", "refresh": "/api/token/"} {
		if c := logout.jar()[name]; c == nil || c.MaxAge >= 0 || c.Path != path {
			t.Errorf("cookie %s: %+v", name, c)
		}
	}
	for _, token := range []string{next["refresh"].Value, jar["access"].Value} {
		s.post("/api/token/verify/", `{"token":"`+token+`"}`).expect(t, 400, "-", `{"non_field_errors":["Token is blacklisted"]}`)
	}
	s.post("/api/token/logout/", ``).expect(t, 200, "-", `{"detail":"Successfully logged out."}`)
	s.post("/api/token/logout/", ``, "Cookie: access=stale").expect(t, 403, "-", `*`)

	// Nobody is logged in by another site's page.
	s.post("/api/token/", `{"username":"alice","password":"pw"}`, "Origin: https://evil.example").expect(t, 403, "-", `*`)
	if got := s.post("/api/token/", `{"username":"alice","password":"pw"}`, "Origin: "+s.URL); got.Status != 200 {
		t.Errorf("our own page: %d %s", got.Status, got.Body)
	}
	// A logout by an access token alone ends its login, too.
	pair := s.post("/api/token/", `{"username":"alice","password":"pw"}`)
	s.post("/api/token/logout/", ``, "Authorization: bearer "+pair.jar()["access"].Value).expect(t, 200, "-", `*`)
	s.refreshWith(pair.jar()["refresh"].Value).expect(t, 401, jwtBearer, blacklisted)
}

// TestSimpleJWT_logoutHeader logs out by an access token in the header that the site has
// for it.
func TestSimpleJWT_logoutHeader(t *testing.T) {
	s := serve(t, projectSite("logout_path logout/", "auth_header_name HTTP_X_ACCESS_TOKEN", "auth_header_types JWT Bearer"))
	s.seed()
	pair := s.obtain("alice")
	for _, line := range []string{withBearer(pair.Access), "X-Access-Token: " + pair.Access, "X-Access-Token: Other " + pair.Access} {
		s.post("/api/token/logout/", ``, line).expect(t, 200, "-", `*`)
		s.refreshWith(pair.Refresh).pair(t)
	}
	s.post("/api/token/logout/", ``, "X-Access-Token: bearer "+pair.Access).expect(t, 200, "-", `*`)
	s.refreshWith(pair.Refresh).expect(t, 401, "JWT realm=\"api\"", blacklisted)
}

// TestSimpleJWTCookies_options is what the settings of dj-rest-auth change.
func TestSimpleJWTCookies_options(t *testing.T) {
	s := serve(t, cookieSite("jwt_auth_httponly off", "jwt_auth_samesite Strict", "jwt_auth_secure on", "jwt_auth_cookie_domain example.com", "jwt_auth_cookie_use_csrf off"))
	s.seed()
	login := s.post("/api/token/", `{"username":"alice","password":"pw"}`, "Origin: https://other.example")
	login.matches(t, 200, `\{"access":"[^"]+","refresh":"[^"]+"\}`)
	for _, name := range []string{"access", "refresh"} {
		if c := login.jar()[name]; c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteStrictMode || c.Domain != "example.com" {
			t.Errorf("cookie %+v", c)
		}
	}
	s.post("/api/token/refresh/", `{}`, "Cookie: refresh="+login.jar()["refresh"].Value).pair(t)

	for option, want := range map[string]string{
		"jwt_auth_cookie sessionid":                                    "two cookies have the name sessionid",
		"jwt_auth_cookie csrftoken":                                    "two cookies have the name csrftoken",
		"jwt_auth_cookie `a b`":                                        "is not a name of a cookie",
		"jwt_auth_cookie x\njwt_auth_secure no":                        "is not one of auto, on, off",
		"jwt_auth_cookie __Host-x\njwt_auth_cookie_domain example.com": "has no domain",
	} {
		if err := s.tryReload(projectSite(option)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", option, err, want)
		}
	}
}
