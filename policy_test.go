// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/credcache"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// scripted is an authenticator that says what a test wants, and counts.
type scripted struct {
	authenticate func() (*auth.Identity, error)
	recheck      func() (*auth.Identity, error)
	verified     int
	rechecked    int
}

func (s *scripted) Authenticate(*http.Request) (*auth.Identity, error) {
	s.verified++
	return s.authenticate()
}

func (s *scripted) CacheKey(r *http.Request) ([]byte, bool) {
	secret := r.Header.Get("Authorization")
	return []byte(secret), secret != ""
}

func (s *scripted) Recheck(*http.Request, *auth.Identity) (*auth.Identity, error) {
	s.rechecked++
	return s.recheck()
}

type feed struct{ trusted bool }

func (f *feed) Trusted() bool { return f.trusted }

// cached is a policy of one scripted authenticator with a cache and a clock.
type cached struct {
	*policy
	script *scripted
	feed   *feed
	clock  time.Time
}

func newCached(t *testing.T, rechecker bool) *cached {
	t.Helper()
	alice := &auth.Identity{ID: "alice", Key: "store:1", Method: "scripted"}
	script := &scripted{
		authenticate: func() (*auth.Identity, error) { return alice, nil },
		recheck:      func() (*auth.Identity, error) { return alice, nil },
	}
	cache := credcache.New(64)
	l := link{Authenticator: script, name: "scripted", cacheable: script, fingerprint: cache.Fingerprint([]byte("test"))}
	if rechecker {
		l.rechecker = script
	}
	c := &cached{script: script, feed: &feed{trusted: true}, clock: time.Now()}
	c.policy = &policy{
		links:    []link{l},
		cache:    cache,
		feed:     c.feed,
		metrics:  newDecisionMetrics(prometheus.NewRegistry(), []link{l}),
		failures: newFailureLog(zap.NewNop()),
		now:      func() time.Time { return c.clock },
	}
	return c
}

func (c *cached) ask(t *testing.T) error {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "secret")
	id, _, _, err := c.identify(r, new(requestState))
	if err == nil && id.ID != "alice" {
		t.Fatalf("identified %+v", id)
	}
	return err
}

// What it costs to be known: verified, rechecked, or neither.
func TestStanding(t *testing.T) {
	tests := map[string]struct {
		rechecker           bool
		between             func(*cached)
		verified, rechecked int
	}{
		"seen before":                 {true, func(*cached) {}, 0, 0},
		"just inside the bound":       {true, func(c *cached) { c.clock = c.clock.Add(standingBound - time.Millisecond) }, 0, 0},
		"past the bound":              {true, func(c *cached) { c.clock = c.clock.Add(standingBound + time.Millisecond) }, 0, 1},
		"past it, no rechecker":       {false, func(c *cached) { c.clock = c.clock.Add(standingBound + time.Millisecond) }, 1, 0},
		"idle for more than an hour":  {true, func(c *cached) { c.clock = c.clock.Add(61 * time.Minute) }, 1, 0},
		"no feed":                     {true, func(c *cached) { c.feed.trusted = false }, 0, 1},
		"no feed, no rechecker":       {false, func(c *cached) { c.feed.trusted = false }, 1, 0},
		"the user changed":            {true, func(c *cached) { c.cache.Touched(tokenstore.Change{UserKey: "store:1"}) }, 0, 1},
		"everything may have changed": {true, func(c *cached) { c.cache.Touched(tokenstore.Change{All: true}) }, 0, 1},
		"the password changed": {true, func(c *cached) {
			c.feed.trusted = false
			c.script.recheck = func() (*auth.Identity, error) { return nil, auth.ErrChanged }
		}, 1, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := newCached(t, test.rechecker)
			if err := c.ask(t); err != nil {
				t.Fatal(err)
			}
			c.script.verified, c.script.rechecked = 0, 0
			test.between(c)
			if err := c.ask(t); err != nil {
				t.Fatal(err)
			}
			if c.script.verified != test.verified || c.script.rechecked != test.rechecked {
				t.Errorf("verified %d times and rechecked %d times, want %d and %d",
					c.script.verified, c.script.rechecked, test.verified, test.rechecked)
			}
		})
	}
}

// A recheck that fails, or cannot tell, is the answer: nothing that was
// remembered is served instead.
func TestRecheckDecides(t *testing.T) {
	inactive := &auth.Failure{Detail: "User inactive or deleted."}
	for name, verdict := range map[string]error{"inactive": inactive, "down": &auth.Unavailable{}, "broken": errors.New("broken")} {
		t.Run(name, func(t *testing.T) {
			c := newCached(t, true)
			if err := c.ask(t); err != nil {
				t.Fatal(err)
			}
			c.feed.trusted = false
			c.script.recheck = func() (*auth.Identity, error) { return nil, verdict }
			if err := c.ask(t); !errors.Is(err, verdict) {
				t.Errorf("identify = %v, want %v", err, verdict)
			}
		})
	}
}

