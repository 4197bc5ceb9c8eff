// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/password"
)

// Clients say where they come from, as a proxy would; delays are longer than
// the tests.
const guessedSite = `{
	{{global}}
	metrics
	servers {
		trusted_proxies static 127.0.0.1/32
	}
	rest_auth {
		{{store}}
		user configured "{{hash}}"
		login_throttle {
			address 12
			delay 10m 1h
		}
		refusals respond
	}
}
{{site}} {
	log
	handle /lenient {
		rest_auth {
			authenticate basic
			require allow_any
			invalid anonymous
		}
		respond "{http.auth.user.id}"
	}
	handle /file {
		rest_auth {
			authenticate basic {
				htpasswd {{dir}}/htpasswd
			}
		}
		respond "{http.auth.user.id}"
	}
	handle /error {
		rest_auth {
			authenticate basic
			refusals error
		}
		respond "{http.auth.user.id}"
	}
	handle {
		rest_auth {
			authenticate basic
		}
		respond "{http.auth.user.id}"
	}
	handle_errors {
		respond "{http.auth.error.code} {http.auth.candidate.id}" {err.status_code}
	}
}`

func serveGuessed(t *testing.T) *server {
	t.Helper()
	hash, err := password.New(password.Config{}).Hash(t.Context(), "pw")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "htpasswd")
	if err := os.WriteFile(file, []byte("listed:"+hash+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, strings.NewReplacer("{{hash}}", hash, "{{dir}}/htpasswd", file).Replace(guessedSite))
	s.seed()
	return s
}

// from says where a request comes from.
func from(address string) string { return "X-Forwarded-For: " + address }

// guess tries a password that is wrong, and another each time.
func (s *server) guess(path, user, address string, i int) reply {
	s.t.Helper()
	return s.get(path, basic(user, fmt.Sprint("guess", i)), from(address))
}

// lock guesses until the user is locked from there.
func (s *server) lock(path, user, address string) {
	s.t.Helper()
	for i := range 5 {
		if got := s.guess(path, user, address, i); got.Status == http.StatusTooManyRequests {
			s.t.Fatalf("guess %d at %s was refused", i, user)
		}
	}
	s.expectLocked(path, user, address)
}

func (s *server) expectLocked(path, user, address string) {
	s.t.Helper()
	got := s.get(path, basic(user, "pw"), from(address))
	retry, _ := strconv.Atoi(got.Header.Get("Retry-After"))
	if retry < 540 || retry > 600 {
		s.t.Errorf("Retry-After is %q, want some 600 seconds", got.Header.Get("Retry-After"))
	}
	got.expect(s.t, http.StatusTooManyRequests, "-", detail(fmt.Sprintf("Request was throttled. Expected available in %d seconds.", retry)))
}

func (s *server) logins(result string) float64 {
	return s.metrics()[`caddy_rest_auth_logins_total{kind="password",result="`+result+`"}`]
}

// Of 100 guesses at once five are verified, whether there is such a user or not.
func TestLoginThrottle_parallel(t *testing.T) {
	s := serveGuessed(t)
	for i, user := range []string{"alice", "nobody"} {
		failed := s.logins("failed")
		var mu sync.Mutex
		statuses := make(map[int]int)
		var all sync.WaitGroup
		for n := range 100 {
			all.Go(func() {
				got := s.guess("/", user, fmt.Sprintf("192.0.2.%d", i), n)
				mu.Lock()
				defer mu.Unlock()
				statuses[got.Status]++
			})
		}
		all.Wait()
		if statuses[http.StatusUnauthorized] != 5 || statuses[http.StatusTooManyRequests] != 95 {
			t.Errorf("guesses at %s were answered %v, want 5 of 401 and 95 of 429", user, statuses)
		}
		if n := s.logins("failed") - failed; n != 5 {
			t.Errorf("%v guesses at %s were verified, want 5", n, user)
		}
		s.expectLocked("/", user, "198.51.100.1")
	}
}

// A user who logged in from an address is not locked out there by others, and
// who logged in is not bothered at all.
func TestLoginThrottle_knownAddress(t *testing.T) {
	s := serveGuessed(t)
	s.get("/", basic("alice", "pw"), from("2001:db8:0:1::1")).expect(t, 200, "-", "alice")
	// This site remembers nothing of that one.
	s.lock("/file", "alice", "192.0.2.1")
	s.expectLocked("/file", "ALICE", "192.0.2.2")
	s.expectLocked("/file", "alice", "2001:db8:0:2::1")
	// What is remembered does not tell a guesser that the password is right.
	s.expectLocked("/", "alice", "192.0.2.1")
	s.get("/", basic("alice", "pw"), from("2001:db8:0:1::1")).expect(t, 200, "-", "alice")
	s.get("/file", basic("alice", "pw"), from("2001:db8:0:1:ffff::2")).expect(t, 200, "-", "alice")
	s.get("/", basic("bob", "pw"), from("192.0.2.1")).expect(t, 200, "-", "bob")
	// Nor does it where it is remembered.
	s.lock("/", "bob", "192.0.2.1")
}

