// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
)

// testSessions is what holds of two nodes on one store: who logs in at A is
// logged in at B, and until A says otherwise.
func testSessions(t *testing.T, a, b *node) {
	a.manage(http.MethodPost, "/users", `{"name":"sam","password":"a long secret"}`, nil)
	for name, end := range map[string]func(in *browser){
		"a logout":              func(in *browser) { in.post("/auth/logout/", "") },
		"an end by an operator": func(in *browser) { a.manage(http.MethodDelete, "/sessions/"+in.Session, "", nil) },
		"a changed password": func(*browser) {
			a.manage(http.MethodPut, "/users/sam/password", `{"password":"a long secret"}`, nil)
		},
	} {
		t.Run(name+" ends a session", func(t *testing.T) {
			in := a.browser(t)
			in.post("/auth/login/", `{"username":"sam","password":"a long secret"}`)
			key := in.cookie("sessionid")
			ask := func(n *node) int {
				status, _ := n.request(func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "sessionid", Value: key}) })
				return status
			}
			b.remembers(t, func() int { return ask(b) })
			end(in)
			b.await("401", propagation, func() bool { return ask(b) == http.StatusUnauthorized })
			if got := ask(a); got != http.StatusUnauthorized {
				t.Errorf("answered %d where it ended", got)
			}
		})
	}
}

// A browser is a script's, at one node.
type browser struct {
	*node
	jar     http.CookieJar
	client  *http.Client
	Session string `json:"session"`
	CSRF    string `json:"csrf_token"`
}

func (n *node) browser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{node: n, jar: jar, client: &http.Client{Transport: n.client.Transport, Jar: jar}}
	b.send(http.MethodGet, "/auth/login/", "")
	return b
}

func (b *browser) post(path, body string) {
	b.t.Helper()
	b.send(http.MethodPost, path, body)
}

// send asks as a script does, and keeps what it is told of itself.
func (b *browser) send(method, path, body string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-CSRFToken", b.CSRF)
	status, answer := b.do(b.client, r)
	if status != http.StatusOK || json.Unmarshal([]byte(answer), b) != nil {
		b.t.Fatalf("node %s: %s %s was answered %d: %s", b.name, method, path, status, answer)
	}
}

func (b *browser) cookie(name string) string {
	at, err := url.Parse(b.url)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, cookie := range b.jar.Cookies(at) {
		if cookie.Name == name {
			return cookie.Value
		}
	}
	return ""
}
