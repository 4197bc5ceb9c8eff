// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// What the clock decides to the second is tested with a clock, in the package of
// the handler.

const throttledSite = `{
	{{global}}
	metrics
	rest_auth {
		{{store}}
		authenticate token
		require allow_any
		throttle user 3/day
	}
}
{{site}} {
	handle /user* {
		rest_auth
		reverse_proxy {{echo}}
	}
	handle /anonymous* {
		rest_auth {
			throttle anonymous 2/hour
		}
		reverse_proxy {{echo}}
	}
	handle /uploads* {
		rest_auth {
			throttle uploads 1/hour
		}
		reverse_proxy {{echo}}
	}
	handle /staff* {
		rest_auth {
			require staff
			throttle staff 2/hour
		}
		reverse_proxy {{echo}}
	}
	handle /open* {
		rest_auth {
			throttle off
		}
		reverse_proxy {{echo}}
	}
	handle /cors* {
		rest_auth {
			cors https://app.example
			throttle cors 1/hour
		}
		reverse_proxy {{echo}}
	}
	route /two* {
		rest_auth {
			throttle two 2/hour
		}
		rest_auth {
			throttle two 2/hour
			throttle second 5/hour
		}
		reverse_proxy {{echo}}
	}
	handle /lenient* {
		rest_auth {
			invalid anonymous
			throttle lenient 1/hour
		}
		reverse_proxy {{echo}}
	}
}
{{site2}} {
	handle_errors 429 {
		respond "{http.auth.error.code}: {http.auth.error.detail} {http.auth.candidate.id}" 429
	}
	rest_auth {
		throttle user 3/day
	}
	reverse_proxy {{echo}}
}`

// throttled expects a refusal that says when to come again, some time within a
// period that has just begun.
func (r reply) throttled(t *testing.T, period time.Duration) {
	t.Helper()
	seconds, err := strconv.Atoi(r.Header.Get("Retry-After"))
	if longest := int(period / time.Second); err != nil || seconds < longest-60 || seconds > longest {
		t.Errorf("Retry-After %q, want about %d", r.Header.Get("Retry-After"), longest)
	}
	r.expect(t, http.StatusTooManyRequests, "-", detail("Request was throttled. Expected available in "+strconv.Itoa(seconds)+" seconds."))
}

func (s *server) passes(path string, lines ...string) {
	s.t.Helper()
	before := s.echo.hits.Load()
	if got := s.get(path, lines...); got.Status != http.StatusOK || s.echo.hits.Load() != before+1 {
		s.t.Errorf("%s with %q: status %d, body %q", path, lines, got.Status, got.Body)
	}
}

func (s *server) isThrottled(path string, period time.Duration, lines ...string) {
	s.t.Helper()
	before := s.echo.hits.Load()
	s.get(path, lines...).throttled(s.t, period)
	if s.echo.hits.Load() != before {
		s.t.Errorf("%s with %q reached the upstream", path, lines)
	}
}