// A verification that a revocation overtakes is not served afterwards.
func TestOvertaken(t *testing.T) {
	c := newCached(t, false)
	alive := c.script.authenticate
	c.script.authenticate = func() (*auth.Identity, error) {
		id, err := alive()
		c.cache.Touched(tokenstore.Change{UserKey: "store:1"}) // committed while we were reading
		c.script.authenticate = func() (*auth.Identity, error) { return nil, &auth.Failure{} }
		return id, err
	}
	if err := c.ask(t); err != nil {
		t.Fatal(err)
	}
	if err := c.ask(t); err == nil {
		t.Error("a success that was stale at birth was served")
	}
}

// Failures are not remembered: a token that is made after it was guessed works.
func TestFailuresAreNotRemembered(t *testing.T) {
	c := newCached(t, true)
	good := c.script.authenticate
	c.script.authenticate = func() (*auth.Identity, error) { return nil, &auth.Failure{} }
	if err := c.ask(t); err == nil {
		t.Fatal("no failure")
	}
	c.script.authenticate = good
	if err := c.ask(t); err != nil {
		t.Errorf("after the token was made: %v", err)
	}
}

// Sources whose users could be called alike are refused.
func TestCheckSources(t *testing.T) {
	github := auth.Source{Name: "github", Prefix: "x:", Told: true}
	tests := map[string]struct {
		sources []auth.Source
		ok      bool
	}{
		"local alone":          {[]auth.Source{auth.Local, auth.Local}, true},
		"a stranger alone":     {[]auth.Source{{Name: "github"}}, true},
		"a stranger, not told": {[]auth.Source{auth.Local, {Name: "github"}}, false},
		"a stranger, told":     {[]auth.Source{auth.Local, github}, true},
		"one source, twice":    {[]auth.Source{github, auth.Local, github}, true},
		"two under one prefix": {[]auth.Source{github, {Name: "gitlab", Prefix: "x:", Told: true}}, false},
		"prefixes that meet":   {[]auth.Source{github, {Name: "gitlab", Prefix: "x:y:", Told: true}}, false},
		"and the other way":    {[]auth.Source{{Name: "gitlab", Prefix: "x:y:", Told: true}, github}, false},
		"two prefixes":         {[]auth.Source{github, {Name: "gitlab", Prefix: "y:", Told: true}}, true},
		"two that cannot meet": {[]auth.Source{{Name: "github", Told: true}, {Name: "gitlab", Told: true}}, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var links []link
			for _, source := range test.sources {
				links = append(links, link{name: "scripted", source: source})
			}
			if err := checkSources(links); (err == nil) != test.ok {
				t.Errorf("checkSources = %v", err)
			}
		})
	}
}

// An identity that names nobody by its key is not one, nor is that of a stored
// user who would pass for one of the configuration.
func TestAdopt(t *testing.T) {
	l := link{
		name:       "scripted",
		source:     auth.Source{Name: "x", Prefix: "x:", Told: true},
		configured: func(name string) bool { return name == "admin" },
	}
	tests := map[string]struct {
		id *auth.Identity
		ok bool
	}{
		"none":          {nil, false},
		"no key":        {&auth.Identity{ID: "a"}, false},
		"a line":        {&auth.Identity{ID: "a\nb", Key: "x|1"}, false},
		"a namesake":    {&auth.Identity{ID: "admin", Key: "store:1", Source: "store"}, false},
		"a stored user": {&auth.Identity{ID: "a", Key: "store:2", Source: "store"}, true},
		"a client":      {&auth.Identity{Client: "c"}, true},
		"a user":        {&auth.Identity{ID: "a", Key: "x|1"}, true},
		"its own words": {&auth.Identity{ID: "a", Key: "x|1", Method: "session"}, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			adopted, err := l.adopt(test.id)
			if (err == nil) != test.ok {
				t.Fatalf("adopt = %v, %v", adopted, err)
			}
			if err != nil {
				return
			}
			if adopted.Method != "scripted" {
				t.Errorf("method %q", adopted.Method)
			}
			if want := test.id.ID; want != "" && adopted.ID != "x:"+want {
				t.Errorf("ID %q", adopted.ID)
			}
			if again, err := l.adopt(&auth.Identity{ID: "a", Key: "x|1"}); err != nil || again.ID != "x:a" {
				t.Errorf("adopted twice: %v, %v", again, err)
			}
		})
	}
}
