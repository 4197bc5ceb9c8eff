// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package introspection

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

const active = `{"active":true,"username":"alice","exp":4102444800}`

// server answers introspection requests and counts them.
type server struct {
	*httptest.Server
	asked  atomic.Int64
	answer atomic.Value // func(w http.ResponseWriter, r *http.Request)
}

func newServer(t testing.TB) *server {
	s := new(server)
	s.says(active)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		s.answer.Load().(func(http.ResponseWriter, *http.Request))(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) does(answer func(w http.ResponseWriter, r *http.Request)) { s.answer.Store(answer) }

func (s *server) says(body string) { s.fails(http.StatusOK, body) }

func (s *server) fails(status int, body string) {
	s.does(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	})
}

var local = outbound.Settings{AllowInternal: []string{"loopback"}, AllowHTTP: true, Timeout: caddy.Duration(5 * time.Second)}

func newClient(t testing.TB, s Server) (*Client, *observer.ObservedLogs) {
	t.Helper()
	if err := s.Resolve(local); err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zap.DebugLevel)
	c, err := Acquire(s, local, time.Minute, zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Release(); err != nil {
			t.Error(err)
		}
	})
	return c, logs
}

func (s *server) client(t testing.TB) (*Client, *observer.ObservedLogs) {
	t.Helper()
	return newClient(t, Server{Endpoint: s.URL + "/introspect", ClientID: "edge", ClientSecret: "c4n4ry"})
}

