// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func TestSessionEndpoint_redirects(t *testing.T) {
	s := serveSessions(t, "login_redirect_url /welcome/\nlogout_redirect_url https://www.example.com/bye\nredirect_authenticated_user on")
	v := s.visit()
	v.form("/auth/login/", "username", "alice", "password", "pw").redirects(t, 303, "/welcome/")
	v.ask("GET", "/auth/login/", "", asHTML).redirects(t, 302, "/welcome/")
	v.ask("GET", "/auth/login/?next=/x", "", asHTML).redirects(t, 302, "/x")
	v.ask("GET", "/auth/login/?next=//evil.example", "", asHTML).redirects(t, 302, "/welcome/")
	v.form("/auth/logout/", "next", "//evil.example").redirects(t, 303, "https://www.example.com/bye")
	v.form("/auth/login/", "username", "alice", "password", "pw", "next", "https://evil.example").redirects(t, 303, "/welcome/")
	v.form("/auth/logout/", "next", "/bye").redirects(t, 303, "/bye")
	// The form says where to, whatever the query says.
	v.form("/auth/login/?next=/a", "username", "alice", "password", "pw", "next", "/b").redirects(t, 303, "/b")
	v.form("/auth/logout/")
	v.form("/auth/login/?next=/a", "username", "alice", "password", "pw").redirects(t, 303, "/a")
}

func TestSessionEndpoint_remember(t *testing.T) {
	s := serveSessions(t, "remember_me on")
	keeps := func(fields ...string) bool {
		t.Helper()
		got := s.visit().form("/auth/login/", append([]string{"username", "alice", "password", "pw"}, fields...)...)
		for _, line := range got.Header["Set-Cookie"] {
			if strings.HasPrefix(line, "sessionid=") {
				return strings.Contains(line, "Max-Age")
			}
		}
		t.Fatalf("no session: %d %v", got.Status, got.Header)
		return false
	}
	if keeps() || !keeps("remember", "true") {
		t.Error("the browser does not do with the session what the form says")
	}
	if page := s.visit().ask("GET", "/auth/login/", "", asHTML); !strings.Contains(page.Body, `name="remember" value="true" checked`) {
		t.Errorf("the form does not ask:\n%s", page.Body)
	}
}