func TestThrottles(t *testing.T) {
	s := serve(t, throttledSite)
	s.seed()
	const hour, day = time.Hour, 24 * time.Hour
	alice, bob := token("token-alice"), token("token-bob")

	t.Run("by user", func(t *testing.T) {
		for range 3 {
			s.passes("/user", alice)
		}
		s.isThrottled("/user", day, alice)
		s.passes("/user", bob)
		s.putToken(s.user("alice"), "another")
		s.isThrottled("/user", day, token("another"))
	})
	t.Run("by address", func(t *testing.T) {
		for range 3 {
			s.passes("/user")
		}
		s.isThrottled("/user", day)
	})
	t.Run("anonymous, never a user", func(t *testing.T) {
		for range 2 {
			s.passes("/anonymous")
		}
		s.isThrottled("/anonymous", hour)
		for range 4 {
			s.passes("/anonymous", bob)
		}
	})
	t.Run("a scope", func(t *testing.T) {
		s.passes("/uploads")
		s.passes("/uploads", alice)
		s.isThrottled("/uploads", hour)
		s.isThrottled("/uploads", hour, alice)
		s.passes("/uploads", bob)
	})
	t.Run("refused requests are not counted", func(t *testing.T) {
		for range 3 {
			s.get("/staff").expect(t, http.StatusUnauthorized, "Token", notAuthenticated)
			s.get("/staff", token("wrong")).expect(t, http.StatusUnauthorized, "Token", invalidToken)
			s.get("/staff", alice).expect(t, http.StatusForbidden, "-", deniedBody)
		}
		s.passes("/staff", bob)
		s.passes("/staff", bob)
		s.isThrottled("/staff", hour, bob)
		s.get("/staff", alice).expect(t, http.StatusForbidden, "-", deniedBody)
	})
	t.Run("off inherits none", func(t *testing.T) {
		for range 5 {
			s.passes("/open", alice)
		}
	})
	t.Run("a preflight is not counted", func(t *testing.T) {
		preflight := []string{"Origin: https://app.example", "Access-Control-Request-Method: GET"}
		for range 3 {
			if got := s.do(http.MethodOptions, "/cors", preflight...); got.Status != http.StatusOK {
				t.Errorf("a preflight was answered %d", got.Status)
			}
		}
		s.passes("/cors", "Origin: https://app.example")
		got := s.get("/cors", "Origin: https://app.example")
		got.throttled(t, hour)
		if got.Header.Get("Access-Control-Allow-Origin") != "https://app.example" || !strings.Contains(got.Header.Get("Access-Control-Expose-Headers"), "Retry-After") {
			t.Errorf("a script cannot read when to come again: %v", got.Header)
		}
	})
	t.Run("every method", func(t *testing.T) {
		if got := s.do(http.MethodOptions, "/lenient", alice); got.Status != http.StatusOK {
			t.Errorf("OPTIONS was answered %d", got.Status)
		}
		s.do(http.MethodPost, "/lenient", alice).throttled(t, hour)
		if got := s.do(http.MethodHead, "/lenient", alice); got.Status != http.StatusTooManyRequests || got.Body != "" {
			t.Errorf("HEAD was answered %d, %q", got.Status, got.Body)
		}
	})
	t.Run("ignored credentials are anonymous", func(t *testing.T) {
		s.passes("/lenient", token("wrong"))
		s.isThrottled("/lenient", hour, token("other"))
	})
	t.Run("two handlers, one request", func(t *testing.T) {
		s.passes("/two", alice)
		s.passes("/two", alice)
		s.isThrottled("/two", hour, alice)
	})
	t.Run("another site, the same scope", func(t *testing.T) {
		url := "http://127.0.0.1:" + strings.TrimPrefix(s.vars["{{site2}}"], "http://:")
		got := s.send(http.MethodGet, url, nil, alice)
		if got.Status != http.StatusTooManyRequests || !strings.HasPrefix(got.Body, "throttled: Request was throttled. Expected available in ") ||
			!strings.HasSuffix(got.Body, " seconds. alice") || got.Header.Get("Retry-After") == "" {
			t.Errorf("answered %d, %q, %v", got.Status, got.Body, got.Header)
		}
	})
	t.Run("metrics", func(t *testing.T) {
		metrics := s.send(http.MethodGet, "http://"+s.Admin+"/metrics", nil).Body
		for _, series := range []string{`authenticator="token",verdict="throttled"}`, `authenticator="none",verdict="throttled"}`} {
			if !strings.Contains(metrics, series) {
				t.Errorf("the metrics have no %s", series)
			}
		}
	})
}

// Time passes in the store, since it cannot in a test.
func TestThrottles_age(t *testing.T) {
	s := serve(t, throttledSite)
	s.seed()
	key := "throttle/anonymous/3600/address/127.0.0.1"
	for _, age := range []time.Duration{2 * time.Hour, 50 * time.Minute, 20 * time.Minute} {
		if wait, err := s.store().Hit(t.Context(), key, 2, time.Hour, time.Now().Add(-age)); wait > 0 || err != nil {
			t.Fatalf("%s ago: %s, %v", age, wait, err)
		}
	}
	s.isThrottled("/anonymous", 10*time.Minute)
}

