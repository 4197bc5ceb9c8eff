// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

const (
	asJSON = "Accept: application/json"
	asHTML = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	ofForm = "Content-Type: application/x-www-form-urlencoded"
	ofJSON = "Content-Type: application/json"

	wrongLogin = "Please enter a correct username and password. Note that both fields may be case-sensitive."
)

const loginSite = `
{{site}} {
	rest_auth_endpoints {
		session /auth/ {
			%s
		}
	}
	rest_auth {
		authenticate session {
			login_url /auth/login/
		}
		header_up Remote-User {http.auth.user.id}
	}
	reverse_proxy {{echo}}
}
`

// serveSessions serves a site with logins; options are lines of the endpoint.
func serveSessions(t *testing.T, options string) *server {
	t.Helper()
	s := serve(t, strings.Replace(loginSite, "%s", options, 1))
	s.seed()
	return s
}

// visit is somebody with a browser: it keeps cookies, and follows nothing.
type visit struct {
	*server
	jar    http.CookieJar
	client *http.Client
}

func (s *server) visit() *visit {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	c := client(s.t)
	c.Jar = jar
	return &visit{s, jar, c}
}

func (v *visit) ask(method, path, body string, lines ...string) reply {
	v.t.Helper()
	var sent io.Reader
	if body != "" {
		sent = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(v.t.Context(), method, v.URL+path, sent)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	response, err := v.client.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	return readReply(v.t, response)
}

func (v *visit) cookie(name string) string {
	v.t.Helper()
	at, err := url.Parse(v.URL)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, cookie := range v.jar.Cookies(at) {
		if cookie.Name == name {
			return cookie.Value
		}
	}
	return ""
}

var hiddenToken = regexp.MustCompile(`name="csrfmiddlewaretoken" value="(\w{64})"`)

// form sends a form with the token of the page at that path, and other fields
// by name and value.
func (v *visit) form(path string, fields ...string) reply {
	v.t.Helper()
	got := v.ask("GET", path, "", asHTML)
	token := hiddenToken.FindStringSubmatch(got.Body)
	if token == nil {
		v.t.Fatalf("GET %s: no form: %d %s", path, got.Status, got.Body)
	}
	return v.post(path, append([]string{"csrfmiddlewaretoken", token[1]}, fields...)...)
}

func (v *visit) post(path string, fields ...string) reply {
	v.t.Helper()
	values := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		values.Set(fields[i], fields[i+1])
	}
	return v.ask("POST", path, values.Encode(), asHTML, ofForm)
}

// state is what JSON says of a browser.
type state struct {
	Authenticated bool    `json:"authenticated"`
	Username      *string `json:"username"`
	Session       *string `json:"session"`
	Expires       *string `json:"expires"`
	CSRF          string  `json:"csrf_token"`
}

func (r reply) state(t *testing.T) (s state) {
	t.Helper()
	if r.Status != http.StatusOK || json.Unmarshal([]byte(r.Body), &s) != nil || len(s.CSRF) != 64 {
		t.Fatalf("no state: %d %s", r.Status, r.Body)
	}
	return s
}

// login logs in as a script does.
func (v *visit) login(name string) state {
	v.t.Helper()
	csrf := v.ask("GET", "/auth/login/", "", asJSON).state(v.t).CSRF
	s := v.ask("POST", "/auth/login/", `{"username":"`+name+`","password":"pw"}`, asJSON, ofJSON, "X-CSRFToken: "+csrf).state(v.t)
	if !s.Authenticated {
		v.t.Fatalf("%s is not logged in", name)
	}
	return s
}

// user is whom the upstream sees, or the status.
func (v *visit) user() string {
	v.t.Helper()
	got := v.ask("GET", "/x", "", asJSON)
	if got.Status != http.StatusOK {
		return http.StatusText(got.Status)
	}
	return strings.Join(got.forwarded(v.t).Header["Remote-User"], ",")
}

func (r reply) redirects(t *testing.T, status int, location string) {
	t.Helper()
	if got := r.Header.Get("Location"); r.Status != status || got != location {
		t.Errorf("%d to %q, want %d to %q; body %s", r.Status, got, status, location, r.Body)
	}
}

