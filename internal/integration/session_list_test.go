// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"strings"
	"testing"
)

type listedSession struct {
	Handle    string  `json:"handle"`
	Current   bool    `json:"current"`
	Created   string  `json:"created"`
	LastUsed  *string `json:"last_used"`
	Expires   *string `json:"expires"`
	Remember  bool    `json:"remember"`
	Address   string  `json:"address"`
	UserAgent string  `json:"user_agent"`
}

func (v *visit) sessions(query string) (listed []listedSession) {
	v.t.Helper()
	got := v.ask("GET", "/auth/sessions/"+query, "", asJSON)
	var answer struct {
		Sessions []listedSession `json:"sessions"`
	}
	if got.Status != 200 || json.Unmarshal([]byte(got.Body), &answer) != nil || answer.Sessions == nil {
		v.t.Fatalf("GET sessions/%s: %d %s", query, got.Status, got.Body)
	}
	return answer.Sessions
}

func (v *visit) end(path string) reply {
	v.t.Helper()
	csrf := v.ask("GET", "/auth/login/", "", asJSON).state(v.t).CSRF
	return v.ask("DELETE", "/auth/sessions/"+path, "", asJSON, "X-CSRFToken: "+csrf)
}

func TestSessionEndpoint_list(t *testing.T) {
	s := serveSessions(t, "")
	desk, phone, tablet, bob := s.visit(), s.visit(), s.visit(), s.visit()
	in := desk.login("alice")
	phone.login("alice")
	tablet.login("alice")
	bob.login("bob")

	listed := desk.sessions("")
	if len(listed) != 3 || !listed[0].Current || listed[1].Current || listed[0].Handle != *in.Session || listed[0].Address != "127.0.0.1" ||
		listed[0].UserAgent != "Go-http-client/1.1" || !listed[0].Remember || listed[0].Expires == nil || *listed[0].Expires != *in.Expires {
		t.Fatalf("alice's sessions: %+v", listed)
	}
	anonymous := s.visit()
	if got := anonymous.ask("GET", "/auth/sessions/", "", asJSON); got.Status != 403 || got.Body != notAuthenticated {
		t.Errorf("nobody's sessions: %d %s", got.Status, got.Body)
	}
	anonymous.ask("GET", "/auth/sessions/", "", asHTML).redirects(t, 302, "/auth/login/?next=%2Fauth%2Fsessions%2F")
	if got := anonymous.ask("DELETE", "/auth/sessions/", "", asJSON); got.Status != 403 || got.Body != notAuthenticated {
		t.Errorf("nobody ends sessions: %d %s", got.Status, got.Body)
	}
	if got := desk.ask("GET", "/auth/sessions/?user=bob", "", asJSON); got.Status != 403 || got.Body != deniedBody {
		t.Errorf("alice asks for bob's: %d %s", got.Status, got.Body)
	}
	if got := desk.ask("GET", "/auth/sessions/?cursor=%FF", "", asJSON); got.Status != 404 && got.Status != 200 {
		t.Errorf("a forged cursor: %d %s", got.Status, got.Body)
	}

	// Ending takes a CSRF token, and one's own handle.
	if got := desk.ask("DELETE", "/auth/sessions/"+listed[1].Handle+"/", "", asJSON); got.Body != detail("CSRF Failed: CSRF token missing.") {
		t.Errorf("without a token: %d %s", got.Status, got.Body)
	}
	bobs := bob.sessions("")[0].Handle
	for _, handle := range []string{bobs, "nothing", "%00", strings.Repeat("x", 2000)} {
		if got := desk.end(handle); got.Status != 404 || got.Body != detail("Not found.") {
			t.Errorf("alice ends %.20s: %d %s", handle, got.Status, got.Body)
		}
	}
	if got := desk.end(listed[1].Handle); got.Status != 204 || got.Body != "" || phone.user() != "Forbidden" || tablet.user() != "alice" {
		t.Errorf("alice ends another: %d %s", got.Status, got.Body)
	}
	if got := desk.end(""); got.Status != 200 || got.Body != `{"ended":1}` || tablet.user() != "Forbidden" || desk.user() != "alice" || bob.user() != "bob" {
		t.Errorf("alice ends all others: %d %s", got.Status, got.Body)
	}
	if got := desk.end(*in.Session); got.Status != 204 || desk.user() != "Forbidden" || desk.cookie("sessionid") != "" {
		t.Errorf("alice ends her own: %d %s", got.Status, got.Body)
	}

	// Staff see and end those of any user.
	desk.login("alice")
	if got := bob.sessions("?user=alice"); len(got) != 1 || got[0].Current {
		t.Errorf("bob sees %+v", got)
	}
	if got := bob.ask("GET", "/auth/sessions/?user=carol", "", asJSON); got.Status != 404 || got.Body != detail("Not found.") {
		t.Errorf("bob asks for nobody's: %d %s", got.Status, got.Body)
	}
	page := bob.ask("GET", "/auth/sessions/?user=alice", "", asHTML)
	if page.Status != 200 || !strings.Contains(page.Body, "logged in as <strong>alice</strong>") || !strings.Contains(page.Body, `action="/auth/sessions/?user=alice"`) {
		t.Errorf("bob's page of alice's: %d %s", page.Status, page.Body)
	}
	token := hiddenToken.FindStringSubmatch(page.Body)
	bob.post("/auth/sessions/?user=alice", "csrfmiddlewaretoken", token[1]).redirects(t, 303, "/auth/sessions/?user=alice")
	if desk.user() != "Forbidden" || bob.user() != "bob" {
		t.Error("bob did not end alice's sessions, or ended his own")
	}
	// On a page a bad token is a page.
	if got := bob.post("/auth/sessions/", "csrfmiddlewaretoken", strings.Repeat("x", 64)); got.Status != 403 || !strings.Contains(got.Body, "<h1>No access</h1>") {
		t.Errorf("a bad token on the page: %d %s", got.Status, got.Body)
	}
	// A path below is none of the form's.
	if got := bob.post("/auth/sessions/login/", "csrfmiddlewaretoken", bob.token()); got.Status != 404 || strings.Contains(got.Body, "password") {
		t.Errorf("a session called login: %d %s", got.Status, got.Body)
	}
	bob.post("/auth/sessions/"+bobs+"/", "csrfmiddlewaretoken", bob.token()).redirects(t, 303, "/auth/logout/")
	if bob.user() != "Forbidden" || bob.cookie("sessionid") != "" {
		t.Error("bob is logged in still")
	}
}

// TestSessionEndpoint_list_basic has a browser send a password along with a form
// of another site.
func TestSessionEndpoint_list_basic(t *testing.T) {
	s := serveSessions(t, "authenticate session\nauthenticate basic")
	desk := s.visit()
	handle := *desk.login("alice").Session
	for _, path := range []string{"/auth/sessions/", "/auth/sessions/" + handle + "/"} {
		for _, accept := range []string{asHTML, asJSON, "Accept: */*"} {
			for _, origin := range []string{"Origin: https://evil.example", "X-Other: x"} {
				if got := s.do("POST", path, basic("alice", "pw"), accept, origin); got.Status != 403 || desk.user() != "alice" {
					t.Errorf("POST %s with %s, %s: %d %s", path, accept, origin, got.Status, got.Body)
				}
			}
		}
	}
	if got := s.do("DELETE", "/auth/sessions/"+handle+"/", basic("alice", "pw"), asJSON); got.Status != 204 || desk.user() != "Forbidden" {
		t.Errorf("a program: %d %s", got.Status, got.Body)
	}
}

// token returns a token for a form, as its page has one.
func (v *visit) token() string {
	v.t.Helper()
	return v.ask("GET", "/auth/login/", "", asJSON).state(v.t).CSRF
}
