// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"database/sql"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// TestLockedStore has another process hold the lock of the file while clients
// log in and out: everybody is told to come back later, nothing is half done,
// and who comes back is served.
func TestLockedStore(t *testing.T) {
	s := serve(t, `{
	{{global}}
	rest_auth {
		{{store}} {
			busy_timeout 200ms
		}
		login_throttle off
	}
}
{{site}} {
	rest_auth_endpoints {
		authtoken /authtoken/
		knox /knox/ {
			authenticate basic
		}
		durin /durin/
		tokens /tokens/ {
			authenticate basic
		}
		session /session/
	}
	rest_auth {
		authenticate token
		require authenticated
	}
	respond "in"
}
`)
	s.seed()
	if got := s.get("/tokens/", basic("alice", "pw")); got.Status != 200 {
		t.Fatalf("before: %d %s", got.Status, got.Body)
	}
	login := s.send("POST", s.URL+"/knox/login/", nil, basic("alice", "pw"))
	if login.Status != 200 {
		t.Fatalf("before: %d %s", login.Status, login.Body)
	}
	knox := strings.Split(login.Body, `"`)
	mine := token(knox[len(knox)-2])
	count := func() int {
		t.Helper()
		page, _, err := s.store().List(t.Context(), tokenstore.Filter{}, "", 1000)
		if err != nil {
			t.Fatal(err)
		}
		return len(page)
	}
	before := count()

	other, err := sql.Open("sqlite", "file:"+filepath.Join(s.vars["{{dir}}"], "rest_auth.db")+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	lock, err := other.Begin()
	if err != nil {
		t.Fatal(err)
	}
	asks := []struct {
		path, body string
		lines      []string
	}{
		{"/authtoken/", `{"username":"bob","password":"pw"}`, []string{ofJSON}},
		{"/knox/login/", ``, []string{basic("alice", "pw")}},
		{"/knox/logout/", ``, []string{mine}},
		{"/knox/logoutall/", ``, []string{mine}},
		{"/tokens/", `{}`, []string{ofJSON, basic("alice", "pw")}},
		{"/tokens/revoke/", ``, []string{basic("alice", "pw")}},
	}
	var group sync.WaitGroup
	for _, ask := range asks {
		group.Go(func() {
			got := s.send(http.MethodPost, s.URL+ask.path, strings.NewReader(ask.body), ask.lines...)
			if got.Status != 503 || got.Header.Get("Retry-After") == "" {
				t.Errorf("%s while the file is locked: %d %s", ask.path, got.Status, got.Body)
			}
		})
	}
	group.Wait()
	if err := lock.Rollback(); err != nil {
		t.Fatal(err)
	}
	if after := count(); after != before {
		t.Errorf("%d records, were %d", after, before)
	}
	if got := s.get("/", mine); got.Status != 200 {
		t.Errorf("a token whose logout failed: %d", got.Status)
	}
	for _, ask := range asks {
		if got := s.send(http.MethodPost, s.URL+ask.path, strings.NewReader(ask.body), ask.lines...); got.Status >= 300 && got.Status != 401 {
			t.Errorf("%s afterwards: %d %s", ask.path, got.Status, got.Body)
		}
	}
	if got := s.get("/", mine); got.Status != 401 {
		t.Errorf("a token whose logout succeeded: %d", got.Status)
	}
}
