// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// explained is what the tests read of an explanation.
type explained struct {
	Verdict, Summary string
	Status           int
	Server           string
	Request          struct {
		ClientIP string `json:"client_ip"`
		Headers  []struct{ Name, Value string }
		Dropped  []string
	}
	Judged   []judged
	Answered struct{ By, Route string }
	Notes    []string
}

// judged is what one handler made of the request.
type judged struct {
	Route, Verdict string
	LeftOut        bool `json:"left_out"`
	Preflight      bool
	Authenticators []struct{ Name, Outcome, User, Reason, Remembered string }
	Identity       *struct {
		ID, Key, Method, Credential string
		Groups, Scopes, Permissions []string
	}
	Candidate   *struct{ ID string }
	Permissions []explainedPart
	Headers     struct {
		Stripped, Deleted []string
		Set               []struct{ Name, Value string }
	}
	Refusal *struct {
		Status         int
		Code, Detail   string
		Challenges     []string
		RetryAfter     int `json:"retry_after"`
		Body, Location string
		ErrorRoutes    bool `json:"error_routes"`
	}
}

type explainedPart struct {
	Name, Outcome, Reason string
	Parts                 []explainedPart
}

// question is a request to explain, as the admin API takes it.
func (s *server) question(method, url string, lines ...string) map[string]any {
	headers := make(map[string][]string)
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		headers[name] = append(headers[name], strings.TrimPrefix(value, " "))
	}
	return map[string]any{"url": url, "method": method, "headers": headers}
}

// askToExplain sends a question to the admin API.
func (s *server) askToExplain(question map[string]any, lines ...string) reply {
	s.t.Helper()
	body, err := json.Marshal(question)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.send(http.MethodPost, "http://"+s.Admin+"/rest_auth/explain", bytes.NewReader(body), append(lines, "Content-Type: application/json")...)
}

func (s *server) explain(method, path string, lines ...string) explained {
	s.t.Helper()
	return s.explanation(s.question(method, s.URL+path, lines...))
}

func (s *server) explanation(question map[string]any) explained {
	s.t.Helper()
	answer := s.askToExplain(question)
	if answer.Status != http.StatusOK {
		s.t.Fatalf("explaining was answered %d %s", answer.Status, answer.Body)
	}
	var x explained
	decoder := json.NewDecoder(strings.NewReader(answer.Body))
	if err := decoder.Decode(&x); err != nil {
		s.t.Fatalf("%v in %s", err, answer.Body)
	}
	return x
}

// explainSite has one path for each way in which routes lead to a handler.
const explainSite = `{
	{{global}}
	order test_mystery first
	rest_auth {
		{{store}}
		user admin $argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$L3i6sYqX2uI6wn0Cm7NnUzVrkLPDLqLYTzmZeTzBzHQ
	}
}
(guard) {
	rest_auth {
		authenticate token
		require {args[0]}
	}
}
&(shared) {
	route {
		rest_auth {
			authenticate token
			require staff
		}
		reverse_proxy {{echo}}
	}
}
{{site}} {
	handle /plain* {
		rest_auth {
			authenticate token
			authenticate basic
			header_up Remote-User {http.auth.user.id}
			header_up X-Key canary-upstream-key
			header_up -Authorization
		}
		reverse_proxy {{echo}}
	}
	handle_path /stripped/* {
		rest_auth {
			authenticate token
			require match path /inner
		}
		reverse_proxy {{echo}}
	}
	handle /snippet* {
		import guard staff
		reverse_proxy {{echo}}
	}
	handle /named* {
		invoke shared
	}
	route /rewritten* {
		rewrite /elsewhere
		rest_auth /rewritten* {
			authenticate token
		}
		rest_auth /elsewhere {
			authenticate token
			require group editors
		}
		reverse_proxy {{echo}}
	}
	handle /vars* {
		vars tier gold
		map {path} {needed} {
			/vars/open nobody
			default gold
		}
		rest_auth {
			authenticate token
			require match vars tier {needed}
		}
		reverse_proxy {{echo}}
	}
	handle /matched* {
		rest_auth /matched/private* {
			authenticate token
			header_up Remote-User {http.auth.user.id}
		}
		reverse_proxy {{echo}}
	}
	route /two* {
		rest_auth {
			authenticate token
		}
		rest_auth {
			authenticate token
			require not group editors
		}
		reverse_proxy {{echo}}
	}
	handle /lenient* {
		rest_auth {
			authenticate token
			invalid anonymous
			require read_only
		}
		reverse_proxy {{echo}}
	}
	handle /tree* {
		rest_auth {
			authenticate token
			require authenticated
			require any {
				staff
				all {
					read_only
					not group editors
				}
				scope orders.write orders.read
			}
			require user alice
		}
		respond "in" 202
	}
	handle /broken* {
		rest_auth {
			authenticate test_broken
		}
		respond "in"
	}
	handle /silent* {
		rest_auth {
			authenticate test_silent
		}
		respond "in"
	}
	handle /off* {
		rest_auth {
			authenticate off
			require user alice {
				message "members only"
				code members
			}
		}
		respond "in"
	}
	handle /cors* {
		rest_auth {
			authenticate token
			cors https://app.example
		}
		respond "in"
	}
	handle /foreign* {
		rest_auth {
			authenticate test_foreign
			require not user mallory
		}
		respond "in"
	}
	handle /open {
		respond "open" 203
	}
	handle /client {
		rest_auth {
			authenticate off
			require match client_ip 127.0.0.1
		}
		respond "in"
	}
	handle /missing {
		rest_auth {
			authenticate token
			require allow_any
		}
		error 410
	}
	handle /mystery {
		test_mystery
		rest_auth {
			authenticate token
		}
		respond "in"
	}
}
{{site2}} {
	handle_errors 401 {
		respond "log in" 418
	}
	rest_auth {
		authenticate token
		require authenticated
		require not group editors
	}
	respond "in"
}`

