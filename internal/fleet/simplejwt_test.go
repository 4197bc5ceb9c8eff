// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

type jwtPair struct{ Access, Refresh string }

// postJWT asks the endpoint of simplejwt, and returns the pair if there is one.
func (n *node) postJWT(path, body string) (status int, pair jwtPair, text string) {
	status, text = n.request(func(r *http.Request) {
		r.Method = http.MethodPost
		r.URL.Path = "/api/token/" + path
		r.Header.Set("Content-Type", "application/json")
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	})
	_ = json.Unmarshal([]byte(text), &pair)
	return status, pair, text
}

func (n *node) askOwn(token string) int {
	status, _ := n.request(func(r *http.Request) {
		r.URL.Path = "/own"
		r.Header.Set("Authorization", "Bearer "+token)
	})
	return status
}

// testSimpleJWT logs in at one node and goes on at the other: keys, refresh tokens
// and logouts are those of both.
func testSimpleJWT(t *testing.T, a, b *node) {
	a.manage(http.MethodPost, "/users", `{"name":"jwt","password":"correct horse"}`, nil)
	const login = `{"username":"jwt","password":"correct horse"}`
	status, first, text := a.postJWT("", login)
	if status != http.StatusOK {
		t.Fatalf("the login: %d %s", status, text)
	}
	for _, n := range []*node{a, b} {
		if status := n.askOwn(first.Access); status != http.StatusOK {
			t.Errorf("node %s answers %d", n.name, status)
		}
	}

	// Of those who refresh at once, wherever, all get one pair.
	texts := make([]string, 20)
	var group sync.WaitGroup
	for i := range texts {
		n := []*node{a, b}[i%2]
		group.Go(func() {
			status, _, text := n.postJWT("refresh/", `{"refresh":"`+first.Refresh+`"}`)
			if texts[i] = text; status != http.StatusOK {
				t.Errorf("node %s answers %d %s", n.name, status, text)
			}
		})
	}
	group.Wait()
	for _, text := range texts {
		if text != texts[0] {
			t.Fatalf("one gets %s, another %s", texts[0], text)
		}
	}
	_, second, _ := b.postJWT("refresh/", `{"refresh":"`+first.Refresh+`"}`)
	if second.Refresh == "" || second.Refresh == first.Refresh {
		t.Fatalf("the next refresh token is %q", second.Refresh)
	}

	// A new key signs at once; the other node looks for it.
	a.manage(http.MethodPost, "/signing_keys/simplejwt/rotate", `{"now":true}`, nil)
	_, fresh, _ := a.postJWT("", login)
	b.await("a token of the new key", 5*time.Second, func() bool { return b.askOwn(fresh.Access) == http.StatusOK })
	if status := b.askOwn(second.Access); status != http.StatusOK {
		t.Errorf("a token of the old key is answered %d", status)
	}

	// A logout at one node is one at both.
	b.remembers(t, func() int { return b.askOwn(second.Access) })
	if status, _, text := a.postJWT("blacklist/", `{"refresh":"`+second.Refresh+`"}`); status != http.StatusOK {
		t.Errorf("the logout: %d %s", status, text)
	}
	if status := a.askOwn(second.Access); status != http.StatusUnauthorized {
		t.Errorf("after the logout %d", status)
	}
	b.await("401", propagation, func() bool { return b.askOwn(second.Access) == http.StatusUnauthorized })
	if status, _, _ := b.postJWT("refresh/", `{"refresh":"`+second.Refresh+`"}`); status != http.StatusUnauthorized {
		t.Errorf("a refresh after the logout is answered %d", status)
	}
	if status := b.askOwn(fresh.Access); status != http.StatusOK {
		t.Errorf("another login is answered %d", status)
	}
}
