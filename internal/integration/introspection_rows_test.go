// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestIntrospection_rows is each row of what django-oauth-toolkit answers at a
// resource of Django REST framework, and where the answer is better here.
func TestIntrospection_rows(t *testing.T) {
	i := newIntrospector(t)
	site := func(path, lines string) string {
		return "handle " + path + " {\nrest_auth {\n" + i.lines("optional aud", "user_prefix off") + "\n" + lines + "\n}\n" + `respond "{http.auth.user.id}"` + "\n}\n"
	}
	s := serve(t, "{{site}} {\n"+
		site("/authenticated", "")+
		site("/anybody", "require allow_any")+
		site("/lenient", "require allow_any\ninvalid anonymous")+
		site("/groups", "require scope groups")+
		site("/explained", "require scope groups {\nbody `{\"detail\": \"Scopes are missing.\", \"required_scopes\": [\"groups\"]}`\n}")+
		site("/read-write", "require read_write_scope")+
		site("/music", "require resource_scope music")+
		site("/either", "authenticate token\nrequire authenticated_or_scope dolphin")+
		site("/methods", "require method_scopes {\nGET read\nPOST write groups | introspection\n}")+
		"}")
	s.seed()
	i.put("read", "aud", nil, "scope", "read")
	i.put("write", "aud", nil, "scope", "write")
	i.put("groups", "aud", nil, "scope", "write groups")
	i.put("music", "aud", nil, "scope", "music:read")
	i.put("dolphin", "aud", nil, "scope", "dolphin")
	i.put("introspection", "aud", nil, "scope", "introspection")
	i.put("machine", "aud", nil, "scope", "read", "username", nil, "sub", nil)
	i.put("expired", "aud", nil, "exp", time.Now().Add(-time.Minute).Unix())
	lacking := func(scope string) string {
		return bearerPlain + `, error="insufficient_scope", error_description="The request requires higher privileges than provided by the access token.", scope="` + scope + `"`
	}
	const empty, spaces = "Invalid bearer header. No credentials provided.", "Invalid bearer header. Credentials string should not contain spaces."
	for row, tt := range map[string]struct {
		method, path, line string
		status             int
		challenge, body    string
	}{
		"P1":          {"GET", "/authenticated", "", 401, bearerPlain, notAuthenticated},
		"P2":          {"GET", "/authenticated", "Bearer unknown", 401, bearerInvalid, invalidToken},
		"P3":          {"GET", "/authenticated", "Bearer expired", 401, bearerExpired, expiredToken},
		"P4":          {"GET", "/authenticated", "Bearer read", 200, "-", "alice"},
		"P5":          {"GET", "/authenticated", "Bearer machine", 403, "-", deniedBody},
		"P7":          {"GET", "/anybody", "Bearer unknown", 401, bearerInvalid, invalidToken},
		"P7 lenient":  {"GET", "/lenient", "Bearer expired", 200, "-", ""},
		"P8":          {"GET", "/authenticated", "bearer read", 200, "-", "alice"},
		"P8 blanks":   {"GET", "/authenticated", "BEARER  \t read", 200, "-", "alice"},
		"P9 none":     {"GET", "/authenticated", "Bearer", 401, bearerPlain + `, error="invalid_request", error_description="` + empty + `"`, detail(empty)},
		"P9 two":      {"GET", "/authenticated", "Bearer a b", 401, bearerPlain + `, error="invalid_request", error_description="` + spaces + `"`, detail(spaces)},
		"P9 Token":    {"GET", "/authenticated", "Token read", 401, bearerPlain, notAuthenticated},
		"P9 Basic":    {"GET", "/authenticated", "Basic read", 401, bearerPlain, notAuthenticated},
		"P10 query":   {"GET", "/authenticated?access_token=read", "", 401, bearerPlain, notAuthenticated},
		"P11":         {"GET", "/authenticated?a=%zz", "Bearer read", 200, "-", "alice"},
		"S1":          {"GET", "/groups", "Bearer read", 403, lacking("groups"), deniedBody},
		"S1 granted":  {"GET", "/groups", "Bearer groups", 200, "-", "alice"},
		"S2":          {"GET", "/explained", "Bearer read", 403, lacking("groups"), "*"},
		"S3":          {"GET", "/groups", "", 401, bearerPlain, notAuthenticated},
		"S3 expired":  {"GET", "/groups", "Bearer expired", 401, bearerExpired, expiredToken},
		"S4 read":     {"GET", "/read-write", "Bearer read", 200, "-", "alice"},
		"S4 write":    {"POST", "/read-write", "Bearer read", 403, lacking("write"), deniedBody},
		"S4 OPTIONS":  {"OPTIONS", "/read-write", "Bearer write", 403, lacking("read"), deniedBody},
		"S4 HEAD":     {"HEAD", "/read-write", "Bearer read", 200, "-", ""},
		"S5":          {"GET", "/music", "Bearer music", 200, "-", "alice"},
		"S5 write":    {"POST", "/music", "Bearer music", 403, lacking("music:write"), deniedBody},
		"S6 scope":    {"GET", "/either", "Bearer dolphin", 200, "-", "alice"},
		"S6 lacking":  {"GET", "/either", "Bearer read", 403, lacking("dolphin"), deniedBody},
		"S6 user":     {"GET", "/either", "Token token-bob", 200, "-", "bob"},
		"S7":          {"GET", "/methods", "Bearer read", 200, "-", "alice"},
		"S7 first":    {"POST", "/methods", "Bearer groups", 200, "-", "alice"},
		"S7 second":   {"POST", "/methods", "Bearer introspection", 200, "-", "alice"},
		"S7 neither":  {"POST", "/methods", "Bearer write", 403, lacking("write groups"), deniedBody},
		"S7 unlisted": {"PUT", "/methods", "Bearer groups", 403, "-", deniedBody},
	} {
		t.Run(row, func(t *testing.T) {
			var lines []string
			if tt.line != "" {
				lines = []string{"Authorization: " + tt.line}
			}
			got := s.do(tt.method, tt.path, lines...)
			got.expect(t, tt.status, tt.challenge, tt.body)
			if row == "S2" && !strings.Contains(got.Body, `"required_scopes"`) {
				t.Errorf("body %q", got.Body)
			}
		})
	}
	// P10: a token in the body of a form is not looked for.
	form := s.send(http.MethodPost, s.URL+"/authenticated", strings.NewReader("access_token=read"), "Content-Type: application/x-www-form-urlencoded")
	form.expect(t, 401, bearerPlain, notAuthenticated)
}