// TestExplain compares what is said would happen with what happens.
func TestExplain(t *testing.T) {
	s := serve(t, explainSite)
	s.seed()
	s.putExpired()
	s.putToken(s.putUser(tokenstore.User{Name: "scoped", Active: true}), "token-scoped", "orders.read", "orders.write")

	site2 := "http://127.0.0.1:" + strings.TrimPrefix(s.vars["{{site2}}"], "http://:")
	alice, bob, root := token("token-alice"), token("token-bob"), token("token-root")
	for _, row := range []struct {
		method, path string
		lines        []string
		verdict      string
	}{
		{"GET", "/plain", nil, "unauthenticated"},
		{"GET", "/plain", []string{alice}, "allowed"},
		{"GET", "/plain", []string{"Authorization: Token token-alice", "Remote-User: root", "Remote.User: root"}, "allowed"},
		{"GET", "/plain", []string{token("wrong")}, "failed"},
		{"GET", "/plain", []string{token("token-gone")}, "failed"},
		{"GET", "/plain", []string{token("token-expired")}, "failed"},
		{"GET", "/plain", []string{alice, bob}, "failed"},
		{"GET", "/plain", []string{basic("alice", "pw")}, "allowed"},
		{"GET", "/plain", []string{basic("alice", "wrong")}, "failed"},
		{"GET", "/plain", []string{basic("nobody", "wrong")}, "failed"},
		{"GET", "/plain", []string{basic("gone", "pw")}, "failed"},
		{"GET", "/plain", []string{basic("admin", "wrong")}, "failed"},
		{"GET", "/plain", []string{"Authorization: Bearer x"}, "unauthenticated"},
		{"HEAD", "/plain", nil, "unauthenticated"},
		{"GET", "/stripped/inner", []string{alice}, "allowed"},
		{"GET", "/stripped/outer", []string{alice}, "denied"},
		{"GET", "/snippet", []string{alice}, "denied"},
		{"GET", "/snippet", []string{bob}, "allowed"},
		{"GET", "/snippet", nil, "unauthenticated"},
		{"GET", "/named", []string{alice}, "denied"},
		{"GET", "/named", []string{bob}, "allowed"},
		{"GET", "/rewritten", []string{alice}, "allowed"},
		{"GET", "/rewritten", []string{bob}, "denied"},
		{"GET", "/vars/open", []string{alice}, "denied"},
		{"GET", "/vars/x", []string{alice}, "allowed"},
		{"GET", "/matched/public", []string{"Remote-User: root"}, "unguarded"},
		{"GET", "/matched/private", nil, "unauthenticated"},
		{"GET", "/matched/private", []string{alice}, "allowed"},
		{"GET", "/two", []string{bob}, "allowed"},
		{"GET", "/two", []string{alice}, "denied"},
		{"GET", "/lenient", []string{token("wrong")}, "anonymous"},
		{"POST", "/lenient", []string{token("wrong")}, "unauthenticated"},
		{"POST", "/lenient", []string{alice}, "denied"},
		{"GET", "/tree", []string{alice}, "denied"},
		{"GET", "/tree", []string{root}, "denied"},
		{"GET", "/tree", []string{token("token-scoped")}, "denied"},
		{"GET", "/broken", nil, "unavailable"},
		{"GET", "/silent", nil, "unauthenticated"},
		{"GET", "/off", nil, "denied"},
		{"GET", "/cors", []string{"Origin: https://app.example"}, "unauthenticated"},
		{"OPTIONS", "/cors", []string{"Origin: https://app.example", "Access-Control-Request-Method: GET"}, "anonymous"},
		{"OPTIONS", "/cors", []string{"Origin: https://evil.example", "Access-Control-Request-Method: GET"}, "unauthenticated"},
		{"GET", "/foreign", []string{"X-Foreign: eve"}, "allowed"},
		{"GET", "/foreign", []string{"X-Foreign: mallory"}, "denied"},
		{"GET", "/open", nil, "unguarded"},
		{"GET", "/nowhere", nil, "unguarded"},
		{"GET", "/client", nil, "anonymous"},
		{"GET", "/missing", nil, "anonymous"},
		{"GET", site2 + "/", nil, "unauthenticated"},
		{"GET", site2 + "/", []string{bob}, "allowed"},
		{"GET", site2 + "/", []string{alice}, "denied"},
	} {
		url := row.path
		if strings.HasPrefix(url, "/") {
			url = s.URL + url
		}
		name := row.method + " " + row.path + " " + strings.Join(row.lines, ", ")
		// First, so that nothing that the request leaves behind can help.
		x := s.explanation(s.question(row.method, url, row.lines...))
		before := s.echo.hits.Load()
		got := s.send(row.method, url, nil, row.lines...)
		if proxied := strings.HasPrefix(x.Answered.By, "reverse_proxy "); proxied != (s.echo.hits.Load() > before) {
			t.Errorf("%s: explained as answered by %s", name, x.Answered.By)
		}
		if x.Verdict != row.verdict {
			t.Errorf("%s: verdict %s, want %s: %s", name, x.Verdict, row.verdict, x.Summary)
		}
		if x.Status != got.Status && (x.Status != 0 || got.Status != http.StatusOK) {
			t.Errorf("%s: explained as %d, and answered %d; %s", name, x.Status, got.Status, x.Summary)
		}
		if len(x.Judged) == 0 {
			continue
		}
		if refusal := x.Judged[len(x.Judged)-1].Refusal; refusal != nil && !refusal.ErrorRoutes {
			if refusal.Body != got.Body {
				t.Errorf("%s: body %q, want %q", name, refusal.Body, got.Body)
			}
			if !slices.Equal(refusal.Challenges, got.Header.Values("WWW-Authenticate")) {
				t.Errorf("%s: challenges %q, want %q", name, refusal.Challenges, got.Header.Values("WWW-Authenticate"))
			}
		}
		if set := x.Judged[len(x.Judged)-1].Headers.Set; got.Status == http.StatusOK && len(set) > 0 {
			forwarded := got.forwarded(t).Header
			if user := forwarded["Remote-User"]; set[0].Value != strings.Join(user, "") {
				t.Errorf("%s: Remote-User %q, and the upstream got %q", name, set[0].Value, user)
			}
		}
	}
}

