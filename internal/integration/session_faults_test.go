// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

// serveFailingSessions serves a site with logins over a store that fails when it
// is told to.
func serveFailingSessions(t *testing.T) (*server, interface {
	FailAt(n int)
	LoseAt(n int)
	Down(down bool)
	Calls() []string
},
) {
	t.Helper()
	s := serve(t, "{\n{{global}}\nrest_auth {\nstore test_failing "+t.Name()+"\n}\n}\n"+strings.Replace(loginSite, "%s", "", 1))
	s.seed()
	failingMu.Lock()
	defer failingMu.Unlock()
	return s, failingStores[t.Name()]
}

// TestSessionEndpoint_everyStoreCallFails lets each call of the store fail in
// turn, or lose its answer. Nobody is told of a login or a logout that was
// none.
func TestSessionEndpoint_everyStoreCallFails(t *testing.T) {
	s, store := serveFailingSessions(t)
	for _, how := range []struct {
		name string
		at   func(n int)
	}{{"fails", store.FailAt}, {"loses its answer", store.LoseAt}} {
		for n := 1; ; n++ {
			v := s.visit()
			csrf := v.ask("GET", "/auth/login/", "", asJSON).state(t).CSRF
			how.at(n)
			got := v.ask("POST", "/auth/login/", `{"username":"alice","password":"pw"}`, asJSON, ofJSON, "X-CSRFToken: "+csrf)
			calls := len(store.Calls())
			store.FailAt(0)
			in := v.cookie("sessionid") != ""
			if in != (got.Status == http.StatusOK) || got.Status != http.StatusOK && (got.Status != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "") {
				t.Errorf("login, call %d %s: %d %s, with a session: %t", n, how.name, got.Status, got.Body, in)
			}
			if in && v.user() != "alice" {
				t.Errorf("login, call %d %s: the session is %s", n, how.name, v.user())
			}
			if calls < n {
				break
			}
		}
		for n := 1; ; n++ {
			v := s.visit()
			csrf := v.login("alice").CSRF
			session := v.cookie("sessionid")
			how.at(n)
			got := v.ask("POST", "/auth/logout/", "", asJSON, "X-CSRFToken: "+csrf)
			calls := len(store.Calls())
			store.FailAt(0)
			alive := s.get("/x", "Cookie: sessionid="+session).Status == http.StatusOK
			switch {
			case got.Status == http.StatusOK && alive:
				t.Errorf("logout, call %d %s: success, and the session lives", n, how.name)
			case got.Status != http.StatusOK && (got.Status != http.StatusServiceUnavailable || v.cookie("sessionid") != session):
				t.Errorf("logout, call %d %s: %d %s, cookie %q", n, how.name, got.Status, got.Body, v.cookie("sessionid"))
			}
			if calls < n {
				break
			}
		}
	}
}

func TestSessionEndpoint_storeDown(t *testing.T) {
	s, store := serveFailingSessions(t)
	v := s.visit()
	v.login("alice")
	fresh := s.visit()
	form := url.Values{"username": {"bob"}, "password": {"pw"}, "next": {"/x"}, "csrfmiddlewaretoken": {fresh.token()}}.Encode()
	forms := url.Values{"csrfmiddlewaretoken": {v.token()}}.Encode()
	store.Down(true)
	for _, row := range []struct {
		who                *visit
		method, path, body string
		want               string // on the page
	}{
		{fresh, "POST", "/auth/login/", form, `value="bob"`},
		{v, "GET", "/auth/login/", "", "Something went wrong"},
		{v, "GET", "/auth/logout/", "", "Something went wrong"},
		{v, "POST", "/auth/logout/", forms, "Something went wrong"},
		{v, "GET", "/auth/sessions/", "", "Something went wrong"},
		{v, "POST", "/auth/sessions/", forms, "Something went wrong"},
		{v, "POST", "/auth/sessions/x/", forms, "Something went wrong"},
	} {
		got := row.who.ask(row.method, row.path, row.body, asHTML, ofForm)
		if got.Status != 503 || got.Header.Get("Retry-After") == "" || !strings.Contains(got.Body, row.want) ||
			!strings.Contains(got.Body, "This does not work at the moment. Please try again in 1 second.") {
			t.Errorf("%s %s: %d %s", row.method, row.path, got.Status, got.Body)
		}
	}
	// Who has no session needs no store to see the form.
	if got := s.visit().ask("GET", "/auth/login/", "", asHTML); got.Status != 200 {
		t.Errorf("the form: %d", got.Status)
	}
	store.Down(false)
	if v.user() != "alice" {
		t.Error("alice is not logged in any more")
	}
}

// TestSessionEndpoint_guesses is slowed down as on every way to a password.
func TestSessionEndpoint_guesses(t *testing.T) {
	s := serveSessions(t, "")
	v := s.visit()
	for n := 1; n <= 6; n++ {
		got := v.form("/auth/login/", "username", "alice", "password", "wrong")
		if got.Status == 400 {
			continue
		}
		wait, err := strconv.Atoi(got.Header.Get("Retry-After"))
		if n < 5 || got.Status != 429 || err != nil || wait < 1 || !strings.Contains(got.Body, "Too many attempts. Please try again in "+strconv.Itoa(wait)+" second") {
			t.Errorf("guess %d: %d, Retry-After %q, %s", n, got.Status, got.Header.Get("Retry-After"), got.Body)
		}
		if got := v.ask("POST", "/auth/login/", `{"username":"alice","password":"pw"}`, asJSON, ofJSON, "X-CSRFToken: "+v.token()); got.Status != 429 {
			t.Errorf("the right password, too early: %d %s", got.Status, got.Body)
		}
		return
	}
	t.Error("guessing goes on and on")
}