func TestSessionEndpoint_loginPage(t *testing.T) {
	s := serveSessions(t, "")
	v := s.visit()
	v.ask("GET", "/wiki?a=1&b=2", "", asHTML).redirects(t, 302, "/auth/login/?next=%2Fwiki%3Fa%3D1%26b%3D2")
	if got := v.ask("GET", "/wiki", "", asJSON); got.Status != 403 || got.Body != notAuthenticated {
		t.Errorf("a program is answered %d %s", got.Status, got.Body)
	}
	if v.cookie("csrftoken")+v.cookie("sessionid") != "" {
		t.Error("somebody who did not log in has cookies")
	}

	login := "/auth/login/?next=/wiki%3Fa%3D1%26b%3D2"
	got := v.ask("GET", login, "", asHTML)
	if got.Status != 200 || got.Header.Get("Content-Type") != "text/html; charset=utf-8" || got.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("the page is %d %v", got.Status, got.Header)
	}
	csrf := v.cookie("csrftoken")
	if len(csrf) != 32 || v.cookie("sessionid") != "" || strings.Contains(got.Body, csrf) {
		t.Errorf("cookies of the login page: csrftoken %q, sessionid %q", csrf, v.cookie("sessionid"))
	}

	got = v.form(login, "username", "alice", "password", "wrong", "next", "/wiki?a=1&b=2")
	page := html.UnescapeString(got.Body)
	if got.Status != 400 || !strings.Contains(page, wrongLogin) || !strings.Contains(page, `role="alert"`) ||
		!strings.Contains(page, `value="alice"`) || !strings.Contains(page, `name="next" value="/wiki?a=1&b=2"`) || strings.Contains(page, "wrong\"") {
		t.Errorf("a wrong password: %d %s", got.Status, got.Body)
	}
	// Who is inactive, unknown, or nobody, is told the same.
	for _, name := range []string{"gone", "nobody", strings.Repeat("x", 300)} {
		other := v.form("/auth/login/", "username", name, "password", "pw")
		if other.Status != 400 || !strings.Contains(other.Body, wrongLogin) {
			t.Errorf("%.10q: %d %s", name, other.Status, other.Body)
		}
	}

	got = v.form(login, "username", "alice", "password", "pw", "next", "/wiki?a=1&b=2")
	got.redirects(t, 303, "/wiki?a=1&b=2")
	if lines := strings.Join(got.Header["Set-Cookie"], "\n"); len(got.Header["Set-Cookie"]) != 2 ||
		!regexp.MustCompile(`(?m)^sessionid=[a-z0-9]{32}; Path=/; Expires=[^;]+; Max-Age=1209600; HttpOnly; SameSite=Lax$`).MatchString(lines) ||
		!regexp.MustCompile(`(?m)^csrftoken=[A-Za-z0-9]{32}; Path=/; Expires=[^;]+; Max-Age=31449600; SameSite=Lax$`).MatchString(lines) {
		t.Errorf("Set-Cookie:\n%s", lines)
	}
	if v.cookie("csrftoken") == csrf {
		t.Error("the CSRF secret is that of before the login")
	}
	if got := v.user(); got != "alice" {
		t.Errorf("logged in, the upstream sees %s", got)
	}

	// Who is logged in may log in as somebody else; that ends the session before.
	if got := v.ask("GET", "/auth/login/", "", asHTML); got.Status != 200 || !strings.Contains(got.Body, "You are logged in as <strong>alice</strong>") {
		t.Errorf("the login page of somebody logged in: %d %s", got.Status, got.Body)
	}
	before := v.cookie("sessionid")
	v.form("/auth/login/", "username", "bob", "password", "pw").redirects(t, 303, "/")
	if got := v.user(); got != "bob" {
		t.Errorf("after another login the upstream sees %s", got)
	}
	if got := s.get("/x", "Cookie: sessionid="+before); got.Status != 403 {
		t.Errorf("the session before the login is answered %d", got.Status)
	}

	// Logging out takes a form, and holds at once.
	session := v.cookie("sessionid")
	if got := v.ask("GET", "/auth/logout/", "", asHTML); got.Status != 200 || !strings.Contains(got.Body, "<button") || v.user() != "bob" {
		t.Errorf("GET logout: %d %s, and the upstream sees %s", got.Status, got.Body, v.user())
	}
	v.form("/auth/logout/").redirects(t, 303, "/auth/logout/")
	if v.cookie("sessionid") != "" {
		t.Error("the browser keeps its session")
	}
	if got := s.get("/x", "Cookie: sessionid="+session); got.Status != 403 {
		t.Errorf("the session after the logout is answered %d", got.Status)
	}
	if got := v.ask("GET", "/auth/logout/", "", asHTML); got.Status != 200 || !strings.Contains(got.Body, "You are logged out.") {
		t.Errorf("after the logout: %d %s", got.Status, got.Body)
	}
}

func TestSessionEndpoint_incompleteForm(t *testing.T) {
	v := serveSessions(t, "").visit()
	for _, row := range [][]string{
		{"username", "", "password", ""}, {"username", "alice", "password", ""}, {"username", " ", "password", "pw"}, {"username", "alice"}, {},
	} {
		got := v.form("/auth/login/", row...)
		if got.Status != 400 || !strings.Contains(got.Body, `aria-invalid="true"`) || !strings.Contains(got.Body, `class="error"`) {
			t.Errorf("%q: %d %s", row, got.Status, got.Body)
		}
	}
}

