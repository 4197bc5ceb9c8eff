// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/durin"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// durinSite is the API of durin with options, and a site that takes its tokens.
func durinSite(keyword string, options ...string) string {
	return "{{site}} {\nrest_auth_endpoints {\ndurin /durin/ {\n" + strings.Join(options, "\n") + "\n}\n}\n" +
		"rest_auth {\nauthenticate token " + keyword + " {\nkinds durin\n}\n}\nrespond \"{http.auth.user.id} {http.auth.user.client}\"\n}"
}

// serveDurin runs the site with the clients web (1 h), cli (10 d), api (10
// years) and endless.
func serveDurin(t *testing.T, options ...string) *server {
	t.Helper()
	s := serve(t, durinSite("Token", options...))
	s.seed()
	for name, client := range map[string]durin.Client{
		"web":     {TokenTTL: time.Hour},
		"cli":     {TokenTTL: 10 * 24 * time.Hour},
		"api":     {TokenTTL: 3650 * 24 * time.Hour},
		"endless": {Endless: true},
	} {
		_, err := s.store().PutClient(t.Context(), tokenstore.Client{ID: durin.ClientID(name), Name: name, Data: durin.Encode(client)})
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *server) durinLogin(user, client string) reply {
	s.t.Helper()
	return s.post("/durin/login/", `{"username":"`+user+`","password":"pw","client":"`+client+`"}`)
}

// TestDurinLogin is each row of durin's login.
func TestDurinLogin(t *testing.T) {
	s := serveDurin(t)
	login := s.durinLogin("alice", "web")
	login.matches(t, 200, `\{"expiry":`+timePattern+`,"token":`+tokenPattern+`\}`)
	web := login.issued(t)
	ends, err := time.Parse(time.RFC3339, *web.Expiry)
	if left := time.Until(ends); err != nil || left > time.Hour || left < time.Hour-time.Minute {
		t.Errorf("the token ends in %s, want 1h; %v", left, err)
	}
	s.get("/", token(web.Token)).expect(t, 200, "-", "alice durin:web")
	if again := s.post("/durin/login", "username=alice&password=pw&client=web"); again.Body != login.Body {
		t.Errorf("the second login was answered %s, want %s", again.Body, login.Body)
	}
	cli := s.durinLogin("alice", "cli").issued(t)
	ends, err = time.Parse(time.RFC3339, *cli.Expiry)
	if left := time.Until(ends); cli.Token == web.Token || err != nil || left < 239*time.Hour || left > 240*time.Hour {
		t.Errorf("the token of another client ends in %s, want 240h; %v", left, err)
	}
	s.durinLogin("alice", "endless").matches(t, 200, `\{"expiry":null,"token":`+tokenPattern+`\}`)
	if bobs := s.durinLogin("bob", "web").issued(t); bobs.Token == web.Token {
		t.Error("two users share a token")
	}

	// No authentication runs.
	for _, line := range []string{token("bad"), "Authorization: Basic !", basic("alice", "wrong")} {
		if got := s.post("/durin/login/", `{"username":"alice","password":"pw","client":"web"}`, line); got.Body != login.Body {
			t.Errorf("with %q: %d %s", line, got.Status, got.Body)
		}
	}

	// Who logs in is judged before the client is.
	for _, row := range loginRows {
		got := s.post("/durin/login/", row.body)
		if row.status == 200 {
			got.matches(t, 400, regexp.QuoteMeta(detail("No client specified.")))
			continue
		}
		got.matches(t, row.status, regexp.QuoteMeta(row.want))
	}
	for client, want := range map[string]string{
		`""`:                                 detail("No client specified."),
		`null`:                               detail("No client specified."),
		`false`:                              detail("No client specified."),
		`0`:                                  detail("No client specified."),
		`-0.0`:                               detail("No client specified."),
		`[]`:                                 detail("No client specified."),
		`{}`:                                 detail("No client specified."),
		`1`:                                  detail("No client with that name."),
		`{"name":"web"}`:                     detail("No client with that name."),
		`"\ud800"`:                           detail("No client with that name."),
		`"mobile"`:                           detail("No client with that name."),
		`" web"`:                             detail("No client with that name."),
		`"Web"`:                              detail("No client with that name."),
		`"durin:web"`:                        detail("No client with that name."),
		`["web"]`:                            detail("No client with that name."),
		`true`:                               detail("No client with that name."),
		`"\u0000"`:                           detail("No client with that name."),
		`"` + strings.Repeat("x", 64) + `"`:  detail("No client with that name."),
		`"` + strings.Repeat("x", 9e3) + `"`: detail("No client with that name."),
	} {
		s.post("/durin/login/", `{"username":"alice","password":"pw","client":`+client+`}`).matches(t, 400, regexp.QuoteMeta(want))
	}
	s.do("GET", "/durin/login/").expect(t, 405, "-", `{"detail":"Method \"GET\" not allowed."}`)

	// Deleting a client ends its tokens.
	if err := s.store().DeleteClient(t.Context(), durin.ClientID("web")); err != nil {
		t.Fatal(err)
	}
	s.get("/", token(web.Token)).expect(t, 401, "Token", invalidToken)
	s.durinLogin("alice", "web").matches(t, 400, regexp.QuoteMeta(detail("No client with that name.")))
	s.get("/", token(cli.Token)).expect(t, 200, "-", "alice durin:cli")
}

// TestDurinToken is each row of durin's authenticator, where a token is used and
// where it ends.
func TestDurinToken(t *testing.T) {
	s := serveDurin(t)
	good := s.durinLogin("alice", "web").issued(t).Token
	s.putDurin("gone", "web", "of-gone", time.Now().Add(time.Hour))
	for line, want := range map[string]string{
		"token " + good:                  "",
		"Token":                          detail("Invalid token header. No credentials provided."),
		"Token a b":                      detail("Invalid token header. Token string should not contain spaces."),
		"Token unknown":                  invalidToken,
		"Token " + strings.ToUpper(good): invalidToken,
		"Token of-gone":                  detail("User inactive or deleted."),
		"Token \xff":                     detail("Invalid token header. Token string should not contain invalid characters."),
		"Token token-alice":              invalidToken,
		"Bearer " + good:                 notAuthenticated,
		"":                               notAuthenticated,
	} {
		for method, paths := range map[string][]string{"POST": {"/durin/refresh/", "/durin/logout/", "/durin/logoutall/"}, "GET": {"/", "/durin/sessions/", "/durin/apiaccess/"}} {
			for _, path := range paths {
				if want == "" && method == "POST" {
					continue
				}
				request := method + " " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n"
				if line != "" {
					request += "Authorization: " + line + "\r\n"
				}
				head, body, _ := strings.Cut(s.raw(request+"\r\n"), "\r\n\r\n")
				if want == "" {
					if strings.HasPrefix(head, "HTTP/1.1 401") {
						t.Errorf("%q on %s: %q", line, path, head)
					}
				} else if !strings.HasPrefix(head, "HTTP/1.1 401") || body != want || !strings.Contains(head, "Www-Authenticate: Token\r\n") {
					t.Errorf("%q on %s: %q %q, want 401 %s", line, path, head, body, want)
				}
			}
		}
	}

	// A token that has ended is told apart until it is swept.
	s.putDurin("alice", "cli", "ended", time.Now().Add(-time.Minute))
	s.get("/", token("ended")).expect(t, 401, "Token", detail("The given token has expired."))
	s.post("/durin/refresh/", "", token("ended")).expect(t, 401, "Token", detail("The given token has expired."))
	if _, err := s.store().Sweep(t.Context(), time.Now(), 100); err != nil {
		t.Fatal(err)
	}
	s.get("/", token("ended")).expect(t, 401, "Token", invalidToken)

	// Logging in again after that makes another token.
	first := s.durinLogin("root", "web").issued(t).Token
	s.post("/durin/logout/", "", token(first)).matches(t, 204, "")
	s.post("/durin/logout/", "", token(first)).expect(t, 401, "Token", invalidToken)
	second := s.durinLogin("root", "web").issued(t).Token
	if second == first {
		t.Error("a token that was logged out came back")
	}
	third := s.durinLogin("root", "cli").issued(t).Token
	s.post("/durin/logoutall/", "", token(second)).matches(t, 204, "")
	s.get("/", token(second)).expect(t, 401, "Token", invalidToken)
	s.get("/", token(third)).expect(t, 401, "Token", invalidToken)
	s.get("/", token(good)).expect(t, 200, "-", "alice durin:web")
	s.do("GET", "/durin/logoutall/", token(good)).expect(t, 405, "-", `{"detail":"Method \"GET\" not allowed."}`)
}

// TestDurinRefresh puts the end of a token off, by refresh/ and by
// REFRESH_TOKEN_ON_LOGIN.
func TestDurinRefresh(t *testing.T) {
	s := serveDurin(t)
	first := s.durinLogin("alice", "web").issued(t)
	refreshed := s.post("/durin/refresh/", "", token(first.Token))
	refreshed.matches(t, 200, `\{"expiry":`+timePattern+`\}`)
	var answer struct{ Expiry string }
	if err := json.Unmarshal([]byte(refreshed.Body), &answer); err != nil || answer.Expiry <= *first.Expiry {
		t.Errorf("refreshed to %s, was %s; %v", answer.Expiry, *first.Expiry, err)
	}
	// What was answered is stored.
	if again := s.durinLogin("alice", "web").issued(t); *again.Expiry != answer.Expiry || again.Token != first.Token {
		t.Errorf("after the refresh the login answers %s, want %s", *again.Expiry, answer.Expiry)
	}
	s.reload(durinSite("Token", "refresh_token_on_login"))
	s.awaitStore()
	if later := s.durinLogin("alice", "web").issued(t); *later.Expiry <= answer.Expiry || later.Token != first.Token {
		t.Errorf("a login that refreshes answers %s, was %s", *later.Expiry, answer.Expiry)
	}
	endless := s.durinLogin("alice", "endless").issued(t)
	s.post("/durin/refresh/", "", token(endless.Token)).matches(t, 200, `\{"expiry":null\}`)

	s.reload(durinSite("Bearer", "auth_header_prefix Bearer", "user_serializer username", "token_character_length 32", "expiry_datetime_format %H:%M"))
	s.awaitStore()
	got := s.durinLogin("bob", "web")
	got.matches(t, 200, `\{"expiry":"\d\d:\d\d","token":"[0-9a-f]{32}","user":\{"username":"bob"\}\}`)
	s.post("/durin/refresh/", "", "Authorization: Bearer "+got.issued(t).Token).matches(t, 200, `\{"expiry":"\d\d:\d\d"\}`)
	s.post("/durin/refresh/", "", token(got.issued(t).Token)).expect(t, 401, "Bearer", notAuthenticated)
}

// TestDurinSessions lists and ends a user's tokens.
func TestDurinSessions(t *testing.T) {
	s := serveDurin(t, "api_access_client_name api")
	s.putDurin("alice", "api", "ended", time.Now().Add(-time.Minute))
	web := s.durinLogin("alice", "web").issued(t).Token
	cli := s.durinLogin("alice", "cli").issued(t).Token
	s.durinLogin("alice", "endless")
	of := func(client, ended, current, lives string) string {
		expiry := timePattern
		if lives == "N/A" {
			expiry = "null"
		}
		return `\{"id":"[^"]+","client":"` + client + `","created":` + timePattern + `,"expiry":` + expiry +
			`,"has_expired":` + ended + `,"is_current":` + current + `,"expires_in_str":"` + lives + `"\}`
	}
	list := s.get("/durin/sessions/", token(web))
	list.matches(t, 200, `\[`+of("api", "true", "false", "59 minutes")+`,`+of("web", "false", "true", "an hour")+`,`+
		of("cli", "false", "false", "10 days")+`,`+of("endless", "false", "false", "N/A")+`\]`)
	s.get("/durin/sessions/", token(s.durinLogin("bob", "web").issued(t).Token)).matches(t, 200, `\[`+of("web", "false", "true", "an hour")+`\]`)
	s.post("/durin/sessions/", "", token(web)).expect(t, 405, "-", `{"detail":"Method \"POST\" not allowed."}`)

	var sessions []struct{ ID, Client string }
	if err := json.Unmarshal([]byte(list.Body), &sessions); err != nil {
		t.Fatal(err)
	}
	ids := make(map[string]string)
	for _, session := range sessions {
		ids[session.Client] = session.ID
	}
	none := detail("No AuthToken matches the given query.")
	bobs := s.durinLogin("bob", "cli").issued(t).Token
	s.do("DELETE", "/durin/sessions//"+ids["web"], token(web)).expect(t, 400, "-",
		`["Can't delete token if the request is authed with it.Use /durin/logout/ instead."]`)
	s.do("DELETE", "/durin/sessions//"+ids["cli"], token(bobs)).expect(t, 404, "-", none)
	s.do("DELETE", "/durin/sessions/nothing", token(web)).expect(t, 404, "-", none)
	s.do("DELETE", "/durin/sessions/"+strings.Repeat("9", 5000), token(web)).expect(t, 404, "-", none)
	s.do("GET", "/durin/sessions/"+ids["cli"], token(web)).expect(t, 405, "-", `{"detail":"Method \"GET\" not allowed."}`)
	s.get("/", token(cli)).expect(t, 200, "-", "alice durin:cli")
	s.do("DELETE", "/durin/sessions//"+ids["cli"], token(web)).matches(t, 204, "")
	s.get("/", token(cli)).expect(t, 401, "Token", invalidToken)
	s.do("DELETE", "/durin/sessions//"+ids["cli"], token(web)).expect(t, 404, "-", none)
	s.do("DELETE", "/durin/sessions/"+ids["endless"]+"/", token(web)).matches(t, 204, "")

	s.reload(durinSite("Token", "api_access_client_name api", "api_access_exclude_from_sessions"))
	s.awaitStore()
	s.get("/durin/sessions/", token(web)).matches(t, 200, `\[`+of("web", "false", "true", "an hour")+`\]`)
	s.do("DELETE", "/durin/sessions/"+ids["api"], token(web)).expect(t, 404, "-", none)
}

// TestDurinAPIAccess is the one token that a user makes for programs.
func TestDurinAPIAccess(t *testing.T) {
	s := serveDurin(t)
	web := s.durinLogin("alice", "web").issued(t).Token
	missing := detail("Not found.")
	for _, method := range []string{"GET", "POST", "DELETE"} {
		s.do(method, "/durin/apiaccess/", token(web)).expect(t, 404, "-", missing)
	}
	s.reload(durinSite("Token", "api_access_client_name nobody"))
	s.awaitStore()
	s.post("/durin/apiaccess/", "", token(web)).expect(t, 404, "-", missing)

	s.reload(durinSite("Token", "api_access_client_name api"))
	s.awaitStore()
	s.get("/durin/apiaccess/", token(web)).expect(t, 404, "-", missing)
	s.do("DELETE", "/durin/apiaccess/", token(web)).expect(t, 404, "-", missing)
	s.putDurin("alice", "api", "ended", time.Now().Add(-time.Minute))
	const described = `"client":"api","created":` + timePattern + `,"expiry":` + timePattern + `,"has_expired":false,"expires_in_str":"10 years"`
	made := s.post("/durin/apiaccess/", "", token(web))
	made.matches(t, 201, `\{`+described+`,"token":`+tokenPattern+`\}`)
	var api issuedToken
	if err := json.Unmarshal([]byte(made.Body), &api); err != nil {
		t.Fatal(err)
	}
	s.get("/", token(api.Token)).expect(t, 200, "-", "alice durin:api")
	s.post("/durin/apiaccess/", "", token(web)).expect(t, 400, "-", `["An API token was already issued to you."]`)
	s.get("/durin/apiaccess/", token(web)).matches(t, 200, `\{`+described+`\}`)

	s.reload(durinSite("Token", "api_access_client_name api", "api_access_response_include_token"))
	s.awaitStore()
	s.get("/durin/apiaccess/", token(web)).matches(t, 200, `\{`+described+`,"token":"`+api.Token+`"\}`)
	s.do("DELETE", "/durin/apiaccess/", token(web)).matches(t, 204, "")
	s.get("/", token(api.Token)).expect(t, 401, "Token", invalidToken)
	s.do("DELETE", "/durin/apiaccess/", token(web)).expect(t, 404, "-", missing)

	// What an import brought is known by its digest alone.
	s.putDurin("alice", "api", "imported", time.Now().Add(3650*24*time.Hour-time.Hour+time.Minute))
	s.get("/durin/apiaccess/", token(web)).matches(t, 200, `\{`+described+`,"token":null\}`)
	s.post("/durin/apiaccess/", "", token(web)).expect(t, 400, "-", `["An API token was already issued to you."]`)
}

// TestDurinMount: lines of the mount are for sessions/ and apiaccess/.
func TestDurinMount(t *testing.T) {
	s := serveDurin(t, "api_access_client_name api", "authenticate basic", "require staff")
	web := s.durinLogin("bob", "web").issued(t).Token
	s.get("/durin/sessions/", token(web)).expect(t, 401, `Basic realm="api"`, notAuthenticated)
	s.get("/durin/sessions/", basic("alice", "pw")).expect(t, 403, "-", deniedBody)
	if got := s.get("/durin/sessions/", basic("bob", "pw")); got.Status != 200 || !strings.Contains(got.Body, `"is_current":false`) {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if got := s.post("/durin/apiaccess/", "", basic("bob", "pw")); got.Status != 201 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	s.post("/durin/logout/", "", basic("bob", "pw")).expect(t, 401, "Token", notAuthenticated)
	s.post("/durin/logout/", "", token(web)).matches(t, 204, "")
}

// putDurin stores a token of a user as an import does, made an hour ago.
func (s *server) putDurin(user, client, secret string, ends time.Time) {
	s.t.Helper()
	owner := s.user(user)
	active := owner.Active
	owner.Active = true
	owner = s.putUser(owner) // a store makes no token for a user who is inactive
	err := s.store().Create(s.t.Context(), tokenstore.Credential{
		ID: tokenstore.NewCredentialID(), Kind: tokenstore.KindDurin, Digest: digestOf(secret), UserKey: owner.Key,
		ClientID: durin.ClientID(client), Slot: durin.Slot(owner.Key, durin.ClientID(client)),
		Created: time.Now().Add(-time.Hour), Expires: ends,
	}, 0, false)
	owner.Active = active
	s.putUser(owner)
	if err != nil && !errors.Is(err, tokenstore.ErrExists) {
		s.t.Fatal(err)
	}
}