// putExpired stores a token that has ended.
func (s *server) putExpired() {
	s.t.Helper()
	user := s.putUser(tokenstore.User{Name: "expired", Active: true})
	credential := tokenstore.Credential{
		ID: "id-token-expired", Kind: tokenstore.KindToken, Digest: digestOf("token-expired"), UserKey: user.Key,
		Created: time.Now().Add(-time.Hour), Expires: time.Now().Add(-time.Minute),
	}
	if err := s.store().Create(s.t.Context(), credential, 0, false); err != nil {
		s.t.Fatal(err)
	}
}

// What an operator asks at night: who, by what, why not.
func TestExplainParts(t *testing.T) {
	s := serve(t, explainSite)
	s.seed()

	x := s.explain("GET", "/plain", token("token-alice"), "Remote-User: root", "Remote_User: root")
	j := x.Judged[0]
	if j.Identity == nil || j.Identity.ID != "alice" || j.Identity.Credential != "id-token-alice" || len(j.Identity.Groups) != 2 {
		t.Errorf("identity %+v", j.Identity)
	}
	if a := j.Authenticators; a[0].Outcome != "identity" || a[0].Remembered != "no" || a[1].Outcome != "not asked" {
		t.Errorf("authenticators %+v", a)
	}
	if h := j.Headers; !slices.Equal(h.Stripped, []string{"Remote-User"}) || !slices.Equal(h.Deleted, []string{"Authorization"}) ||
		len(h.Set) != 2 || h.Set[0].Value != "alice" || strings.Contains(h.Set[1].Value, "canary") {
		t.Errorf("headers %+v", h)
	}
	if !slices.Equal(x.Request.Dropped, []string{"Remote_user"}) {
		t.Errorf("dropped %q", x.Request.Dropped)
	}
	if !strings.HasPrefix(x.Answered.By, "reverse_proxy "+s.echo.address) || !strings.Contains(x.Answered.Route, "path /plain*") {
		t.Errorf("answered %+v", x.Answered)
	}

	// The cache is looked at, and nothing is left in it.
	if again := s.explain("GET", "/plain", token("token-alice")); again.Judged[0].Authenticators[0].Remembered != "no" {
		t.Error("explaining is remembered")
	}
	remembered := func() string {
		s.get("/plain", token("token-alice"))
		return s.explain("GET", "/plain", token("token-alice")).Judged[0].Authenticators[0].Remembered
	}
	// What the store is told of its new users may still be on its way.
	for deadline := time.Now().Add(5 * time.Second); remembered() != "fresh"; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("what the handler remembers is not told")
		}
	}

	tree := s.explain("GET", "/tree", token("token-alice")).Judged[0]
	var names []string
	var walk func(depth string, parts []explainedPart)
	walk = func(depth string, parts []explainedPart) {
		for _, part := range parts {
			names = append(names, depth+part.Name+": "+part.Outcome)
			walk(depth+"  ", part.Parts)
		}
	}
	walk("", tree.Permissions)
	want := []string{
		"authenticated: allowed", "any: refused", "  staff: refused", "  all: refused", "    read_only: allowed", "    not: refused",
		"      group editors: allowed", "  scope orders.write orders.read: refused", "user alice: not asked",
	}
	if !slices.Equal(names, want) {
		t.Errorf("permissions\n%s\nwant\n%s", strings.Join(names, "\n"), strings.Join(want, "\n"))
	}
	if tree.Candidate == nil || tree.Candidate.ID != "alice" {
		t.Errorf("candidate %+v", tree.Candidate)
	}

	two := s.explain("GET", "/two", token("token-alice")).Judged
	if len(two) != 2 || two[0].Verdict != "allowed" || two[1].Verdict != "denied" {
		t.Errorf("two handlers: %+v", two)
	}
	left := s.explain("GET", "/matched/public", "Remote-User: root").Judged
	if len(left) != 1 || !left[0].LeftOut || !slices.Equal(left[0].Headers.Stripped, []string{"Remote-User"}) {
		t.Errorf("left out: %+v", left)
	}
	if bad := s.explain("GET", "/plain", token("nothing-like-it")).Judged[0].Authenticators[0]; !strings.Contains(bad.Reason, "no such token") {
		t.Errorf("reason %q", bad.Reason)
	}
	s.putExpired()
	for secret, why := range map[string]string{
		"token-expired": ", issued to expired, expired at 20",
		"token-gone":    "inactive",
	} {
		if bad := s.explain("GET", "/plain", token(secret)).Judged[0].Authenticators[0]; !strings.Contains(bad.Reason, why) {
			t.Errorf("%s: reason %q, want %q", secret, bad.Reason, why)
		}
	}
	if bad := s.explain("GET", "/plain", basic("alice", "no")).Judged[0].Authenticators[1]; bad.Reason != "wrong password" || bad.User != "alice" {
		t.Errorf("basic %+v", bad)
	}
	if mystery := s.explain("GET", "/mystery"); len(mystery.Notes) != 1 || !strings.Contains(mystery.Notes[0], "test_mystery was not run") {
		t.Errorf("notes %q", mystery.Notes)
	}
	if mysteryRuns.Load() != 0 {
		t.Error("an unknown handler was run")
	}
	from := s.question("GET", s.URL+"/client")
	from["from"] = "192.0.2.7"
	if x := s.explanation(from); x.Verdict != "denied" || x.Request.ClientIP != "192.0.2.7" {
		t.Errorf("from elsewhere: %s, %s", x.Verdict, x.Request.ClientIP)
	}
}