// Counters outlive a reload, also one that changes the rate.
func TestThrottles_reload(t *testing.T) {
	s := serve(t, throttledSite)
	s.seed()
	alice := token("token-alice")
	for range 3 {
		s.passes("/user", alice)
	}
	s.reload(throttledSite + "\n# changed")
	s.isThrottled("/user", 24*time.Hour, alice)
	s.reload(strings.Replace(throttledSite, "user 3/day", "user 5/day", 1))
	s.passes("/user", alice)
	s.passes("/user", alice)
	s.isThrottled("/user", 24*time.Hour, alice)
	s.reload(strings.Replace(throttledSite, "user 3/day", "user 2/day", 1))
	s.isThrottled("/user", 24*time.Hour, alice)
	s.reload(strings.Replace(throttledSite, "user 3/day", "user 3/hour", 1)) // another counter
	s.passes("/user", alice)
}

// As many pass as may, however many ask at once.
func TestThrottles_parallel(t *testing.T) {
	s := serve(t, strings.Replace(throttledSite, "user 3/day", "user 20/day", 1))
	s.seed()
	var passed, refused atomic.Int64
	var wg sync.WaitGroup
	for range 60 {
		wg.Go(func() {
			switch s.get("/user", token("token-alice")).Status {
			case http.StatusOK:
				passed.Add(1)
			case http.StatusTooManyRequests:
				refused.Add(1)
			}
		})
	}
	wg.Wait()
	if passed.Load() != 20 || refused.Load() != 40 {
		t.Errorf("%d passed, and %d were refused", passed.Load(), refused.Load())
	}
}

// A store that does not count lets nobody pass who would have to be counted.
func TestThrottles_storeDown(t *testing.T) {
	s, store := serveFailing(t, "require allow_any\nthrottle anonymous 1000/day\n")
	store.Down(true)
	before := s.echo.hits.Load()
	got := s.get("/")
	got.expect(t, http.StatusServiceUnavailable, "-", detail("Service temporarily unavailable, try again later."))
	if got.Header.Get("Retry-After") == "" || s.echo.hits.Load() != before {
		t.Errorf("Retry-After %q, and the upstream was asked %d times", got.Header.Get("Retry-After"), s.echo.hits.Load()-before)
	}
	store.Down(false)
	s.passes("/")
}

// Whose address it is says Caddy, by the servers' trusted_proxies.
func TestThrottles_address(t *testing.T) {
	const site = `{
		{{global}}
		servers {
			PROXIES
		}
		rest_auth {
			{{store}}
			authenticate token
			require allow_any
			throttle anonymous 1/hour
		}
	}
	{{site}} {
		rest_auth
		reverse_proxy {{echo}}
	}`
	const sent = "X-Forwarded-For: 1.1.1.1,2.2.2.2 , 3.3.3.3"
	tests := map[string]struct{ proxies, same, other string }{
		// As NUM_PROXIES 0, whatever the client says.
		"none": {"", "X-Forwarded-For: 9.9.9.9", ""},
		// As NUM_PROXIES 1 and 2.
		"one": {"trusted_proxies static 127.0.0.1/32\ntrusted_proxies_strict", "X-Forwarded-For: 9.9.9.9, 3.3.3.3", "X-Forwarded-For: 1.1.1.1, 4.4.4.4"},
		"two": {"trusted_proxies static 127.0.0.1/32 3.3.3.0/24\ntrusted_proxies_strict", "X-Forwarded-For: 9.9.9.9, 2.2.2.2, 3.3.3.4", "X-Forwarded-For: 1.1.1.1, 4.4.4.4, 3.3.3.3"},
		"IPv6": {
			"trusted_proxies static 127.0.0.1/32 3.3.3.0/24 1.1.1.1/32\ntrusted_proxies_strict\nclient_ip_headers X-Real-IP", "X-Real-IP: 2001:db8::2", "X-Real-IP: 2001:db8:0:1::1",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			servers := "PROXIES"
			config := strings.Replace(site, servers, test.proxies, 1)
			if test.proxies == "" {
				config = strings.Replace(site, servers, "protocols h1 h2", 1)
			}
			s := serve(t, config)
			s.awaitStore()
			first := sent
			if name == "IPv6" {
				first = "X-Real-IP: 2001:db8::1"
			}
			s.passes("/", first)
			s.isThrottled("/", time.Hour, first)
			s.isThrottled("/", time.Hour, test.same)
			if test.other != "" {
				s.passes("/", test.other)
			}
		})
	}
}

