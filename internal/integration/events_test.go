// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/google/go-cmp/cmp"
)

func init() { caddy.RegisterModule(new(testListener)) }

// testListener keeps the events of ours that it is told of, with what it would
// pass to a program.
type testListener struct {
	Text string `json:"text,omitempty"`
}

var (
	heardMu sync.Mutex
	heard   []heardEvent
)

type heardEvent struct {
	Name, Origin, Text string
	Data               map[string]any
}

func (*testListener) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "events.handlers.test_listener", New: func() caddy.Module { return new(testListener) }}
}

func (l *testListener) Handle(ctx context.Context, e caddy.Event) error {
	if !strings.HasPrefix(e.Name(), "auth_") {
		return nil
	}
	replacer, ok := ctx.Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	if !ok {
		return fmt.Errorf("no replacer")
	}
	heardMu.Lock()
	defer heardMu.Unlock()
	heard = append(heard, heardEvent{e.Name(), string(e.Origin().CaddyModule().ID), replacer.ReplaceAll(l.Text, ""), e.Data})
	return nil
}

func (l *testListener) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	if d.NextArg() {
		l.Text = d.Val()
	}
	return nil
}

// takeHeard returns the events since it was last called.
func takeHeard() []heardEvent {
	heardMu.Lock()
	defer heardMu.Unlock()
	taken := heard
	heard = nil
	return taken
}

const eventsSite = `{
	{{global}}
	events {
		on auth_failed test_listener "{event.data.candidate}|{event.data.code}|{event.data.client_ip}"
		on auth_succeeded test_listener "{event.data.user}"
	}
	rest_auth {
		{{store}}
		events
	}
}
{{site}} {
	rest_auth /quiet* {
		authenticate token
		require allow_any
		events off
	}
	@judged not path /quiet*
	rest_auth @judged {
		authenticate token
		authenticate basic
		cors https://app.example
		require any {
			read_only
			staff
		}
		require not group suspended
	}
	respond "in"
}`

func TestEvents(t *testing.T) {
	s := serve(t, eventsSite)
	s.seed()
	takeHeard()
	data := func(pairs ...string) map[string]any {
		values := map[string]any{"client_ip": "127.0.0.1", "method": "GET", "path": "/x", "host": strings.TrimPrefix(s.URL, "http://")}
		for i := 0; i < len(pairs); i += 2 {
			values[pairs[i]] = pairs[i+1]
		}
		return values
	}
	failed := func(status int, text string, pairs ...string) []heardEvent {
		values := data(pairs...)
		values["status"] = status
		return []heardEvent{{"auth_failed", "http.handlers.rest_auth", text, values}}
	}
	user, err := s.store().UserByName(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	succeeded := []heardEvent{{
		"auth_succeeded", "http.handlers.rest_auth", "alice",
		data("authenticator", "token", "credential", "id-token-alice", "user", "alice", "user_key", user.Key),
	}}

	for _, row := range []struct {
		method string
		lines  []string
		want   []heardEvent
	}{
		{"GET", []string{token("token-alice")}, succeeded},
		{"GET", []string{token("token-alice")}, succeeded}, // remembered
		{"GET", nil, nil}, // allowed for nobody
		{"POST", nil, failed(401, "|not_authenticated|127.0.0.1", "method", "POST", "authenticator", "", "credential", "",
			"candidate", "", "candidate_key", "", "code", "not_authenticated", "detail", "Authentication credentials were not provided.")},
		{"POST", []string{token("token-alice")}, failed(403, "alice|permission_denied|127.0.0.1", "method", "POST", "authenticator", "token",
			"credential", "id-token-alice", "candidate", "alice", "candidate_key", user.Key,
			"code", "permission_denied", "detail", "You do not have permission to perform this action.")},
		{"GET", []string{token("canary")}, failed(401, "|authentication_failed|127.0.0.1", "authenticator", "token", "credential", "",
			"candidate", "", "candidate_key", "", "code", "authentication_failed", "detail", "Invalid token.")},
		{"GET", []string{basic("alice", "canary")}, failed(401, "alice|authentication_failed|127.0.0.1", "authenticator", "basic",
			"credential", "", "candidate", "alice", "candidate_key", user.Key,
			"code", "authentication_failed", "detail", "Invalid username/password.")},
		{"OPTIONS", []string{"Origin: https://app.example", "Access-Control-Request-Method: GET"}, nil},
	} {
		s.do(row.method, "/x?token=canary", row.lines...)
		got := takeHeard()
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s %q: (-want +got)\n%s", row.method, row.lines, diff)
		}
		if text, err := json.Marshal(got); err != nil || strings.Contains(string(text), "canary") {
			t.Errorf("%q: an event has a secret: %s, %v", row.lines, text, err)
		}
	}
	s.get("/quiet", token("token-alice"))
	s.get("/quiet", token("wrong"))
	s.explain("GET", "/x", token("token-alice"))
	s.explain("GET", "/x", token("wrong"))
	if got := takeHeard(); got != nil {
		t.Errorf("what is off, or only explained, is told of: %v", got)
	}
}

// Without the word nobody is told, whoever listens.
func TestEventsAreOff(t *testing.T) {
	s := serve(t, strings.Replace(eventsSite, "\t\tevents\n", "", 1))
	s.seed()
	takeHeard()
	s.get("/x", token("token-alice"))
	s.get("/x", token("wrong"))
	if got := takeHeard(); got != nil {
		t.Errorf("events: %v", got)
	}
}

// A subscriber that fails, or aborts, decides nothing.
func TestEventsDecideNothing(t *testing.T) {
	s := serve(t, strings.Replace(eventsSite, "{event.data.user}\"", "{event.data.user}\"\non auth_succeeded test_aborting", 1))
	s.seed()
	takeHeard()
	if got := s.get("/x", token("token-alice")).Status; got != 200 {
		t.Errorf("status %d", got)
	}
}

func init() { caddy.RegisterModule(new(testAborting)) }

// testAborting aborts every event.
type testAborting struct{}

func (*testAborting) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "events.handlers.test_aborting", New: func() caddy.Module { return new(testAborting) }}
}

func (*testAborting) Handle(context.Context, caddy.Event) error { return caddy.ErrEventAborted }

func (*testAborting) UnmarshalCaddyfile(d *caddyfile.Dispenser) error { return noArgs(d) }