// Guesses at a user who keeps logging in are hopeless too: no answer tells that
// one of them was right, wherever they come from.
func TestLoginThrottle_remembered(t *testing.T) {
	s := serveGuessed(t)
	s.get("/", basic("alice", "pw"), from("192.0.2.1")).expect(t, 200, "-", "alice")
	for i, address := range []string{"192.0.2.1", "192.0.2.2", "2001:db8::1"} {
		for n := range 20 {
			s.guess("/", "alice", address, 100*i+n)
		}
		s.expectLocked("/", "alice", address)
	}
	// A remembered login is not asked about while nobody guesses there.
	s.get("/", basic("bob", "pw"), from("192.0.2.3")).expect(t, 200, "-", "bob")
	before := s.logins("succeeded")
	s.get("/", basic("bob", "pw"), from("192.0.2.3")).expect(t, 200, "-", "bob")
	if now := s.logins("succeeded"); now != before {
		t.Errorf("a remembered login was verified again: %v, %v", before, now)
	}
}

// Guesses at many users are counted by address, and those of a network of IPv6
// together.
func TestLoginThrottle_addresses(t *testing.T) {
	s := serveGuessed(t)
	for name, addresses := range map[string][2]string{"v6": {"2001:db8:0:1::1", "2001:db8:0:1::2"}, "v4": {"192.0.2.1", "::ffff:192.0.2.1"}} {
		var all sync.WaitGroup
		for i := range 12 {
			all.Go(func() { s.guess("/", fmt.Sprint(name, i), addresses[i%2], i) })
		}
		all.Wait()
		s.expectLocked("/", "alice", addresses[1])
	}
	s.get("/", basic("alice", "pw"), from("2001:db8:0:2::1")).expect(t, 200, "-", "alice")
}

// Every source of users counts, and `invalid anonymous` does not hide it.
func TestLoginThrottle_everyPath(t *testing.T) {
	s := serveGuessed(t)
	for path, user := range map[string]string{"/file": "listed", "/lenient": "configured", "/": "bob"} {
		s.lock(path, user, "192.0.2."+strconv.Itoa(len(user)))
	}
}

// Counts outlive a reload, and what the operator clears is forgotten.
func TestLoginThrottle_reload(t *testing.T) {
	s := serveGuessed(t)
	s.lock("/", "alice", "192.0.2.1")
	config := s.send(http.MethodGet, "http://"+s.Admin+"/config/", nil).Body
	for _, change := range []string{`"user":5`, `"user":6`} {
		changed := strings.Replace(config, `"login_throttle":{`, `"login_throttle":{`+change+`,`, 1)
		if got := s.send(http.MethodPost, "http://"+s.Admin+"/load", strings.NewReader(changed), "Content-Type: application/json"); got.Status != http.StatusOK {
			t.Fatalf("reloading: %d %s", got.Status, got.Body)
		}
		if change == `"user":5` {
			s.expectLocked("/", "alice", "192.0.2.1")
		}
	}
	// One more is free now.
	time.Sleep(time.Second) // what was said a moment ago is said again
	s.guess("/", "alice", "192.0.2.1", 99).expect(t, http.StatusUnauthorized, `Basic realm="api"`, invalidLogin)

	var list struct {
		Lockouts []struct {
			Scope, User, Address string
			Failures             int
		}
	}
	got := s.send(http.MethodGet, "http://"+s.Admin+"/rest_auth/lockouts?counted=true", nil)
	if err := json.Unmarshal([]byte(got.Body), &list); err != nil || len(list.Lockouts) != 2 {
		t.Fatalf("lockouts: %d %s, %v", got.Status, got.Body, err)
	}
	for _, l := range list.Lockouts {
		if l.Failures != 6 || l.Scope == "user" && l.User != "alice" || l.Scope == "address" && l.Address != "192.0.2.1" {
			t.Errorf("a lockout is %+v", l)
		}
	}
	got = s.send(http.MethodDelete, "http://"+s.Admin+"/rest_auth/lockouts?user=alice", nil)
	if got.Body != "{\"cleared\":1}\n" {
		t.Errorf("clearing: %d %s", got.Status, got.Body)
	}
	s.get("/", basic("alice", "pw"), from("192.0.2.1")).expect(t, 200, "-", "alice")
}