// A question what would become of a request says whom it would count, and does not.
func TestThrottles_explain(t *testing.T) {
	s := serve(t, throttledSite)
	s.seed()
	alice := token("token-alice")
	key := s.user("alice").Key
	for range 5 {
		got := s.explain(http.MethodGet, "/user", alice)
		if got.Verdict != "allowed" || len(got.Judged[0].Throttles) != 1 {
			t.Fatalf("%+v", got)
		}
		want := explainedThrottle{Scope: "user", Rate: "3/day", Outcome: "counted", Caller: "user/" + key}
		if throttle := got.Judged[0].Throttles[0]; throttle != want {
			t.Errorf("%+v, want %+v", throttle, want)
		}
		if len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "a question is not counted") {
			t.Errorf("notes are %q", got.Notes)
		}
	}
	for range 3 {
		s.passes("/user", alice)
	}
	for _, row := range []struct {
		path, line, text string
	}{
		{"/anonymous", alice, "  throttle\n    anonymous 2/hour  not counted\n"},
		{"/anonymous", "A: b", "  throttle\n    anonymous 2/hour  counted as address/127.0.0.1\n"},
		{"/staff", alice, "  throttle\n    staff 2/hour  not asked\n"},
	} {
		got := s.askToExplain(s.question(http.MethodGet, s.URL+row.path, row.line), "Accept: text/plain")
		if !strings.Contains(got.Body, row.text) {
			t.Errorf("%s with %q: want\n%s, got\n%s", row.path, row.line, row.text, got.Body)
		}
	}
}

func (s *server) user(name string) tokenstore.User {
	s.t.Helper()
	user, err := s.store().UserByName(s.t.Context(), name)
	if err != nil {
		s.t.Fatal(err)
	}
	return user
}

// An API counts who calls it, also with credentials that it finds bad, and does
// not inherit the throttles of the sites.
func TestThrottles_endpoints(t *testing.T) {
	s := serve(t, `{
		{{global}}
		rest_auth {
			{{store}}
			authenticate token
			throttle user 1/day
		}
	}
	{{site}} {
		rest_auth_endpoints {
			authtoken /login/ {
				throttle login 2/hour
			}
			authtoken /unlimited/
		}
		rest_auth
		reverse_proxy {{echo}}
	}`)
	s.seed()
	login := func(path, password string) reply {
		return s.send(http.MethodPost, s.URL+path, strings.NewReader(`{"username":"alice","password":"`+password+`"}`), "Content-Type: application/json")
	}
	if got := login("/login/", "wrong"); got.Status != http.StatusBadRequest {
		t.Errorf("a wrong password was answered %d, %q", got.Status, got.Body)
	}
	if got := login("/login/", "pw"); got.Status != http.StatusOK {
		t.Errorf("a good one was answered %d, %q", got.Status, got.Body)
	}
	login("/login/", "pw").throttled(t, time.Hour)
	for range 3 {
		if got := login("/unlimited/", "pw"); got.Status != http.StatusOK {
			t.Errorf("without a throttle it was answered %d, %q", got.Status, got.Body)
		}
	}
}
