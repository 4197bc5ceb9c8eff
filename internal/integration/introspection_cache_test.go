// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// awaitAnswer asks until the answer has a status.
func (s *server) awaitAnswer(status int, path string, lines ...string) reply {
	s.t.Helper()
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		got := s.get(path, lines...)
		if got.Status == status {
			return got
		}
		if time.Since(began) > 30*time.Second {
			s.t.Fatalf("%d %q, want %d", got.Status, got.Body, status)
		}
	}
}

// TestIntrospection_cache remembers what a server said, for as long as it is told
// to, and no longer.
func TestIntrospection_cache(t *testing.T) {
	i := newIntrospector(t)
	site := "{{site}} {\nroute {\nrest_auth /write* {\n" + i.lines("audience api", "cache_ttl 1s") + "\nrequire scope write\n}\n" +
		"rest_auth {\n" + i.lines("audience api", "cache_ttl 1s") + "\n}\n" + printUser + "\n}\n}"
	s := serve(t, site)
	i.put("a")
	for range 5 {
		if got := s.get("/", bearerToken("a")); got.Status != 200 {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
	}
	if n := i.count("a"); n > 2 {
		t.Errorf("five requests asked %d times", n)
	}

	// Fewer scopes than before.
	i.put("b")
	s.get("/write", bearerToken("b")).expect(t, 200, "-", "*")
	i.put("b", "scope", "read")
	s.awaitAnswer(403, "/write", bearerToken("b")).expect(t, 403, bearerPlain+`, error="insufficient_scope", `+
		`error_description="The request requires higher privileges than provided by the access token.", scope="write"`, deniedBody)

	// Revoked.
	i.revoke("a")
	s.awaitAnswer(401, "/", bearerToken("a")).expect(t, 401, bearerInvalid, invalidToken)

	// A token that ends before its answer is old.
	i.put("c", "exp", time.Now().Add(-29*time.Second).Unix()) // within the leeway
	s.get("/", bearerToken("c")).expect(t, 200, "-", "*")
	s.awaitAnswer(401, "/", bearerToken("c")).expect(t, 401, bearerExpired, expiredToken)
}

// TestIntrospection_cacheOff asks for each request.
func TestIntrospection_cacheOff(t *testing.T) {
	i := newIntrospector(t)
	s := serve(t, whoamiSite(i.lines("audience api", "cache_ttl 0")))
	i.put("a")
	for range 3 {
		s.get("/", bearerToken("a")).expect(t, 200, "-", "*")
	}
	if n := i.count("a"); n != 3 {
		t.Errorf("asked %d times", n)
	}
	i.revoke("a")
	s.get("/", bearerToken("a")).expect(t, 401, bearerInvalid, invalidToken)
}

// TestIntrospection_parallel has a hundred requests with a new token make one
// exchange.
func TestIntrospection_parallel(t *testing.T) {
	i := newIntrospector(t)
	s := serve(t, whoamiSite(i.lines("audience api")))
	i.put("a")
	i.put("warm")
	s.get("/", bearerToken("warm")).expect(t, 200, "-", "*")
	release := make(chan struct{})
	i.does(func(w http.ResponseWriter, _ *http.Request) {
		<-release
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"active":true,"username":"alice","aud":"api","exp":%d}`, time.Now().Add(time.Hour).Unix())
	})
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if got := s.get("/", bearerToken("a")); got.Status != 200 {
				t.Errorf("%d %s", got.Status, got.Body)
			}
		})
	}
	for i.count("a") == 0 {
		time.Sleep(time.Millisecond)
	}
	close(release)
	wg.Wait()
	if n := i.count("a"); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// TestIntrospection_isolation has one token mean different things to two servers,
// and to one server asked by two clients.
func TestIntrospection_isolation(t *testing.T) {
	one, other := newIntrospector(t), newIntrospector(t)
	site := func(path string, i *introspector, lines ...string) string {
		return "handle " + path + " {\nrest_auth {\n" + i.lines(append(lines, "audience api")...) + "\n}\n" + printUser + "\n}\n"
	}
	s := serve(t, "{{site}} {\n"+site("/one", one)+site("/other", other)+site("/strict", one, "scope admin")+"}")
	one.put("shared", "username", "alice", "sub", "1")
	s.get("/one", bearerToken("shared")).expect(t, 200, "-", "alice|"+one.URL+"|1|read,write||app|introspection")
	s.get("/other", bearerToken("shared")).expect(t, 401, bearerInvalid, invalidToken)
	s.get("/strict", bearerToken("shared")).expect(t, 403, bearerPlain+`, error="insufficient_scope", `+
		`error_description="The request requires higher privileges than provided by the access token.", scope="admin"`, deniedBody)
	s.get("/one", bearerToken("shared")).expect(t, 200, "-", "*")
	other.put("both", "username", "mallory", "sub", "1")
	one.put("both", "username", "alice", "sub", "1")
	for range 2 {
		s.get("/other", bearerToken("both")).expect(t, 200, "-", "mallory|"+other.URL+"|1|read,write||app|introspection")
		s.get("/one", bearerToken("both")).expect(t, 200, "-", "alice|"+one.URL+"|1|read,write||app|introspection")
	}
}

// TestIntrospection_faults is each way in which a server fails. Its tokens are
// answered 503, and nobody else's, and it heals by itself.
func TestIntrospection_faults(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"500":        func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"503":        func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) },
		"429":        func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) },
		"our client": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) },
		"redirects": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusTemporaryRedirect)
		},
		"HTML": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<html>c4n4ry"))
		},
		"empty": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "application/json") },
		"wrong kind": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"active":true,"username":"alice","aud":"api","exp":4102444800}`))
		},
		"a text": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"active":"true","username":"alice","aud":"api","exp":4102444800}`))
		},
		"huge": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"active":true,"x":"` + strings.Repeat("x", 1<<20) + `"}`))
		},
		"endless": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for r.Context().Err() == nil {
				if _, err := w.Write([]byte(strings.Repeat(" ", 1<<10))); err != nil {
					return
				}
			}
		},
		"slow":   func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"closes": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			i := newIntrospector(t)
			s := serve(t, whoamiSite(i.lines("audience api", "timeout 200ms", "user_prefix as:")+"\nauthenticate token"))
			s.seed()
			i.put("c4n4ry-good")
			i.put("c4n4ry-seen")
			s.awaitAnswer(200, "/", bearerToken("c4n4ry-seen")) // the timeout is short
			i.does(answer)
			got := s.get("/", bearerToken("c4n4ry-good"))
			got.expect(t, 503, "-", detail("Service temporarily unavailable, try again later."))
			if got.Header.Get("Retry-After") == "" {
				t.Error("there is no Retry-After")
			}
			// Those who were seen before, and tokens of others, are not concerned.
			s.get("/", bearerToken("c4n4ry-seen")).expect(t, 200, "-", "*")
			s.get("/", token("token-alice")).expect(t, 200, "-", "*")
			s.get("/").expect(t, 401, bearerPlain, notAuthenticated)
			i.does(nil)
			s.awaitAnswer(200, "/", bearerToken("c4n4ry-good"))
			if strings.Contains(s.logs.text(), "c4n4ry") {
				t.Error("the log has a secret")
			}
		})
	}
}

// TestIntrospection_breaker leaves a server alone that fails, and finds out when it
// is back.
func TestIntrospection_breaker(t *testing.T) {
	i := newIntrospector(t)
	s := serve(t, whoamiSite(i.lines("audience api")))
	i.does(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	for range 20 {
		s.get("/", bearerToken("a")).expect(t, 503, "-", "*")
	}
	if n := i.count("a"); n > 8 {
		t.Errorf("twenty requests asked a server %d times that fails", n)
	}
	s.logs.await("the introspection endpoint fails: it is not asked for a while, and its tokens are answered 503", 1)
	i.put("a")
	i.does(nil)
	s.awaitAnswer(200, "/", bearerToken("a"))
	s.logs.await("the introspection endpoint answers again", 1)
}

// TestIntrospection_down starts with a server that does not.
func TestIntrospection_down(t *testing.T) {
	i := newIntrospector(t)
	i.Close()
	s := serve(t, whoamiSite(i.lines("audience api")))
	s.get("/", bearerToken("a")).expect(t, 503, "-", "*")
	s.get("/").expect(t, 401, bearerPlain, notAuthenticated)
}