// Nothing is left behind: no count, no last use, no line that bans somebody, no
// request to an upstream.
func TestExplainLeavesNoTrace(t *testing.T) {
	s := serve(t, explainSite)
	s.seed()
	before := s.metrics()
	refused := len(s.logs.lines("credentials refused"))
	for _, path := range []string{"/plain", "/tree", "/two", "/lenient"} {
		for _, line := range []string{token("token-alice"), token("wrong"), basic("alice", "wrong"), "X-None: 1"} {
			s.explain("GET", path, line)
		}
	}
	after := s.metrics()
	for series := range maps.Keys(after) {
		if !strings.HasPrefix(series, "caddy_rest_auth_store_seconds") && before[series] != after[series] {
			t.Errorf("%s went from %v to %v", series, before[series], after[series])
		}
	}
	if now := len(s.logs.lines("credentials refused")); now != refused {
		t.Errorf("%d lines about bad credentials", now-refused)
	}
	if n := s.echo.hits.Load(); n != 0 {
		t.Errorf("the upstream got %d requests", n)
	}
}

// A store that is down is 503 here too, with the cause.
func TestExplainStoreDown(t *testing.T) {
	s, store := serveFailing(t, "")
	store.Down(true)
	x := s.explain("GET", "/", token("token-alice"))
	if x.Verdict != "unavailable" || x.Status != http.StatusServiceUnavailable || x.Judged[0].Authenticators[0].Reason == "" ||
		x.Judged[0].Refusal.RetryAfter == 0 {
		t.Errorf("%+v", x)
	}
}