func TestSessionEndpoint_template(t *testing.T) {
	file := filepath.Join(t.TempDir(), "login.html")
	if err := os.WriteFile(file, []byte(`<title>{{.Title}}: {{.Site}}</title><link rel="stylesheet" href="/own.css">{{.Content}}`+
		`{{define "logout"}}Bye {{.User}}{{end}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serveSessions(t, "title {env.SESSION_TEST_TITLE}\ntemplate "+file)
	v := s.visit()
	if page := v.ask("GET", "/auth/login/", "", asHTML); !strings.HasPrefix(page.Body, `<title>Log in: A &amp; B</title><link rel="stylesheet" href="/own.css"><form method="post">`) {
		t.Errorf("the site's own template: %s", page.Body)
	}
	v.login("alice")
	if page := v.ask("GET", "/auth/logout/", "", asHTML); !strings.HasSuffix(page.Body, `Bye alice`) {
		t.Errorf("the site's own page: %s", page.Body)
	}
	if err := os.WriteFile(file, []byte("ok\n{{.Titel}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.tryReload(strings.Replace(loginSite, "%s", "template "+file, 1)); err == nil || !strings.Contains(err.Error(), "login.html:2:2") {
		t.Errorf("a template with a mistake: %v", err)
	}
}

func init() { os.Setenv("SESSION_TEST_TITLE", "A & B") }

// TestSessionEndpoint_errorRoutes has a form in its place, and not the page of
// an error route, unless that is asked for.
func TestSessionEndpoint_errorRoutes(t *testing.T) {
	const routes = "handle_errors {\nrespond \"the error route\"\n}\n}\n"
	site := strings.TrimSuffix(strings.TrimSpace(loginSite), "}") + routes
	s := serve(t, strings.Replace(site, "%s", "", 1))
	s.seed()
	v := s.visit()
	bad := []string{"csrfmiddlewaretoken", strings.Repeat("x", 64), "username", "alice", "password", "pw"}
	if got := v.post("/auth/login/", bad...); got.Status != 403 || !strings.Contains(got.Body, `value="alice"`) {
		t.Errorf("a bad token: %d %s", got.Status, got.Body)
	}
	if got := v.ask("POST", "/auth/login/", "{}", asJSON, ofJSON); got.Status != 403 || got.Body != "the error route" {
		t.Errorf("a bad token of a script: %d %s", got.Status, got.Body)
	}
	s.reload(strings.Replace(site, "%s", "refusals error", 1))
	v.client.CloseIdleConnections() // Caddy ends them, and a POST is not sent again
	if got := v.post("/auth/login/", bad...); got.Status != 403 || got.Body != "the error route" {
		t.Errorf("with refusals error: %d %s", got.Status, got.Body)
	}
}

// TestSessionEndpoint_curl logs in without saying what is accepted.
func TestSessionEndpoint_curl(t *testing.T) {
	v := serveSessions(t, "").visit()
	v.ask("POST", "/auth/login/", "username=alice&password=pw&csrfmiddlewaretoken="+v.token(), ofForm, "Accept: */*").redirects(t, 303, "/")
	if got := v.ask("POST", "/auth/login/", "username=alice&password=x&csrfmiddlewaretoken="+v.token(), ofForm); got.Status != 400 ||
		got.Body != `{"non_field_errors":["`+wrongLogin+`"]}` {
		t.Errorf("a wrong password: %d %s", got.Status, got.Body)
	}
	v.ask("POST", "/auth/logout/", "csrfmiddlewaretoken="+v.token(), ofForm).redirects(t, 303, "/auth/logout/")
}

// TestSessionEndpoint_stripped is served below a path that Caddy takes off.
func TestSessionEndpoint_stripped(t *testing.T) {
	s := serve(t, `
{{site}} {
	handle_path /app/* {
		rest_auth_endpoints {
			session /auth/
		}
		respond 404
	}
}`)
	s.seed()
	v := s.visit()
	v.ask("GET", "/app/auth/sessions/", "", asHTML).redirects(t, 302, "/app/auth/login/?next=%2Fapp%2Fauth%2Fsessions%2F")
	v.form("/app/auth/login/", "username", "alice", "password", "pw").redirects(t, 303, "/")
	if page := v.ask("GET", "/app/auth/sessions/", "", asHTML); !strings.Contains(page.Body, `action="/app/auth/sessions/"`) {
		t.Errorf("the page: %d %s", page.Status, page.Body)
	}
	v.form("/app/auth/logout").redirects(t, 303, "/app/auth/logout/")
	if got := v.ask("GET", "/auth/login/", "", asHTML); got.Status != 200 || got.Body != "" {
		t.Errorf("outside of it: %d %s", got.Status, got.Body)
	}
}

// TestSessionEndpoint_reload ends the session of somebody whose password, or who, is
// not in the configuration any more, though it is remembered.
func TestSessionEndpoint_reload(t *testing.T) {
	const carol, other = "pbkdf2_sha256$260000$saltsalt$eI8CoAw/y8JNKY5nootgIPaV/Z8t4mboGwA15GoimXk=", "pbkdf2_sha256$260000$saltsalt$aI8CoAw/y8JNKY5nootgIPaV/Z8t4mboGwA15GoimXk="
	site := func(users string) string {
		return "{\n{{global}}\nrest_auth {\n{{store}}\n" + users + "\n}\n}\n" + strings.Replace(loginSite, "%s", "", 1)
	}
	s := serve(t, site("user carol "+carol))
	v := s.visit()
	v.login("carol")
	for _, step := range []struct{ users, want string }{
		{"user carol " + carol, "carol"},
		{"user dave " + carol, "Forbidden"},
		{"user carol " + carol, "carol"},
		{"user carol " + other, "Forbidden"},
	} {
		s.reload(site(step.users))
		v.client.CloseIdleConnections()
		for range 2 {
			if got := v.user(); got != step.want {
				t.Errorf("with %.20q the session is %s, want %s", step.users, got, step.want)
			}
		}
	}
}

// TestSessionEndpoint_shadowed shows the form, and not the way in circles, to
// somebody whose name the configuration has given to another.
func TestSessionEndpoint_shadowed(t *testing.T) {
	const carol = "user carol pbkdf2_sha256$260000$saltsalt$eI8CoAw/y8JNKY5nootgIPaV/Z8t4mboGwA15GoimXk="
	site := func(users string) string {
		return "{\n{{global}}\nrest_auth {\n{{store}}\n" + users + "\n}\n}\n" + strings.Replace(loginSite, "%s", "redirect_authenticated_user on", 1)
	}
	s := serve(t, site(""))
	s.seed()
	alice, err := s.store().UserByName(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	s.putUser(tokenstore.User{Name: "carol", Active: true, PasswordHash: alice.PasswordHash})
	v := s.visit()
	v.login("carol")
	s.reload(site(carol))
	v.client.CloseIdleConnections()
	v.ask("GET", "/wiki", "", asHTML).redirects(t, 302, "/auth/login/?next=%2Fwiki")
	if got := v.ask("GET", "/auth/login/?next=%2Fwiki", "", asHTML); got.Status != 200 {
		t.Errorf("the login page leads to %q", got.Header.Get("Location"))
	}
}

// TestSessionEndpoint_several has another host of the domain add a cookie of its
// own. Whoever logs out then is logged out for good.
func TestSessionEndpoint_several(t *testing.T) {
	s := serveSessions(t, "")
	for name, added := range map[string]func() string{
		"of another user": func() string {
			other := s.visit()
			other.login("bob")
			return "sessionid=" + other.cookie("sessionid")
		},
		"many": func() string {
			var lines []string
			for i := range 10 {
				lines = append(lines, fmt.Sprintf("sessionid=%032d", i))
			}
			return strings.Join(lines, "; ")
		},
	} {
		v := s.visit()
		csrf := v.login("alice").CSRF
		key := v.cookie("sessionid")
		tossed := "Cookie: " + added()
		if page := v.ask("GET", "/auth/logout/", "", asHTML, tossed); page.Status != 200 || !strings.Contains(page.Body, "<button") || strings.Contains(page.Body, "You are logged out") {
			t.Errorf("%s: the page is %d %s", name, page.Status, page.Body)
		}
		v.ask("POST", "/auth/logout/", "", asHTML, ofForm, tossed, "X-CSRFToken: "+csrf).redirects(t, 303, "/auth/logout/")
		if got := s.get("/x", "Cookie: sessionid="+key); got.Status != 403 {
			t.Errorf("%s: after the logout the session is answered %d", name, got.Status)
		}
	}
}

// TestSessionEndpoint_users logs in people of the configuration, and ends what
// may not go on.
func TestSessionEndpoint_users(t *testing.T) {
	s := serve(t, `{
{{global}}
rest_auth {
	{{store}}
	user carol pbkdf2_sha256$260000$saltsalt$eI8CoAw/y8JNKY5nootgIPaV/Z8t4mboGwA15GoimXk=
}
}
`+strings.Replace(loginSite, "%s", "", 1))
	s.seed()
	v := s.visit()
	in := v.login("carol")
	if *in.Username != "carol" || v.user() != "carol" || len(v.sessions("")) != 1 {
		t.Errorf("carol: %+v", in)
	}
	root := s.visit()
	root.login("root")
	if got := root.sessions("?user=carol"); len(got) != 1 {
		t.Errorf("root sees %+v of carol's", got)
	}

	for what, change := range map[string]func(*tokenstore.User){
		"disabled":                 func(u *tokenstore.User) { u.Active = false },
		"given another password":   func(u *tokenstore.User) { u.PasswordHash += "x" },
		"given no password at all": func(u *tokenstore.User) { u.PasswordHash = "" },
	} {
		name := strings.ReplaceAll(what, " ", "")
		alice, err := s.store().UserByName(t.Context(), "alice")
		if err != nil {
			t.Fatal(err)
		}
		user := s.putUser(tokenstore.User{Name: name, Active: true, PasswordHash: alice.PasswordHash})
		v := s.visit()
		v.login(name)
		if v.user() != name {
			t.Fatalf("%s is not logged in", name)
		}
		change(&user)
		s.putUser(user)
		if got := v.user(); got != "Forbidden" {
			t.Errorf("%s, the session is %s", what, got)
		}
	}
}
