// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package entra

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

func TestGraph_isOurs(t *testing.T) {
	g := &Graph{config: GraphConfig{Cloud: Cloud{Graph: "https://graph.microsoft.com"}}}
	for address, want := range map[string]bool{
		"https://graph.microsoft.com/v1.0/me/transitiveMemberOf?$skiptoken=x": true,
		"https://GRAPH.microsoft.com/v1.0/me":                                 true,
		"http://graph.microsoft.com/v1.0/me":                                  false,
		"https://graph.microsoft.com.evil.example/v1.0/me":                    false,
		"https://graph.microsoft.com@evil.example/v1.0/me":                    false,
		"https://user@graph.microsoft.com/v1.0/me":                            false,
		"https://graph.microsoft.com:8443/v1.0/me":                            false,
		"https://graph.microsoft.com/beta/me":                                 false,
		"//graph.microsoft.com/v1.0/me":                                       false,
		"/v1.0/me":                                                            false,
		"":                                                                    false,
		"https://graph.microsoft.com\\.evil.example/v1.0/me":                  false,
	} {
		if got := g.isOurs(address); got != want {
			t.Errorf("isOurs(%s) = %v, want %v", address, got, want)
		}
	}
}

// TestMemory is what is remembered of whom, for how long.
func TestMemory(t *testing.T) {
	var m memory
	now := time.Now()
	asked := 0
	recall := func(key, token string, answer error) ([]string, error) {
		return m.recall(t.Context(), key, token, func() time.Time { return now }, time.Minute, time.Second, func(context.Context) ([]string, error) {
			asked++
			return []string{fmt.Sprint(asked)}, answer
		})
	}
	for _, step := range []struct {
		key, token string
		answer     error
		after      time.Duration
		want       int
	}{
		{"alice", "1", nil, 0, 1},
		{"alice", "2", nil, 0, 1},
		{"alice", "2", nil, 59 * time.Second, 1},
		{"alice", "2", nil, time.Second, 2},
		{"bob", "1", &RefusalError{Err: errNoUser}, 0, 3},
		{"bob", "1", nil, 0, 3},
		{"bob", "2", nil, 0, 4},
		{"carol", "1", unavailable(0, errNextLink), 0, 5},
		{"carol", "2", nil, 0, 5},
		{"carol", "2", nil, 3 * time.Second, 6},
	} {
		now = now.Add(step.after)
		_, _ = recall(step.key, step.token, step.answer)
		if asked != step.want {
			t.Fatalf("%+v: asked %d times", step, asked)
		}
	}
	for i := range maxRemembered + 10 {
		if _, err := recall(fmt.Sprint(i), "", nil); err != nil {
			t.Fatal(err)
		}
	}
	if len(m.known) > maxRemembered {
		t.Errorf("%d are remembered", len(m.known))
	}
}

// TestMemory_gone is a client that leaves: the others get their answer.
func TestMemory_gone(t *testing.T) {
	var m memory
	began, end := make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error)
	ask := func(ctx context.Context) ([]string, error) {
		close(began)
		<-end
		return []string{"g"}, ctx.Err()
	}
	go func() {
		_, err := m.recall(ctx, "alice", "1", time.Now, time.Minute, time.Minute, ask)
		left <- err
	}()
	<-began
	cancel()
	if _, ok := errors.AsType[*auth.Unavailable](<-left); !ok {
		t.Error("who left was told something else")
	}
	stayed := make(chan []string)
	go func() {
		groups, _ := m.recall(t.Context(), "alice", "1", time.Now, time.Minute, time.Minute, ask)
		stayed <- groups
	}()
	close(end)
	if got := <-stayed; len(got) != 1 {
		t.Errorf("who stayed got %v", got)
	}
}

// TestPauses is who is left alone for how long.
func TestPauses(t *testing.T) {
	now := time.Now()
	for name, test := range map[string]struct {
		status int
		after  string
		want   time.Duration
	}{
		"good":                {200, "", 0},
		"good, with a header": {200, "30", 0},
		"throttled":           {429, "30", 30 * time.Second},
		"no time":             {429, "", shortPause},
		"a date":              {429, "Fri, 31 Dec 2027 23:59:59 GMT", shortPause},
		"below zero":          {429, "-9", shortPause},
		"a day":               {429, "86400", longPause},
		"down":                {503, "", 0},
		"down for a while":    {503, "7", 7 * time.Second},
		"an error":            {500, "7", 0},
	} {
		var p pauses
		p.note("a", now, test.status, http.Header{"Retry-After": {test.after}})
		if got, other := p.left("a", now), p.left("b", now); got != test.want || other != 0 {
			t.Errorf("%s: %v, want %v; another tenant %v", name, got, test.want, other)
		}
		if got := p.left("a", now.Add(test.want)); got != 0 {
			t.Errorf("%s: %v afterwards", name, got)
		}
	}
	var p pauses
	for i := range 2 * maxPauses {
		p.note(fmt.Sprint(i), now, http.StatusTooManyRequests, nil)
	}
	if len(p.until) > maxPauses {
		t.Errorf("%d pauses are known", len(p.until))
	}
}

// FuzzGraph has Graph and the token endpoint answer anything: groups, or an
// error that is the server's.
func FuzzGraph(f *testing.F) {
	var status int
	var body string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	f.Cleanup(server.Close)
	f.Add(200, `{"value":[{"id":"a","displayName":"b"}]}`, true)
	f.Add(200, `{"access_token":"t","expires_in":1e99}`, false)
	f.Add(400, `{"error":"interaction_required","error_codes":[50076],"claims":"{}"}`, false)
	f.Add(200, `{"value":[],"@odata.nextLink":"`+server.URL+`/v1.0/me"}`, true)
	g, err := NewGraph(GraphConfig{
		Cloud: Cloud{Authority: server.URL, Graph: server.URL}, Flow: OnBehalfOf,
		Outbound: outbound.Settings{AllowHTTP: true, AllowInternal: []string{"loopback"}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(g.Close)
	f.Fuzz(func(t *testing.T, code int, text string, page bool) {
		if code < 200 || code > 599 {
			return
		}
		status, body = code, text
		if page {
			_, err = g.page(t.Context(), "tenant", server.URL+"/v1.0/me", "token")
		} else {
			_, err = g.exchange(t.Context(), "tenant", "assertion")
		}
		if err == nil {
			return
		}
		refusal, refused := errors.AsType[*RefusalError](err)
		if _, down := errors.AsType[*auth.Unavailable](err); !down && !refused {
			t.Errorf("%d %q: %v", code, text, err)
		}
		if refused && refusal.Claims != "" && !json.Valid([]byte(refusal.Claims)) {
			t.Errorf("claims %q", refusal.Claims)
		}
	})
}