// Logs, the access log and error routes say who was guessed at, if there is
// such a user.
func TestLoginThrottle_told(t *testing.T) {
	s := serveGuessed(t)
	throttled := s.logins("throttled_user")
	s.lock("/", "bob", "192.0.2.1")
	s.lock("/", "canary-user", "192.0.2.2")
	if n := s.logins("throttled_user") - throttled; n != 2 {
		t.Errorf("%v refusals were counted, want 2", n)
	}
	lines := s.logs.await("login throttled", 2)
	if l := lines[0]; l["level"] != "warn" || l["code"] != "throttled" || l["client_ip"] != "192.0.2.1" || l["by"] != "user" || l["user"] != "bob" {
		t.Errorf("logged %v", l)
	}
	if _, named := lines[1]["user"]; named || strings.Contains(s.logs.text(), "canary-user") {
		t.Errorf("a name that nobody has was logged: %v", lines[1])
	}
	if got := s.get("/error", basic("bob", "pw"), from("192.0.2.1")); got.Status != http.StatusTooManyRequests || got.Body != "throttled bob" {
		t.Errorf("the error route was given %d %q", got.Status, got.Body)
	}
	found := false
	for _, line := range s.logs.await("handled request", 13) {
		found = found || line["auth_code"] == "throttled" && line["auth_candidate"] == "bob"
	}
	if !found {
		t.Error("the access log does not name the user")
	}
}

