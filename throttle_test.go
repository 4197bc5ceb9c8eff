// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// clocked are handlers on one store and one clock, by path.
type clocked struct {
	t        testing.TB
	handlers map[string]*Handler
	now      time.Time
}

// newClocked provisions a handler for each path, with a store in memory that has
// a token of alice and one of bob, who is staff.
func newClocked(t testing.TB, policies map[string]string) *clocked {
	t.Helper()
	persist := false
	err := caddy.Run(&caddy.Config{
		Admin:   &caddy.AdminConfig{Disabled: true, Config: &caddy.ConfigSettings{Persist: &persist}},
		Logging: &caddy.Logging{Logs: map[string]*caddy.CustomLog{"default": {BaseLog: caddy.BaseLog{Level: "ERROR"}}}},
		AppsRaw: caddy.ModuleMap{"rest_auth": json.RawMessage(`{"store": {"driver": "memory", "name": "` + t.Name() + `"}}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := caddy.Stop(); err != nil {
			t.Error(err)
		}
	})
	ctx := caddy.ActiveContext()
	c := &clocked{t: t, handlers: make(map[string]*Handler), now: time.Unix(1_800_000_000, 0)}
	for path, policy := range policies {
		loaded, err := ctx.LoadModuleByID("http.handlers.rest_auth", json.RawMessage(`{"authenticators": [{"authenticator": "token"}], `+policy+`}`))
		if err != nil {
			t.Fatal(err)
		}
		handler := loaded.(*Handler)
		handler.policy.now = func() time.Time { return c.now }
		c.handlers[path] = handler
	}
	app, err := appFromContext(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, user := range []tokenstore.User{{Name: "alice"}, {Name: "bob", Staff: true}} {
		user.Active = true
		stored, err := app.TokenStore().PutUser(t.Context(), user)
		if err != nil {
			t.Fatal(err)
		}
		digest := sha256.Sum256([]byte("token-" + user.Name))
		err = app.TokenStore().Create(t.Context(), tokenstore.Credential{
			ID: user.Name, Kind: tokenstore.KindToken, Digest: digest[:], UserKey: stored.Key, Created: time.Now(),
		}, 0, false)
		if err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// A visit is a request at a time, in seconds.
type visit struct {
	At      float64 `json:"at"`
	Path    string  `json:"path"`
	User    string  `json:"user"`
	Address string  `json:"address"`
}

// visited is what became of it.
type visited struct {
	Status     int    `json:"status"`
	RetryAfter string `json:"retry_after"`
	Challenge  string `json:"challenge"`
	Body       string `json:"body"`
}

func (c *clocked) visit(v visit) visited {
	c.t.Helper()
	c.now = time.Unix(1_800_000_000, int64(v.At*1e9))
	r := httptest.NewRequestWithContext(c.t.Context(), http.MethodGet, "/"+v.Path, nil)
	r.RemoteAddr = v.Address + ":1"
	if v.User != "" {
		r.Header.Set("Authorization", "Token token-"+v.User)
	}
	w := httptest.NewRecorder()
	r = caddyhttp.PrepareRequest(r, caddy.NewReplacer(), w, new(caddyhttp.Server))
	err := c.handlers[v.Path].ServeHTTP(w, r, caddyhttp.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) error {
		w.WriteHeader(http.StatusOK)
		return nil
	}))
	if err != nil {
		c.t.Fatal(err)
	}
	return visited{w.Code, w.Header().Get("Retry-After"), w.Header().Get("WWW-Authenticate"), w.Body.String()}
}

func throttledFor(seconds int) visited {
	unit := " seconds."
	if seconds == 1 {
		unit = " second."
	}
	text := strconv.Itoa(seconds)
	return visited{http.StatusTooManyRequests, text, "", `{"detail":"Request was throttled. Expected available in ` + text + unit + `"}`}
}

var (
	passed          = visited{Status: http.StatusOK}
	unauthenticated = visited{http.StatusUnauthorized, "", "Token", `{"detail":"Invalid token."}`}
	denied403       = visited{http.StatusForbidden, "", "", `{"detail":"You do not have permission to perform this action."}`}
)

const (
	openTo  = `"permissions": [{"permission": "allow_any"}], "throttles": `
	staffOf = `"permissions": [{"permission": "staff"}], "throttles": `
)

// throttledPaths are the views of testdata/django/throttles.py.
var throttledPaths = map[string]string{
	"anonymous": openTo + `[{"scope": "anonymous", "rate": "2/minute"}]`,
	"user":      openTo + `[{"scope": "user", "rate": "3/min"}]`,
	"uploads":   openTo + `[{"scope": "uploads", "rate": "2/hour"}]`,
	"both":      openTo + `[{"scope": "anonymous", "rate": "2/minute"}, {"scope": "user", "rate": "3/min"}]`,
	"sustained": openTo + `[{"scope": "burst", "rate": "4/m"}, {"scope": "sustained", "rate": "6/hour"}]`,
	"staff":     staffOf + `[{"scope": "burst", "rate": "4/m"}]`,
	"closed":    openTo + `[{"scope": "closed", "rate": "0/minute"}]`,
	"second":    openTo + `[{"scope": "second", "rate": "2/second"}]`,
}

// The cases of Django REST framework's throttles, one request after another.
func TestThrottle(t *testing.T) {
	const home, other = "192.0.2.1", "192.0.2.2"
	type step struct {
		visit
		want visited
	}
	tests := map[string][]step{
		"anonymous, while the first one counts": {
			{visit{0, "anonymous", "", home}, passed},
			{visit{0, "anonymous", "", home}, passed},
			{visit{0, "anonymous", "", home}, throttledFor(60)},
			{visit{30.2, "anonymous", "", home}, throttledFor(30)},
			{visit{59.9, "anonymous", "", home}, throttledFor(1)},
			{visit{60, "anonymous", "", home}, passed},
		},
		"a refused request is not counted": {
			{visit{0, "anonymous", "", home}, passed},
			{visit{50, "anonymous", "", home}, passed},
			{visit{59, "anonymous", "", home}, throttledFor(1)},
			{visit{60, "anonymous", "", home}, passed},
			{visit{61, "anonymous", "", home}, throttledFor(49)},
		},
		"anonymous, by address": {
			{visit{0, "anonymous", "", home}, passed},
			{visit{0, "anonymous", "", home}, passed},
			{visit{0, "anonymous", "", other}, passed},
			{visit{0, "anonymous", "", home}, throttledFor(60)},
		},
		"anonymous, never a user": {
			{visit{0, "anonymous", "alice", home}, passed},
			{visit{0, "anonymous", "alice", home}, passed},
			{visit{0, "anonymous", "alice", home}, passed},
			{visit{0, "anonymous", "", home}, passed},
		},
		"user, by user": {
			{visit{0, "user", "alice", home}, passed},
			{visit{0, "user", "alice", other}, passed},
			{visit{0, "user", "alice", home}, passed},
			{visit{0, "user", "alice", other}, throttledFor(60)},
			{visit{0, "user", "bob", home}, passed},
		},
		"user, anonymous by address": {
			{visit{0, "user", "", home}, passed},
			{visit{0, "user", "", home}, passed},
			{visit{0, "user", "", home}, passed},
			{visit{0, "user", "", home}, throttledFor(60)},
			{visit{0, "user", "", other}, passed},
			{visit{0, "user", "alice", home}, passed},
		},
		"a scope, by user or address": {
			{visit{0, "uploads", "alice", home}, passed},
			{visit{0, "uploads", "alice", home}, passed},
			{visit{0.5, "uploads", "alice", other}, throttledFor(3600)},
			{visit{0, "uploads", "", home}, passed},
			{visit{0, "uploads", "", home}, passed},
			{visit{0, "uploads", "", home}, throttledFor(3600)},
			{visit{0, "user", "alice", home}, passed},
		},
		"bad credentials are neither counted nor throttled": {
			{visit{0, "user", "bad", home}, unauthenticated},
			{visit{0, "user", "bad", home}, unauthenticated},
			{visit{0, "user", "bad", home}, unauthenticated},
			{visit{0, "user", "bad", home}, unauthenticated},
			{visit{0, "user", "", home}, passed},
			{visit{0, "user", "", home}, passed},
			{visit{0, "user", "", home}, passed},
			{visit{0, "user", "", home}, throttledFor(60)},
			{visit{0, "user", "bad", home}, unauthenticated},
		},
		"what a permission refuses is neither counted nor throttled": {
			{visit{0, "staff", "alice", home}, denied403},
			{visit{0, "staff", "alice", home}, denied403},
			{visit{0, "staff", "alice", home}, denied403},
			{visit{0, "staff", "alice", home}, denied403},
			{visit{0, "sustained", "alice", home}, passed},
			{visit{0, "sustained", "alice", home}, passed},
			{visit{0, "sustained", "alice", home}, passed},
			{visit{0, "sustained", "alice", home}, passed},
			{visit{0, "sustained", "alice", home}, throttledFor(60)},
			{visit{0, "staff", "alice", home}, denied403},
		},
		"where one refuses, the other counts": {
			{visit{0, "both", "", home}, passed},
			{visit{0, "both", "", home}, passed},
			{visit{0, "both", "", home}, throttledFor(60)}, // the third of user's
			{visit{30, "user", "", home}, throttledFor(30)},
		},
		"the longest wait wins": {
			{visit{0, "sustained", "alice", home}, passed},
			{visit{0, "sustained", "alice", home}, passed},
			{visit{0, "sustained", "alice", home}, passed},
			{visit{0, "sustained", "alice", home}, passed},
			{visit{10, "sustained", "alice", home}, throttledFor(50)}, // the fifth of sustained's
			{visit{10, "sustained", "alice", home}, throttledFor(50)}, // the sixth
			{visit{10, "sustained", "alice", home}, throttledFor(3590)},
			{visit{70, "sustained", "alice", home}, throttledFor(3530)},
			{visit{3600, "sustained", "alice", home}, passed},
		},
		"no request at all": {
			{visit{0, "closed", "bob", home}, throttledFor(60)},
			{visit{60, "closed", "bob", home}, throttledFor(60)},
		},
		"a period of a second": {
			{visit{0, "second", "bob", home}, passed},
			{visit{0.25, "second", "bob", home}, passed},
			{visit{0.75, "second", "bob", home}, throttledFor(1)},
			{visit{1, "second", "bob", home}, passed},
		},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			c := newClocked(t, throttledPaths)
			for i, step := range steps {
				if got := c.visit(step.visit); got != step.want {
					t.Fatalf("request %d, %+v: %+v, want %+v", i, step.visit, got, step.want)
				}
			}
		})
	}
}

// Without a word of throttles nothing is asked, and a block may inherit none.
func TestThrottle_inheritance(t *testing.T) {
	inherited := []Throttle{{Scope: "user", Rate: "1/day"}}
	tests := map[string]struct {
		own  []Throttle
		want int
	}{
		"none":  {nil, 1},
		"off":   {[]Throttle{}, 0},
		"other": {[]Throttle{{Scope: "a", Rate: "1/s"}, {Scope: "b", Rate: "1/s"}}, 2},
	}
	for name, test := range tests {
		settings := &Settings{Throttles: test.own}
		settings.inherit(&Settings{Throttles: inherited})
		if len(settings.Throttles) != test.want {
			t.Errorf("%s: it has %v", name, settings.Throttles)
		}
		encoded, err := json.Marshal(&Settings{Throttles: test.own})
		if err != nil {
			t.Fatal(err)
		}
		var decoded Settings
		if err := json.Unmarshal(encoded, &decoded); err != nil || (decoded.Throttles == nil) != (test.own == nil) {
			t.Errorf("%s: %s is read as %v", name, encoded, decoded.Throttles)
		}
	}
}

// A rate may come from the environment.
func TestThrottle_placeholder(t *testing.T) {
	t.Setenv("REST_AUTH_TEST_RATE", "7/hour")
	throttles, err := newThrottles([]Throttle{{Scope: "user", Rate: "{env.REST_AUTH_TEST_RATE}"}})
	if err != nil || len(throttles) != 1 || throttles[0].Rate.String() != "7/hour" {
		t.Errorf("newThrottles = %v, %v", throttles, err)
	}
}