func TestSessionEndpoint_script(t *testing.T) {
	s := serveSessions(t, "")
	v := s.visit()
	anonymous := v.ask("GET", "/auth/login/", "", asJSON).state(t)
	if anonymous.Authenticated || anonymous.Username != nil || anonymous.Session != nil || anonymous.Expires != nil {
		t.Errorf("anonymous: %+v", anonymous)
	}
	token := "X-CSRFToken: " + anonymous.CSRF
	bad := []struct {
		body, contentType, token string
		status                   int
		want                     string
	}{
		{`{"username":"alice","password":"wrong"}`, ofJSON, token, 400, `{"non_field_errors":["` + wrongLogin + `"]}`},
		{`{"username":"gone","password":"pw"}`, ofJSON, token, 400, `{"non_field_errors":["` + wrongLogin + `"]}`},
		{`{"username":"alice"}`, ofJSON, token, 400, `{"password":["This field is required."]}`},
		{`{"username":"","password":null}`, ofJSON, token, 400, `{"username":["This field may not be blank."],"password":["This field may not be null."]}`},
		{`{"username":["alice"],"password":{}}`, ofJSON, token, 400, `{"username":["Not a valid string."],"password":["Not a valid string."]}`},
		{`[]`, ofJSON, token, 400, `{"non_field_errors":["Invalid data. Expected a dictionary, but got list."]}`},
		{`{`, ofJSON, token, 400, `{"detail":"JSON parse error - Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"}`},
		{`x`, "Content-Type: text/plain", token, 415, `{"detail":"Unsupported media type \"text/plain\" in request."}`},
		{strings.Repeat(" ", 64<<10+1), ofJSON, token, 413, "*"},
		{`{"username":"alice","password":"pw"}`, ofJSON, "X-Other: x", 403, detail("CSRF Failed: CSRF token missing.")},
		{`{"username":"alice","password":"pw"}`, ofJSON, "X-CSRFToken: " + strings.Repeat("a", 32), 403, detail("CSRF Failed: CSRF token from the 'X-Csrftoken' HTTP header incorrect.")},
	}
	for _, row := range bad {
		got := v.ask("POST", "/auth/login/", row.body, asJSON, row.contentType, row.token)
		if got.Status != row.status || row.want != "*" && got.Body != row.want || got.Header.Get("Set-Cookie") != "" {
			t.Errorf("%.60s with %s: %d %s, want %d %s", row.body, row.token, got.Status, got.Body, row.status, row.want)
		}
	}
	if got := s.visit().ask("POST", "/auth/login/", `{"username":"alice","password":"pw"}`, asJSON, ofJSON); got.Body != detail("CSRF Failed: CSRF cookie not set.") {
		t.Errorf("without the cookie: %d %s", got.Status, got.Body)
	}
	for _, origin := range []string{"http://evil.example", "null"} {
		got := v.ask("POST", "/auth/login/", `{"username":"alice","password":"pw"}`, asJSON, ofJSON, token, "Origin: "+origin)
		if got.Status != 403 || got.Body != detail("CSRF Failed: Origin checking failed - "+origin+" does not match any trusted origins.") {
			t.Errorf("from %s: %d %s", origin, got.Status, got.Body)
		}
	}

	// A key that somebody else has put there is not the one that is logged in.
	planted := strings.Repeat("a", 32)
	in := v.ask("POST", "/auth/login/", `{"username":"alice","password":"pw"}`, asJSON, ofJSON, token, "Cookie: sessionid="+planted).state(t)
	if got := s.get("/x", "Cookie: sessionid="+planted); got.Status != 403 {
		t.Errorf("with the key that was planted: %d", got.Status)
	}
	if !in.Authenticated || *in.Username != "alice" || in.Session == nil || in.Expires == nil || v.user() != "alice" {
		t.Errorf("logged in: %+v, the upstream sees %s", in, v.user())
	}
	if again := v.ask("GET", "/auth/login/", "", asJSON).state(t); !again.Authenticated || *again.Session != *in.Session {
		t.Errorf("asked again: %+v", again)
	}
	// The token of before the login is worth nothing, the one of the answer is good.
	if got := v.ask("POST", "/auth/logout/", "", asJSON, token); got.Status != 403 || v.user() != "alice" {
		t.Errorf("logout with an old token: %d %s", got.Status, got.Body)
	}
	if got := v.ask("POST", "/auth/logout/", "", asJSON); got.Body != detail("CSRF Failed: CSRF token missing.") {
		t.Errorf("logout without a token: %d %s", got.Status, got.Body)
	}
	out := v.ask("POST", "/auth/logout/", "", asJSON, "X-CSRFToken: "+in.CSRF).state(t)
	if out.Authenticated || v.cookie("sessionid") != "" || v.user() != "Forbidden" {
		t.Errorf("logged out: %+v", out)
	}
	// Once more is no error.
	if again := v.ask("POST", "/auth/logout/", "", asJSON, "X-CSRFToken: "+out.CSRF).state(t); again.Authenticated {
		t.Errorf("logged out twice: %+v", again)
	}
	for path, allow := range map[string]string{
		"/auth/login/": "GET, POST, HEAD, OPTIONS", "/auth/logout": "GET, POST, HEAD, OPTIONS",
		"/auth/sessions/": "GET, POST, DELETE, HEAD, OPTIONS", "/auth/sessions/x": "POST, DELETE, OPTIONS",
	} {
		if got := v.ask("PATCH", path, "", asJSON); got.Status != 405 && !strings.HasPrefix(path, "/auth/sessions") || got.Header.Get("Allow") != allow {
			t.Errorf("PATCH %s: %d, Allow %q, want %q", path, got.Status, got.Header.Get("Allow"), allow)
		}
	}
}