// TestClient_Introspect is every answer that a server may give.
func TestClient_Introspect(t *testing.T) {
	const malformed = "not a well-formed"
	tests := map[string]struct {
		status  int
		kind    string
		body    string
		want    string // part of the error; empty for a token that is active
		fault   bool
		refuses bool // the token, and nobody else's
	}{
		"active":            {200, "application/json", active, "", false, false},
		"charset":           {200, "application/json;charset=UTF-8", active, "", false, false},
		"kind in capitals":  {200, "Application/JSON", active, "", false, false},
		"inactive":          {200, "application/json", `{"active":false}`, "not active", false, true},
		"inactive and more": {200, "application/json", `{"active":false,"exp":4102444800,"sub":"x"}`, "not active", false, true},
		"a text":            {200, "application/json", `{"active":"true"}`, "by true or false", false, false},
		"a number":          {200, "application/json", `{"active":1}`, "by true or false", false, false},
		"null":              {200, "application/json", `{"active":null}`, "by true or false", false, false},
		"missing":           {200, "application/json", `{"sub":"x"}`, "by true or false", false, false},
		"other case":        {200, "application/json", `{"Active":true}`, "by true or false", false, false},
		"twice":             {200, "application/json", `{"active":false,"active":true}`, malformed, false, false},
		"twice, escaped":    {200, "application/json", `{"active":false,"\u0061ctive":true}`, malformed, false, false},
		"twice, below":      {200, "application/json", `{"active":true,"a":{"b":1,"b":2}}`, malformed, false, false},
		"a list":            {200, "application/json", `[{"active":true}]`, malformed, false, false},
		"empty":             {200, "application/json", ``, malformed, false, false},
		"two":               {200, "application/json", active + active, malformed, false, false},
		"not UTF-8":         {200, "application/json", "{\"active\":true,\"sub\":\"\xff\"}", malformed, false, false},
		"deep":              {200, "application/json", `{"active":true,"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, malformed, false, false},
		"large":             {200, "application/json", `{"active":true,"a":"` + strings.Repeat("x", 70<<10) + `"}`, "too large", false, false},
		"HTML":              {200, "text/html", "<html>", "something else than application/json", true, false},
		"JSON as a text":    {200, "text/plain", active, "something else than application/json", true, false},
		"no kind":           {200, "", active, "something else than application/json", true, false},
		"signed":            {200, "application/token-introspection+jwt", "eyJ.eyJ.x", "RFC 9701", true, false},
		"no content":        {204, "", "", "status 204", true, false},
		"redirection":       {302, "", "", "status 302", true, false},
		"unauthorized":      {401, "application/json", `{"error":"invalid_client"}`, "refused the credentials of this server", true, false},
		"forbidden":         {403, "text/html", "", "refused the credentials of this server", true, false},
		"not found":         {404, "text/html", "", "status 404", true, false},
		"too many":          {429, "text/html", "", "status 429", true, false},
		"an error":          {500, "text/html", "<html>", "status 500", true, false},
		"unavailable":       {503, "text/html", "", "status 503", true, false},
		"bad token":         {400, "application/json", `{"error":"invalid_request","error_description":"c4n4ry"}`, "not active", false, true},
		"bad, in HTML":      {400, "text/html", "<html>c4n4ry", "not active", false, true},
		"bad client":        {400, "application/json", `{"error":"invalid_client"}`, "refused the credentials of this server", true, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.does(func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Type"] = []string{tt.kind}
				if tt.kind == "" {
					w.Header()["Content-Type"] = nil
				}
				if tt.status == 302 {
					w.Header().Set("Location", s.URL)
				}
				w.WriteHeader(tt.status)
				if tt.status != 204 {
					_, _ = w.Write([]byte(tt.body))
				}
			})
			c, logs := s.client(t)
			answer, err := c.Introspect(t.Context(), "token-c4n4ry")
			if tt.want == "" {
				if err != nil || string(answer.Claims.Payload) != tt.body {
					t.Fatalf("%v, %v", answer, err)
				}
				return
			}
			_, down := errors.AsType[*auth.Unavailable](err)
			if answer != nil || err == nil || !strings.Contains(err.Error(), tt.want) || errors.Is(err, ErrInactive) != tt.refuses || down == tt.refuses {
				t.Fatalf("%v, %v, want %s", answer, err, tt.want)
			}
			if strings.Contains(err.Error(), "c4n4ry") {
				t.Errorf("the error has a secret: %v", err)
			}
			if (c.breaker.failures == 1) != tt.fault {
				t.Errorf("%d failures count", c.breaker.failures)
			}
			for _, entry := range logs.All() {
				t.Errorf("logged %q", entry.Message)
			}
			if s.asked.Load() != 1 {
				t.Errorf("asked %d times", s.asked.Load())
			}
		})
	}
}

func TestClient_request(t *testing.T) {
	s := newServer(t)
	var got *http.Request
	s.does(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		got = r
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(active))
	})
	c, _ := s.client(t)
	if _, err := c.Introspect(t.Context(), "a+b/c=="); err != nil {
		t.Fatal(err)
	}
	if got.Method != "POST" || got.PostForm.Get("token") != "a+b/c==" || got.PostForm.Get("token_type_hint") != "access_token" ||
		got.Header.Get("Accept") != "application/json" || got.URL.RawQuery != "" || len(got.PostForm) != 2 {
		t.Errorf("%s %s %v %v", got.Method, got.URL, got.Header, got.PostForm)
	}
}

// TestClient_idle has a server close a connection just as it is used again, as those
// do that wait for few seconds.
func TestClient_idle(t *testing.T) {
	s := newServer(t)
	var connections sync.Map
	s.does(func(w http.ResponseWriter, r *http.Request) {
		if _, used := connections.LoadOrStore(r.RemoteAddr, true); used {
			panic(http.ErrAbortHandler) // closes it without an answer
		}
		if r.Header["Idempotency-Key"] != nil {
			t.Error("the header is sent")
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(active))
	})
	c, _ := s.client(t)
	for n := range 3 {
		if _, err := c.Introspect(t.Context(), "token-"+strconv.Itoa(n)); err != nil {
			t.Error(err)
		}
	}
}

// waiting is a context that tells when somebody begins to wait for it.
type waiting struct {
	context.Context
	count *atomic.Int64
}

func (w waiting) Done() <-chan struct{} {
	w.count.Add(1)
	return w.Context.Done()
}

// TestClient_coalesced has a hundred requests with one token make one exchange,
// which the first of them does not end by going away.
func TestClient_coalesced(t *testing.T) {
	s := newServer(t)
	release := make(chan struct{})
	s.does(func(w http.ResponseWriter, _ *http.Request) {
		<-release
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(active))
	})
	c, _ := s.client(t)
	var count atomic.Int64
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, err := c.Introspect(waiting{ctx, &count}, "token")
		left <- err
	}()
	await(t, func() bool { return count.Load() == 1 })
	leave()
	if err := <-left; !errors.Is(err, errGone) {
		t.Errorf("who left got %v", err)
	}
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if _, err := c.Introspect(waiting{t.Context(), &count}, "token"); err != nil {
				t.Error(err)
			}
		})
	}
	await(t, func() bool { return count.Load() == 101 })
	close(release)
	wg.Wait()
	if got := s.asked.Load(); got != 1 {
		t.Errorf("asked %d times", got)
	}
}

// TestClient_alone has a request wait for no answer that was on its way before it
// came, where nothing is to be remembered.
func TestClient_alone(t *testing.T) {
	s := newServer(t)
	release := make(chan struct{})
	var revoked atomic.Bool
	s.does(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if revoked.Load() {
			_, _ = w.Write([]byte(`{"active":false}`))
			return
		}
		<-release
		_, _ = w.Write([]byte(active))
	})
	c, _ := s.client(t)
	c.life = 0
	first := make(chan error)
	go func() {
		_, err := c.Introspect(t.Context(), "token")
		first <- err
	}()
	await(t, func() bool { return s.asked.Load() == 1 })
	revoked.Store(true)
	if _, err := c.Introspect(t.Context(), "token"); !errors.Is(err, ErrInactive) {
		t.Errorf("after it was revoked: %v", err)
	}
	close(release)
	if err := <-first; err != nil {
		t.Error(err)
	}
}

// TestClient_bound has more tokens than may be asked about at a time.
func TestClient_bound(t *testing.T) {
	s := newServer(t)
	c, _ := s.client(t)
	c.patience = time.Millisecond
	for range maxExchanges {
		c.slots <- struct{}{}
	}
	if _, err := c.Introspect(t.Context(), "token"); !errors.Is(err, errBusy) {
		t.Errorf("got %v", err)
	}
	if c.breaker.failures != 0 {
		t.Error("that counts as a failure of the server")
	}
	<-c.slots
	if _, err := c.Introspect(t.Context(), "token"); err != nil {
		t.Errorf("got %v", err)
	}
}

// TestClient_flood has more distinct tokens than may be asked about at a time, each
// of which is slow. None of them is taken for a failure of the server.
func TestClient_flood(t *testing.T) {
	s := newServer(t)
	var now, most atomic.Int64
	full := make(chan struct{})
	s.does(func(w http.ResponseWriter, _ *http.Request) {
		n := now.Add(1)
		for high := most.Load(); n > high && !most.CompareAndSwap(high, n); high = most.Load() {
		}
		if n == maxExchanges {
			close(full)
		}
		<-full
		now.Add(-1)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"active":false}`))
	})
	c, _ := s.client(t)
	c.patience = time.Minute
	var wg sync.WaitGroup
	for i := range 4 * maxExchanges {
		wg.Go(func() {
			if _, err := c.Introspect(t.Context(), "token-"+strconv.Itoa(i)); !errors.Is(err, ErrInactive) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most.Load() != maxExchanges || s.asked.Load() != 4*maxExchanges || c.breaker.failures != 0 {
		t.Errorf("%d at a time, asked %d times, %d failures", most.Load(), s.asked.Load(), c.breaker.failures)
	}
}

// TestClient_refused asks once about a token that is repeated.
func TestClient_refused(t *testing.T) {
	s := newServer(t)
	s.says(`{"active":false}`)
	c, _ := s.client(t)
	now := time.Now()
	c.now = func() time.Time { return now }
	for range 10 {
		if _, err := c.Introspect(t.Context(), "token"); !errors.Is(err, ErrInactive) {
			t.Fatal(err)
		}
	}
	if got := s.asked.Load(); got != 1 {
		t.Errorf("asked %d times", got)
	}
	s.says(active)
	now = now.Add(refusedFor)
	if _, err := c.Introspect(t.Context(), "token"); err != nil {
		t.Errorf("after a while: %v", err)
	}
}

// TestClient_breaker has the server fail, be left alone, and come back.
func TestClient_breaker(t *testing.T) {
	s := newServer(t)
	s.fails(500, "")
	c, logs := s.client(t)
	now := time.Now()
	c.now = func() time.Time { return now }
	ask := func() error {
		_, err := c.Introspect(t.Context(), "token")
		return err
	}
	for range maxFailures {
		if err := ask(); err == nil || errors.Is(err, errPaused) {
			t.Fatal(err)
		}
	}
	unavailable, _ := errors.AsType[*auth.Unavailable](ask())
	if unavailable == nil || unavailable.Err != errPaused || unavailable.RetryAfter != minPause || s.asked.Load() != maxFailures {
		t.Fatalf("%v, asked %d times", unavailable, s.asked.Load())
	}
	// Half open: one finds out, and fails.
	now = now.Add(minPause)
	if err := ask(); errors.Is(err, errPaused) {
		t.Error(err)
	}
	if unavailable, _ := errors.AsType[*auth.Unavailable](ask()); unavailable == nil || unavailable.RetryAfter != 2*minPause {
		t.Errorf("after the probe failed: %v", unavailable)
	}
	s.says(active)
	c.life = 0
	now = now.Add(2 * minPause)
	for range 3 {
		if err := ask(); err != nil {
			t.Error(err)
		}
	}
	if got := s.asked.Load(); got != maxFailures+4 {
		t.Errorf("asked %d times", got)
	}
	if logs.FilterLevelExact(zap.WarnLevel).Len() != 2 || logs.FilterMessage("the introspection endpoint answers again").Len() != 1 {
		t.Errorf("logged %v", logs.All())
	}
}

// TestClient_recent repeats an answer for a moment, if it may.
func TestClient_recent(t *testing.T) {
	s := newServer(t)
	c, _ := s.client(t)
	now := time.Now()
	c.now = func() time.Time { return now }
	ask := func(want int64) {
		t.Helper()
		if _, err := c.Introspect(t.Context(), "token"); err != nil || s.asked.Load() != want {
			t.Errorf("asked %d times, want %d; %v", s.asked.Load(), want, err)
		}
	}
	ask(1)
	now = now.Add(MaxRecent - 1)
	ask(1)
	now = now.Add(1)
	ask(2)
	c.life = 0
	ask(3)
}

func TestClient_timeout(t *testing.T) {
	s := newServer(t)
	done := make(chan struct{})
	defer close(done)
	s.does(func(http.ResponseWriter, *http.Request) { <-done })
	c, _ := newClient(t, Server{Endpoint: s.URL, BearerToken: "t"})
	c.timeout = time.Millisecond
	_, err := c.Introspect(t.Context(), "token")
	if _, down := errors.AsType[*auth.Unavailable](err); !down || c.breaker.failures != 1 {
		t.Errorf("%v, %d failures", err, c.breaker.failures)
	}
}

func TestClient_down(t *testing.T) {
	s := newServer(t)
	s.Close()
	c, _ := s.client(t)
	_, err := c.Introspect(t.Context(), "token-c4n4ry")
	if _, down := errors.AsType[*auth.Unavailable](err); !down || strings.Contains(err.Error(), "c4n4ry") {
		t.Error(err)
	}
}

// await returns when the condition holds.
func await(t *testing.T, condition func() bool) {
	t.Helper()
	for began := time.Now(); !condition(); time.Sleep(time.Millisecond) {
		if time.Since(began) > 30*time.Second {
			t.Fatal("it does not happen")
		}
	}
}

// BenchmarkClient_refused is what a client costs that repeats a bad token.
func BenchmarkClient_refused(b *testing.B) {
	c, _ := newClient(b, Server{Endpoint: "http://127.0.0.1:1/", BearerToken: "t"})
	token := strings.Repeat("x", 40)
	c.now = func() time.Time { return c.refused.start }
	c.refused.add(c.refused.digest(token), c.now())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Introspect(b.Context(), token); err != ErrInactive {
			b.Fatal(err)
		}
	}
}