// TestSessionEndpoint_hostile sends what no browser would. Nothing is a 5xx, and
// nothing takes long.
func TestSessionEndpoint_hostile(t *testing.T) {
	s := serveSessions(t, "remember_me on")
	v := s.visit()
	in := v.login("alice")
	csrf := "X-CSRFToken: " + in.CSRF
	deep := strings.Repeat("[", 10_000)
	bodies := []string{
		"", "null", "true", "[]", "{}", `"x"`, deep, `{"username":` + deep, "\xef\xbb\xbf{}", "\xff\xfe{\x00}\x00", `{"username":NaN,"password":Infinity}`,
		`{"username":"a","username":"b","password":"c"}`, `{"username":{"a":1},"password":["x"]}`, "username=%zz&password=%00", "a=b&" + strings.Repeat("x=y&", 5000),
		"--x\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\nalice\r\n", strings.Repeat("x", 70_000), "\x1f\x8b\x08\x00",
		`{"username":"\ud800","password":"x"}`, `{"remember":"perhaps","username":"a","password":"b"}`,
	}
	types := []string{
		"application/json", "application/json; charset=utf-16", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
		"multipart/form-data", "text/plain", "", ";;;", strings.Repeat("x", 5000),
	}
	for _, path := range []string{"/auth/login/", "/auth/logout/", "/auth/sessions/x/"} {
		for i, body := range bodies {
			for _, contentType := range types {
				for _, accept := range []string{asJSON, asHTML, "Accept: " + strings.Repeat("text/html;q=0.1,", 200)} {
					began := time.Now()
					got := s.send("POST", s.URL+path, strings.NewReader(body), accept, "Content-Type: "+contentType, csrf, "Cookie: csrftoken="+v.cookie("csrftoken"))
					if got.Status >= 500 || got.Status < 200 || time.Since(began) > 5*time.Second {
						t.Errorf("POST %s, body %d as %.40s: %d after %v", path, i, contentType, got.Status, time.Since(began))
					}
				}
			}
		}
	}
	for _, query := range []string{"next=" + strings.Repeat("x", 8000), "next=%00", "next=%FF", ";", "next=/&next=//evil.example", "user=%00", "cursor=%00", "%zz"} {
		for _, path := range []string{"/auth/login/", "/auth/logout/", "/auth/sessions/"} {
			if got := v.ask("GET", path+"?"+query, "", asHTML); got.Status >= 500 {
				t.Errorf("GET %s?%.40s: %d", path, query, got.Status)
			}
		}
	}
	for _, cookie := range []string{
		"sessionid=", "sessionid=" + strings.Repeat("a", 32), "csrftoken=\"; sessionid=\xff", strings.Repeat("sessionid=x; ", 300),
		"csrftoken=" + strings.Repeat("é", 64), fmt.Sprint("sessionid=", strings.Repeat("a", 9000)),
	} {
		for _, accept := range []string{asHTML, asJSON} {
			if got := s.get("/auth/sessions/", accept, "Cookie: "+cookie); got.Status != 302 && got.Status != 403 {
				t.Errorf("cookie %.40q: %d", cookie, got.Status)
			}
			if got := s.get("/auth/login/", accept, "Cookie: "+cookie); got.Status != 200 {
				t.Errorf("cookie %.40q: %d", cookie, got.Status)
			}
		}
	}
}

// TestSessionEndpoint_logs says who came and went, and nothing by which somebody
// else could come.
func TestSessionEndpoint_logs(t *testing.T) {
	s := serveSessions(t, "")
	v := s.visit()
	v.form("/auth/login/", "username", "alice", "password", "the wrong password")
	in := v.login("alice")
	session, csrf := v.cookie("sessionid"), v.cookie("csrftoken")
	v.user()
	v.form("/auth/logout/").redirects(t, 303, "/auth/logout/")
	s.logs.await("logged out", 1)
	for _, message := range []string{"logged in", "logged out"} {
		lines := s.logs.await(message, 1)
		if line := lines[0]; len(lines) != 1 || line["user"] != "alice" || line["client_ip"] != "127.0.0.1" || line["credential"] != *in.Session || line["level"] != "info" {
			t.Errorf("%s: %v", message, lines)
		}
	}
	refused := s.logs.await("credentials refused", 1)
	if line := refused[0]; line["user"] != "alice" || line["client_ip"] != "127.0.0.1" {
		t.Errorf("a wrong password: %v", line)
	}
	for _, secret := range []string{session, csrf, in.CSRF, "the wrong password"} {
		if strings.Contains(s.logs.text(), secret) {
			t.Errorf("the log has %q", secret)
		}
	}
}
