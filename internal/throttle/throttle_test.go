// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package throttle_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/throttle"
)

var (
	minute = throttle.Rate{Requests: 2, Per: time.Minute}
	hour   = throttle.Rate{Requests: 2, Per: time.Hour}

	alice = &auth.Identity{ID: "alice", Key: "store:1", Method: "token"}
)

// script counts nothing: it says what a test wants, and keeps what it was asked.
type script struct {
	waits map[string]time.Duration
	err   error
	asked []string
}

func (s *script) Hit(_ context.Context, key string, _ int, _ time.Duration, _ time.Time) (time.Duration, error) {
	s.asked = append(s.asked, key)
	return s.waits[key], s.err
}

func from(address string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = address
	return caddyhttp.PrepareRequest(r, caddy.NewReplacer(), nil, new(caddyhttp.Server))
}

func TestCaller(t *testing.T) {
	known := func(id auth.Identity) *auth.Identity { id.Method = "token"; return &id }
	tests := map[string]struct {
		id      *auth.Identity
		address string
		want    string
	}{
		"a user":                     {alice, "192.0.2.1:1", "user/store:1"},
		"a user through a client":    {known(auth.Identity{ID: "a", Key: "store:1", Client: "c"}), "192.0.2.1:1", "user/store:1"},
		"a client":                   {known(auth.Identity{Client: "c", Credential: "h"}), "192.0.2.1:1", "client/c"},
		"a credential":               {known(auth.Identity{Credential: "h"}), "192.0.2.1:1", "credential/h"},
		"known, as nothing":          {known(auth.Identity{}), "192.0.2.1:1", "address/192.0.2.1"},
		"a key that is an address":   {known(auth.Identity{ID: "a", Key: "192.0.2.1"}), "192.0.2.1:1", "user/192.0.2.1"},
		"nobody":                     {auth.Anonymous, "192.0.2.1:1", "address/192.0.2.1"},
		"nobody, another port":       {auth.Anonymous, "192.0.2.1:2", "address/192.0.2.1"},
		"IPv6":                       {auth.Anonymous, "[2001:db8:1:2:3:4:5:6]:1", "address/2001:db8:1:2::/64"},
		"IPv6, the same network":     {auth.Anonymous, "[2001:db8:1:2::1]:1", "address/2001:db8:1:2::/64"},
		"IPv6, another network":      {auth.Anonymous, "[2001:db8:1:3::1]:1", "address/2001:db8:1:3::/64"},
		"IPv6 with a zone":           {auth.Anonymous, "[fe80::1%eth0]:1", "address/fe80::/64"},
		"IPv4 in IPv6":               {auth.Anonymous, "[::ffff:192.0.2.1]:1", "address/192.0.2.1"},
		"IPv6 of this host":          {auth.Anonymous, "[::1]:1", "address/::/64"},
		"a Unix socket":              {auth.Anonymous, "@", "address/"},
		"an address that is no such": {auth.Anonymous, "nonsense", "address/"},
	}
	for name, test := range tests {
		if got := throttle.Caller(from(test.address), test.id); got != test.want {
			t.Errorf("%s: Caller = %q, want %q", name, got, test.want)
		}
	}
}

