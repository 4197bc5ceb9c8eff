// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// A tokenRow is a request to a token view, which both answer alike but for what
// is in django: there Debian's version, or simplejwt itself, does what ours does
// better, or what a later version does.
type tokenRow struct {
	name, path, body string
	status           int
	django           string // how Django answers, if otherwise: a status and a body
}

// tokenRows are asked one after the other.
func tokenRows(t *testing.T) []tokenRow {
	token := func(members ...any) string {
		changes := map[string]any{"user_id": 1}
		for i := 0; i < len(members); i += 2 {
			changes[members[i].(string)] = members[i+1]
		}
		if _, named := changes["jti"]; !named {
			changes["jti"] = fmt.Sprintf("%032x", len(fmt.Sprint(members...)))
		}
		return asProject(t, refreshClaims(changes))
	}
	past, future := time.Now().Add(-time.Hour).Unix(), time.Now().Add(time.Hour).Unix()
	good := token("jti", "good")
	sliding := func(members ...any) string {
		return token(append([]any{"token_type", "sliding", "refresh_exp", future}, members...)...)
	}
	field := func(name, token string) string { return `{"` + name + `":"` + token + `"}` }
	rows := []tokenRow{
		{"login", "", `{"username":"alice","password":"pw"}`, 200, ""},
		{"login, form", "", `username=alice&password=pw`, 200, ""},
		{"login, blanks around the name", "", `{"username":" alice ","password":"pw"}`, 200, ""},
		{"login, blanks around the password", "", `{"username":"alice","password":" pw "}`, 401, `200 {"refresh":"<refresh>","access":"<access>"}`},
		{"login, wrong", "", `{"username":"alice","password":"x"}`, 401, ""},
		{"login, unknown", "", `{"username":"nobody","password":"pw"}`, 401, ""},
		{"login, inactive", "", `{"username":"gone","password":"pw"}`, 401, ""},
		{"login, nothing", "", `{}`, 400, ""},
		{"login, blank", "", `{"username":" ","password":""}`, 400, ""},
		{"login, null", "", `{"username":null,"password":null}`, 400, ""},
		{"login, a list", "", `["alice"]`, 400, ""},
		{"login, an object", "", `{"username":{},"password":[1]}`, 400, ""},
		{"login, a number", "", `{"username":1,"password":2}`, 401, ""},
		{"login, NUL", "", `{"username":"a\u0000","password":"x"}`, 400, ""},
		{"login, no JSON", "", `{"username":`, 400, ""},

		{"refresh", "refresh/", field("refresh", good), 200, ""},
		{"refresh again", "refresh/", field("refresh", good), 200, ""},
		{"refresh, blanks around", "refresh/", field("refresh", " "+good+" "), 200, ""},
		{"refresh, text id", "refresh/", field("refresh", token("user_id", "1")), 200, ""},
		{"refresh, more claims", "refresh/", field("refresh", token("shop", "a")), 200, ""},
		{"refresh, nobody", "refresh/", field("refresh", token("user_id", nil)), 200, ""},
		{"refresh, unknown user", "refresh/", field("refresh", token("user_id", 99)), 401, `200 {"access":"<access>"}`},
		{"refresh, inactive user", "refresh/", field("refresh", token("user_id", 2)), 401, `200 {"access":"<access>"}`},
		{"refresh, odd user", "refresh/", field("refresh", token("user_id", []int{1})), 401, `200 {"access":"<access>"}`},
		{"refresh, garbage", "refresh/", field("refresh", "garbage"), 401, ""},
		{"refresh, dots", "refresh/", field("refresh", "a.b.c"), 401, ""},
		{"refresh, expired", "refresh/", field("refresh", token("exp", past)), 401, ""},
		{"refresh, bad signature", "refresh/", field("refresh", good[:len(good)-5]+"AAAAA"), 401, ""},
		{"refresh, access token", "refresh/", field("refresh", token("token_type", "access")), 401, ""},
		{"refresh, sliding token", "refresh/", field("refresh", sliding()), 401, ""},
		{"refresh, no type", "refresh/", field("refresh", token("token_type", nil)), 401, ""},
		{"refresh, no exp", "refresh/", field("refresh", token("exp", nil)), 401, ""},
		{"refresh, no id", "refresh/", field("refresh", token("jti", nil)), 401, "500"},
		{"refresh, exp is text", "refresh/", field("refresh", token("exp", "soon")), 401, ""},
		{"refresh, from the future", "refresh/", field("refresh", token("iat", future)), 401, ""},
		{"refresh, not before", "refresh/", field("refresh", token("nbf", future)), 401, ""},
		{"refresh, nothing", "refresh/", `{}`, 400, ""},
		{"refresh, blank", "refresh/", `{"refresh":""}`, 400, ""},
		{"refresh, null", "refresh/", `{"refresh":null}`, 400, ""},
		{"refresh, a list", "refresh/", `{"refresh":[]}`, 400, ""},
		{"refresh, a number", "refresh/", `{"refresh":7}`, 401, ""},

		{"verify", "verify/", field("token", good), 200, ""},
		{"verify, access token", "verify/", field("token", token("token_type", "access")), 200, ""},
		{"verify, no type", "verify/", field("token", token("token_type", nil)), 200, ""},
		{"verify, unknown user", "verify/", field("token", token("user_id", 99)), 200, ""},
		{"verify, expired", "verify/", field("token", token("exp", past)), 401, ""},
		{"verify, garbage", "verify/", field("token", "garbage"), 401, ""},
		{"verify, no exp", "verify/", field("token", token("exp", nil)), 401, ""},
		{"verify, no id", "verify/", field("token", token("jti", nil)), 401, ""},
		{"verify, nothing", "verify/", `{}`, 400, ""},
		{"verify, blank", "verify/", `{"token":" "}`, 400, ""},

		{"blacklist, access token", "blacklist/", field("refresh", token("token_type", "access")), 401, ""},
		{"blacklist, garbage", "blacklist/", field("refresh", "garbage"), 401, ""},
		{"blacklist, nothing", "blacklist/", `{}`, 400, ""},
		{"blacklist", "blacklist/", field("refresh", good), 200, ""},
		{"blacklist again", "blacklist/", field("refresh", good), 401, ""},
		{"refresh, blacklisted", "refresh/", field("refresh", good), 401, ""},
		{"verify, blacklisted", "verify/", field("token", good), 400, `200 {}`},
		{"blacklist, never used", "blacklist/", field("refresh", token("jti", "never")), 200, ""},
		{"refresh, blacklisted, never used", "refresh/", field("refresh", token("jti", "never")), 401, ""},

		{"sliding login", "sliding/", `{"username":"alice","password":"pw"}`, 200, ""},
		{"sliding login, wrong", "sliding/", `{"username":"alice","password":"x"}`, 401, ""},
		{"sliding login, nothing", "sliding/", `{}`, 400, ""},
		{"slide", "sliding/refresh/", field("token", sliding("jti", "slides")), 200, ""},
		{"slide again", "sliding/refresh/", field("token", sliding("jti", "slides")), 200, ""},
		{"slide, expired", "sliding/refresh/", field("token", sliding("exp", past)), 401, ""},
		{"slide, no more", "sliding/refresh/", field("token", sliding("refresh_exp", past)), 401, ""},
		{"slide, no end", "sliding/refresh/", field("token", sliding("refresh_exp", nil)), 401, ""},
		{"slide, refresh token", "sliding/refresh/", field("token", token()), 401, ""},
		{"slide, nothing", "sliding/refresh/", `{}`, 400, ""},
	}
	return rows
}

