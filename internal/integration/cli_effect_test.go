// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

const managedSite = `{
{{global}}
rest_auth {
	store memory
}
}
{{site}} {
	rest_auth {
		authenticate basic
		authenticate token
	}
	respond "in"
}
`

// admin sends a request to the admin API and decodes what it answers.
func (s *server) admin(want int, method, path, body string, lines ...string) map[string]any {
	s.t.Helper()
	if body != "" && len(lines) == 0 {
		lines = []string{"Content-Type: application/json"}
	}
	got := s.send(method, "http://"+s.Admin+"/rest_auth/"+path, strings.NewReader(body), lines...)
	if got.Status != want {
		s.t.Fatalf("%s %s = %d %s, want %d", method, path, got.Status, got.Body, want)
	}
	var answer map[string]any
	if got.Body != "" && json.Unmarshal([]byte(got.Body), &answer) != nil {
		s.t.Fatalf("%s %s answers %q", method, path, got.Body)
	}
	return answer
}

// TestAdminTakesEffect follows each change by a request that must already be
// decided by it, although the credentials were remembered before.
func TestAdminTakesEffect(t *testing.T) {
	s := serve(t, managedSite)
	knows := func(when string, want int, line string) {
		t.Helper()
		if got := s.get("/", line); got.Status != want {
			t.Errorf("%s: %d, want %d", when, got.Status, want)
		}
	}
	issue := func(path, body string) (handle, line string) {
		t.Helper()
		answer := s.admin(http.StatusCreated, "POST", path, body)
		return answer["handle"].(string), token(answer["token"].(string))
	}
	s.admin(201, "POST", "users", `{"name":"alice","password":"correct horse"}`)
	first, firstLine := issue("tokens", `{"user":"alice"}`)
	password := basic("alice", "correct horse")
	knows("issued", 200, firstLine)
	knows("password", 200, password)

	second, secondLine := issue("tokens/"+first+"/rotate", `{"grace":"1h"}`)
	knows("rotated, within the grace", 200, firstLine)
	knows("successor", 200, secondLine)
	_, thirdLine := issue("tokens/"+second+"/rotate", `{}`)
	knows("rotated, without a grace", 401, secondLine)
	knows("second successor", 200, thirdLine)

	s.admin(204, "DELETE", "tokens/"+first, "")
	knows("revoked", 401, firstLine)

	s.admin(200, "PATCH", "users/alice", `{"active":false}`)
	knows("token of a disabled user", 401, thirdLine)
	knows("password of a disabled user", 401, password)
	s.admin(200, "PATCH", "users/alice", `{"active":true}`)
	knows("token of an enabled user", 200, thirdLine)

	s.admin(200, "PUT", "users/alice/password", `{"password":"battery staple"}`)
	knows("old password", 401, password)
	knows("new password", 200, basic("alice", "battery staple"))
	knows("token after a new password", 200, thirdLine)

	s.admin(204, "DELETE", "users/alice", "")
	knows("token of a deleted user", 401, thirdLine)
	knows("password of a deleted user", 401, basic("alice", "battery staple"))
}

// TestAdminAfterReload asks the configuration that runs now.
func TestAdminAfterReload(t *testing.T) {
	s := serve(t, managedSite)
	s.admin(201, "POST", "users", `{"name":"alice"}`)
	s.reload(managedSite)
	s.admin(200, "GET", "users/alice", "")
	s.reload("{\n{{global}}\n}\n{{site}} {\nrespond hello\n}\n")
	s.admin(404, "GET", "users/alice", "")
}

// TestAdminFromBrowsers refuses what a page of another origin can make a
// browser send.
func TestAdminFromBrowsers(t *testing.T) {
	s := serve(t, managedSite)
	user := `{"name":"mallory","superuser":true}`
	s.admin(415, "POST", "users", user, "Content-Type: text/plain")
	s.admin(415, "POST", "users", user, "Content-Type: application/x-www-form-urlencoded")
	s.admin(403, "POST", "users", user, "Content-Type: application/json", "Origin: https://evil.example")
	s.admin(400, "POST", "users", user, "Content-Type: application/json", "Sec-Fetch-Mode: no-cors")
	s.admin(403, "DELETE", "users/alice", "", "Origin: https://evil.example")
	s.admin(404, "GET", "users/mallory", "")
}