func TestCheck(t *testing.T) {
	const (
		user = "throttle/user/60/user/store:1"
		busy = "throttle/busy/3600/user/store:1"
	)
	both := []*throttle.Throttle{{Scope: "user", Rate: minute}, {Scope: "busy", Rate: hour}}
	anonymous := []*throttle.Throttle{{Scope: "anonymous", Rate: minute}}
	tests := map[string]struct {
		throttles []*throttle.Throttle
		id        *auth.Identity
		waits     map[string]time.Duration
		asked     []string
		wait      time.Duration
	}{
		"none":                   {nil, alice, nil, nil, 0},
		"all are asked":          {both, alice, nil, []string{user, busy}, 0},
		"after a refusal too":    {both, alice, map[string]time.Duration{user: 3}, []string{user, busy}, 3},
		"the last refuses":       {both, alice, map[string]time.Duration{busy: 4}, []string{user, busy}, 4},
		"the longest wait":       {both, alice, map[string]time.Duration{user: 5, busy: 4}, []string{user, busy}, 5},
		"the longest wait, last": {both, alice, map[string]time.Duration{user: 3, busy: 4}, []string{user, busy}, 4},
		"anonymous, known":       {anonymous, alice, nil, nil, 0},
		"anonymous, nobody":      {anonymous, auth.Anonymous, nil, []string{"throttle/anonymous/60/address/192.0.2.1"}, 0},
		"user, nobody":           {both[:1], auth.Anonymous, nil, []string{"throttle/user/60/address/192.0.2.1"}, 0},
		"anonymous, a client":    {anonymous, &auth.Identity{Method: "token", Client: "c"}, nil, nil, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			counter := &script{waits: test.waits}
			err := throttle.Check(from("192.0.2.1:1"), test.id, test.throttles, counter, new(throttle.Counted), time.Now())
			throttled, _ := errors.AsType[*auth.Throttled](err)
			if (err != nil) != (test.wait > 0) || test.wait > 0 && (throttled == nil || throttled.Wait != test.wait) {
				t.Errorf("Check = %v, want a wait of %d ns", err, test.wait)
			}
			if !slices.Equal(counter.asked, test.asked) {
				t.Errorf("it counted %q, want %q", counter.asked, test.asked)
			}
		})
	}
}

// One request is one request, however many handlers it meets; one that was
// refused was not counted.
func TestCheck_twice(t *testing.T) {
	counter := &script{waits: map[string]time.Duration{"throttle/busy/3600/user/store:1": time.Second}}
	throttles := []*throttle.Throttle{{Scope: "user", Rate: minute}, {Scope: "busy", Rate: hour}}
	r, already := from("192.0.2.1:1"), new(throttle.Counted)
	for range 2 {
		_ = throttle.Check(r, alice, throttles, counter, already, time.Now())
	}
	bob := &auth.Identity{ID: "bob", Key: "store:2", Method: "token"}
	_ = throttle.Check(r, bob, throttles[:1], counter, already, time.Now())
	want := []string{
		"throttle/user/60/user/store:1", "throttle/busy/3600/user/store:1", "throttle/busy/3600/user/store:1",
		"throttle/user/60/user/store:2",
	}
	if !slices.Equal(counter.asked, want) {
		t.Errorf("it counted %q, want %q", counter.asked, want)
	}
	if already.String() != "" {
		t.Errorf("a log prints %q", already)
	}
}

func TestCheck_unavailable(t *testing.T) {
	down := errors.New("down")
	tests := map[string]*throttle.Throttle{
		"the counter": {Scope: "user", Rate: minute},
		"the rate": {Scope: "user", RateOf: func(*http.Request, *auth.Identity) (throttle.Rate, error) {
			return minute, down
		}},
	}
	for name, test := range tests {
		err := throttle.Check(from("192.0.2.1:1"), alice, []*throttle.Throttle{test}, &script{err: down}, new(throttle.Counted), time.Now())
		if unavailable, ok := err.(*auth.Unavailable); !ok || !errors.Is(unavailable, down) {
			t.Errorf("%s: Check = %v, want *auth.Unavailable", name, err)
		}
	}
}

// A kind of throttle with callers and rates of its own.
func TestCheck_seams(t *testing.T) {
	perClient := &throttle.Throttle{
		Scope: "user_per_client",
		Rate:  minute,
		Caller: func(r *http.Request, id *auth.Identity) string {
			if id.Client == "" {
				return ""
			}
			return throttle.Caller(r, id) + "/" + id.Client
		},
		RateOf: func(_ *http.Request, id *auth.Identity) (throttle.Rate, error) {
			switch id.Client {
			case "free":
				return throttle.Rate{}, nil
			case "slow":
				return hour, nil
			}
			return minute, nil
		},
	}
	for client, want := range map[string][]string{
		"":      nil,
		"free":  nil,
		"slow":  {"throttle/user_per_client/3600/user/store:1/slow"},
		"other": {"throttle/user_per_client/60/user/store:1/other"},
	} {
		counter := new(script)
		id := *alice
		id.Client = client
		if err := throttle.Check(from("192.0.2.1:1"), &id, []*throttle.Throttle{perClient}, counter, new(throttle.Counted), time.Now()); err != nil {
			t.Error(err)
		}
		if !slices.Equal(counter.asked, want) {
			t.Errorf("client %q: it counted %q, want %q", client, counter.asked, want)
		}
	}
}