func (row tokenRow) request() string {
	kind := "application/x-www-form-urlencoded"
	if strings.HasPrefix(row.body, "{") || strings.HasPrefix(row.body, "[") {
		kind = "application/json"
	}
	// Token views ask nobody who they are.
	return fmt.Sprintf("POST /api/token/%s HTTP/1.1\r\nHost: api.example.net\r\nConnection: close\r\nAuthorization: Bearer broken\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
		row.path, kind, len(row.body), row.body)
}

var compactToken = regexp.MustCompile(`eyJ[\w-]+\.[\w-]+\.[\w-]+`)

// described is an answer with what its tokens are for in place of them.
func (r reply) described(t *testing.T) string {
	body := compactToken.ReplaceAllStringFunc(r.Body, func(token string) string {
		return fmt.Sprintf("<%s>", claimsOf(t, token)["token_type"])
	})
	return fmt.Sprint(r.Status, " ", body)
}

// TestSimpleJWT_djangoTokens asks the views of Debian's simplejwt and ours the same,
// with tokens of one key, and compares each answer.
func TestSimpleJWT_djangoTokens(t *testing.T) {
	needPython(t, "rest_framework_simplejwt")
	settings, err := json.Marshal(map[string]any{"SIGNING_KEY": projectKey})
	if err != nil {
		t.Fatal(err)
	}
	socket, _ := djangoApp(t, "simplejwt_tokens", "SIMPLE_JWT="+string(settings))
	s := serve(t, projectSite("auth_token_classes access sliding"))
	s.djangoUsers()
	ours := strings.TrimPrefix(s.URL, "http://")
	for _, row := range tokenRows(t) {
		mine, theirs := over(t, "tcp", ours, row.request()), over(t, "unix", socket, row.request())
		if mine.Status != row.status {
			t.Errorf("%s: ours is %s, want %d", row.name, mine.described(t), row.status)
		}
		want := olderBody(mine.described(t))
		if row.django != "" {
			want = row.django
		}
		if got := theirs.described(t); got != want && (want != "500" || theirs.Status != 500) {
			t.Errorf("%s: Django's is %s, want %s", row.name, got, want)
		}
		if row.django == "" && mine.Header.Get("WWW-Authenticate") != theirs.Header.Get("WWW-Authenticate") {
			t.Errorf("%s: %q here, %q there", row.name, mine.Header.Get("WWW-Authenticate"), theirs.Header.Get("WWW-Authenticate"))
		}
	}

	// Tokens of each are good at the other.
	login := tokenRow{path: "", body: `{"username":"alice","password":"pw"}`}
	mine, theirs := over(t, "tcp", ours, login.request()).pair(t), over(t, "unix", socket, login.request()).pair(t)
	for _, pair := range []jwtPair{mine, theirs} {
		refresh := tokenRow{path: "refresh/", body: `{"refresh":"` + pair.Refresh + `"}`}
		verify := tokenRow{path: "verify/", body: `{"token":"` + pair.Access + `"}`}
		for _, row := range []tokenRow{refresh, verify} {
			a, b := over(t, "tcp", ours, row.request()), over(t, "unix", socket, row.request())
			if a.Status != 200 || b.Status != 200 {
				t.Errorf("%s: %s here, %s there", row.path, a.described(t), b.described(t))
			}
		}
		// Debian's version copies iat, and writes a number for the user's id.
		a, b := over(t, "tcp", ours, refresh.request()).pair(t).Access, over(t, "unix", socket, refresh.request()).pair(t).Access
		here, there := namesOf(t, a), namesOf(t, b)
		if !slices.Contains(there, "sid") {
			here = slices.DeleteFunc(here, func(name string) bool { return name == "sid" })
		}
		if !slices.Equal(here, there) {
			t.Errorf("claims %v here, %v there", here, there)
		}
	}
}