// Explaining a login counts nothing, and answers what the login would get.
func TestLoginThrottle_explain(t *testing.T) {
	s := serveGuessed(t)
	ask := func(secret string) string {
		t.Helper()
		asked, err := json.Marshal(map[string]any{
			"url": s.URL + "/", "from": "192.0.2.1",
			"headers": map[string][]string{"Authorization": {strings.TrimPrefix(basic("alice", secret), "Authorization: ")}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return s.send(http.MethodPost, "http://"+s.Admin+"/rest_auth/explain", bytes.NewReader(asked), "Content-Type: application/json").Body
	}
	for i := range 8 {
		if said := ask(fmt.Sprint("x", i)); !strings.Contains(said, "Invalid username/password.") {
			t.Fatalf("explained: %s", said)
		}
	}
	s.lock("/", "alice", "192.0.2.1")
	if said := ask("pw"); !strings.Contains(said, "Request was throttled. Expected available in") || !strings.Contains(said, "429") {
		t.Errorf("explained: %s", said)
	}
}

// Users of the configuration need no store, and their passwords cannot be
// guessed while there is none.
func TestLoginThrottle_storeDown(t *testing.T) {
	hash, err := password.New(password.Config{}).Hash(t.Context(), "pw")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, `{
	{{global}}
	rest_auth {
		store sqlite `+file+`/rest_auth.db
		user configured "`+hash+`"
		login_throttle {
			delay 10m 1h
		}
	}
}
{{site}} {
	rest_auth {
		authenticate basic
	}
	respond "{http.auth.user.id}"
}`)
	if got := s.get("/", basic("alice", "pw")); got.Status != http.StatusServiceUnavailable {
		t.Fatalf("without a store a user of it was answered %d", got.Status)
	}
	s.get("/", basic("configured", "pw")).expect(t, 200, "-", "configured")
	for i := range 5 {
		s.get("/", basic("configured", fmt.Sprint("x", i))).expect(t, http.StatusUnauthorized, `Basic realm="api"`, invalidLogin)
	}
	if got := s.get("/", basic("configured", "another")); got.Status != http.StatusTooManyRequests {
		t.Errorf("a sixth guess was answered %d", got.Status)
	}
}

func TestLoginThrottle_off(t *testing.T) {
	s := serve(t, "{\n{{global}}\nrest_auth {\n{{store}}\nlogin_throttle off\n}\n}\n{{site}} {\nrest_auth {\nauthenticate basic\n}\nrespond ok\n}")
	s.seed()
	for i := range 12 {
		s.get("/", basic("alice", fmt.Sprint("x", i))).expect(t, http.StatusUnauthorized, `Basic realm="api"`, invalidLogin)
	}
	s.get("/", basic("alice", "pw")).expect(t, 200, "-", "ok")
}

// Every API that takes a password counts for all of them.
func TestLoginThrottle_endpoints(t *testing.T) {
	s := serve(t, `{
	{{global}}
	rest_auth {
		{{store}}
		login_throttle {
			delay 10m 1h
		}
	}
}
{{site}} {
	rest_auth_endpoints {
		authtoken /token/
		durin /durin/
		knox /knox/ {
			authenticate basic
		}
	}
	rest_auth {
		authenticate basic
	}
	respond ok
}`)
	s.seed()
	post := func(path, secret string, lines ...string) reply {
		t.Helper()
		body := `{"username":"alice","password":"` + secret + `","client":"web"}`
		return s.send(http.MethodPost, s.URL+path, strings.NewReader(body), append(lines, "Content-Type: application/json")...)
	}
	for i, got := range []reply{
		post("/token/", "1"), post("/durin/login/", "2"), post("/knox/login/", "", basic("alice", "3")), post("/token/", "4"), s.get("/", basic("alice", "5")),
	} {
		if got.Status != http.StatusBadRequest && got.Status != http.StatusUnauthorized {
			t.Errorf("guess %d was answered %d %s", i+1, got.Status, got.Body)
		}
	}
	for _, got := range map[string]reply{
		"/token/": post("/token/", "pw"), "/durin/login/": post("/durin/login/", "pw"),
		"/knox/login/": post("/knox/login/", "", basic("alice", "pw")), "/": s.get("/", basic("alice", "pw")),
	} {
		retry := got.Header.Get("Retry-After")
		got.expect(t, http.StatusTooManyRequests, "-", detail("Request was throttled. Expected available in "+retry+" seconds."))
	}
}

// A hundred guesses, over every path that takes a password at once, and half of
// them after the configuration was loaded again, are five.
func TestLoginThrottle_allPathsAtOnce(t *testing.T) {
	s := serve(t, `{
	{{global}}
	rest_auth {
		{{store}}
		login_throttle {
			delay 10m 1h
		}
	}
}
{{site}} {
	rest_auth_endpoints {
		authtoken /token/
		durin /durin/
		session /session/
		knox /knox/ {
			authenticate basic
		}
	}
	rest_auth {
		authenticate basic
	}
	respond ok
}`)
	s.seed()
	csrf := strings.Repeat("a", 32)
	form := func(path, secret string) reply {
		return s.send(http.MethodPost, s.URL+path, strings.NewReader("username=alice&client=web&password="+secret),
			"Content-Type: application/x-www-form-urlencoded", "Accept: application/json", "Cookie: csrftoken="+csrf, "X-CSRFToken: "+csrf)
	}
	paths := []func(secret string) reply{
		func(secret string) reply { return s.get("/", basic("alice", secret)) },
		func(secret string) reply {
			return s.send(http.MethodPost, s.URL+"/knox/login/", nil, basic("alice", secret))
		},
		func(secret string) reply { return form("/token/", secret) },
		func(secret string) reply { return form("/durin/login/", secret) },
		func(secret string) reply { return form("/session/login/", secret) },
	}
	for i, ask := range paths {
		// What is no guess shows that the path is there, and counts nothing.
		if got := ask(""); got.Status != http.StatusBadRequest && got.Status != http.StatusUnauthorized {
			t.Fatalf("path %d without a password was answered %d %s", i, got.Status, got.Body)
		}
	}
	failed, refused := s.logins("failed"), s.logins("throttled_user")
	wave := func(first int) {
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				got := paths[i%len(paths)](fmt.Sprint("guess", first+i))
				if got.Status != http.StatusBadRequest && got.Status != http.StatusUnauthorized && got.Status != http.StatusTooManyRequests {
					t.Errorf("guess %d was answered %d %s", first+i, got.Status, got.Body)
				}
			})
		}
		all.Wait()
	}
	wave(0)
	config := s.send(http.MethodGet, "http://"+s.Admin+"/config/", nil).Body
	changed := strings.Replace(config, `"login_throttle":{`, `"login_throttle":{"user":5,`, 1)
	if got := s.send(http.MethodPost, "http://"+s.Admin+"/load", strings.NewReader(changed), "Content-Type: application/json"); got.Status != http.StatusOK {
		t.Fatalf("reloading: %d %s", got.Status, got.Body)
	}
	wave(50)
	if got := s.logins("failed") - failed; got != 5 {
		t.Errorf("%v guesses were verified, want 5, and %v were refused", got, s.logins("throttled_user")-refused)
	}
	for i, ask := range paths {
		if got := ask("pw"); got.Status != http.StatusTooManyRequests {
			t.Errorf("path %d lets the right password in: %d %s", i, got.Status, got.Body)
		}
	}
}