func TestExplainErrors(t *testing.T) {
	s := serve(t, explainSite)
	for name, row := range map[string]struct {
		question map[string]any
		status   int
		text     string
	}{
		"no URL":        {map[string]any{}, 400, "url: "},
		"secret in URL": {map[string]any{"url": "http://a:canary@127.0.0.1/"}, 400, "url: must hold no user"},
		"broken URL":    {map[string]any{"url": "http://canary\x7f/"}, 400, "url: "},
		"port":          {map[string]any{"url": "http://127.0.0.1:1/"}, 400, "no server listens on port 1"},
		"server":        {map[string]any{"url": s.URL, "server": "canary"}, 400, "there are srv0"},
		"method":        {map[string]any{"url": s.URL, "method": "canary canary"}, 400, "method: "},
		"header name":   {map[string]any{"url": s.URL, "headers": map[string]any{"Canary canary": []string{"x"}}}, 400, "headers: "},
		"header value":  {map[string]any{"url": s.URL, "headers": map[string]any{"X": []string{"canary\n"}}}, 400, "headers: "},
		"host":          {map[string]any{"url": s.URL, "headers": map[string]any{"Host": []string{"canary /"}}}, 400, "headers: Host"},
		"from":          {map[string]any{"url": s.URL, "from": "canary"}, 400, "from: "},
		"unknown":       {map[string]any{"uri": "canary"}, 400, "unknown field"},
	} {
		got := s.askToExplain(row.question)
		if got.Status != row.status || !strings.Contains(got.Body, row.text) || strings.Contains(got.Body, "canary") {
			t.Errorf("%s: %d %s, want %q", name, got.Status, got.Body, row.text)
		}
	}
	if got := s.send(http.MethodGet, "http://"+s.Admin+"/rest_auth/explain", nil); got.Status != http.StatusMethodNotAllowed || got.Header.Get("Allow") != "POST" {
		t.Errorf("GET: %d, Allow %q", got.Status, got.Header.Get("Allow"))
	}
}

// No part of an explanation, nor of a log, holds what the request carries.
func TestExplainCanary(t *testing.T) {
	s := serve(t, explainSite)
	s.seed()
	secrets := []string{"canary-token", "canary-password", "canary-cookie", "canary-key", "canary-query", "canary-upstream-key", "Y2FuYXJ5"}
	for _, path := range []string{"/plain", "/tree", "/lenient", "/foreign", "/named", "/mystery", "/open"} {
		for _, line := range []string{
			token("canary-token"), basic("canary-name", "canary-password"), "Authorization: canary-token", "Authorization: Token canary-token x",
			"Authorization: Basic canary-password", "Authorization: canary-token more", token("token-alice"),
		} {
			answer := s.askToExplain(s.question("GET", s.URL+path+"?token=canary-query", line, "Cookie: sessionid=canary-cookie", "X-Api-Key: canary-key",
				"Proxy-Authorization: Basic canary-password"))
			for _, secret := range append(secrets, "canary-name") {
				if strings.Contains(answer.Body, secret) {
					t.Errorf("%s with %q: the explanation has %q: %s", path, line, secret, answer.Body)
				}
			}
		}
	}
	for _, secret := range secrets {
		if strings.Contains(s.logs.text(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
}
