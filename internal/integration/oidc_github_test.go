// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// github answers as GitHub documents: its token endpoint with 200 for errors
// too, and as a form unless it is asked for JSON.
type github struct {
	*httptest.Server
	challenge string
	emails    string
	user      string
}

func newGitHub(t *testing.T) *github {
	g := &github{
		emails: `[{"email":"old@example.com","verified":true,"primary":false,"visibility":null},{"email":"octocat@github.com","verified":true,"primary":true,"visibility":"public"}]`,
		user:   `{"login":"octocat","id":583231,"node_id":"MDQ6VXNlcjU4MzIzMQ==","type":"User","site_admin":false,"name":"The Octocat","email":null}`,
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login/oauth/access_token", func(w http.ResponseWriter, r *http.Request) {
		verifier := sha256.Sum256([]byte(r.FormValue("code_verifier")))
		answer := url.Values{"access_token": {"gho_16C7e42F292c6912E7710c838347Ae178B4a"}, "scope": {"read:user,user:email"}, "token_type": {"bearer"}}
		switch {
		case r.FormValue("client_id") != "Iv1.x" || r.FormValue("client_secret") != "secret":
			answer = url.Values{"error": {"incorrect_client_credentials"}, "error_description": {"The client_id and/or client_secret passed are incorrect."}}
		case r.FormValue("code") != "good" || base64.RawURLEncoding.EncodeToString(verifier[:]) != g.challenge:
			answer = url.Values{"error": {"bad_verification_code"}, "error_description": {"The code passed is incorrect or expired."}}
		}
		w.Header().Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
		_, _ = w.Write([]byte(answer.Encode()))
	})
	// A full page of organizations, and one more.
	first, second := "["+strings.Repeat(`{"login":"another","id":2},`, 99)+`{"login":"another","id":2}]`, `[{"login":"github","id":1}]`
	for path, body := range map[string]*string{"/user": &g.user, "/user/emails": &g.emails, "/user/orgs": &first} {
		mux.HandleFunc("GET /api/v3"+path, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer gho_16C7e42F292c6912E7710c838347Ae178B4a" || r.UserAgent() == "" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			if r.FormValue("page") == "2" {
				_, _ = w.Write([]byte(second))
				return
			}
			_, _ = w.Write([]byte(*body))
		})
	}
	g.Server = httptest.NewServer(mux)
	t.Cleanup(g.Close)
	return g
}

// TestOIDC_github logs in at GitHub, which speaks OAuth 2.0 alone.
func TestOIDC_github(t *testing.T) {
	for name, test := range map[string]struct {
		lines, user, emails, code string
		want                      int
		text                      string
	}{
		"good":              {"", "", "", "good", 303, ""},
		"an organization":   {"scopes read:user user:email read:org\ngroup_claim organizations\nallowed_groups github", "", "", "good", 303, ""},
		"no organization":   {"scopes read:user user:email read:org\ngroup_claim organizations\nallowed_groups other", "", "", "good", 403, "none of the groups"},
		"a bad code":        {"", "", "", "bad", 400, "Login failed."},
		"a bad secret":      {"client_secret other", "", "", "good", 503, "does not work"},
		"nobody":            {"", `{"message":"x"}`, "", "good", 400, "Login failed."},
		"no JSON":           {"", `<html>`, "", "good", 503, "does not work"},
		"no address":        {"", "", `[]`, "good", 303, ""},
		"by e-mail":         {"link email", "", `[{"email":"alice@example.com","verified":true,"primary":true}]`, "good", 303, ""},
		"by e-mail, unsure": {"link email", "", `[{"email":"alice@example.com","verified":false,"primary":true}]`, "good", 400, "Login failed."},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGitHub(t)
			if test.user != "" {
				g.user = test.user
			}
			if test.emails != "" {
				g.emails = test.emails
			}
			lines := test.lines
			if !strings.Contains(lines, "client_secret") {
				lines += "\nclient_secret secret"
			}
			s := serve(t, strings.Replace(oidcSite, "%s", "provider github {\nissuer "+g.URL+"\nclient_id Iv1.x\nallow_http\nallow_internal loopback\n"+lines+"\n}", 1))
			s.awaitStore()
			v := s.visit()
			at, err := url.Parse(v.loginAt("/auth/login/?next=/wiki"))
			if err != nil || at.Path != "/login/oauth/authorize" || at.Query().Has("nonce") || !strings.HasPrefix(at.Query().Get("scope"), "read:user user:email") {
				t.Fatalf("a login leads to %s", at)
			}
			g.challenge = at.Query().Get("code_challenge")
			got := v.callback("github", url.Values{"code": {test.code}, "state": {at.Query().Get("state")}})
			if got.Status != test.want || !strings.Contains(got.Body, test.text) {
				t.Fatalf("%d, want %d %q:\n%s", got.Status, test.want, test.text, got.Body)
			}
			if test.want != 303 {
				return
			}
			user, err := s.store().UserByOrigin(t.Context(), g.URL, "583231")
			switch {
			case name == "by e-mail":
				_, err = s.store().UserByName(t.Context(), "alice@example.com")
			case err == nil && (user.Name != "octocat" || user.FullName != "The Octocat" || (user.Email == "octocat@github.com") != (test.emails == "")):
				t.Errorf("the user is %+v", user)
			}
			if err != nil {
				t.Errorf("the user: %v", err)
			}
			// There is nowhere to be logged out at.
			if got := v.form("/auth/logout/"); got.Status != 303 {
				t.Errorf("a logout: %d", got.Status)
			}
			if strings.Contains(s.logs.text(), "gho_") {
				t.Error("the log has a token")
			}
		})
	}
	for path := range map[string]bool{"/auth/backchannel-logout/github/": true} {
		s := serve(t, strings.Replace(oidcSite, "%s", "provider github {\nclient_id x\n}", 1))
		if got := s.send("POST", s.URL+path, strings.NewReader("logout_token=a.b.c"), ofForm); got.Status != 400 {
			t.Errorf("a logout token of GitHub: %d", got.Status)
		}
	}
}
