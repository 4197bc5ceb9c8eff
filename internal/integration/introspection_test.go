// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// introspector is an authorization server that says what tokens are worth.
type introspector struct {
	*httptest.Server
	mu     sync.Mutex
	tokens map[string]map[string]any // answers by token
	asked  map[string]int
	answer http.HandlerFunc // in place of the tokens
}

func newIntrospector(t *testing.T) *introspector {
	i := &introspector{tokens: make(map[string]map[string]any), asked: make(map[string]int)}
	i.Server = httptest.NewServer(i)
	t.Cleanup(i.Close)
	return i
}

func (i *introspector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token := r.PostFormValue("token")
	i.mu.Lock()
	i.asked[token]++
	answer, known := i.tokens[token]
	instead := i.answer
	i.mu.Unlock()
	if instead != nil {
		instead(w, r)
		return
	}
	if id, secret, _ := r.BasicAuth(); id != "edge" || secret != "c4n4ry-client" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if !known {
		answer = map[string]any{"active": false}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

// put says what a token is worth: an active one of alice for the audience api,
// with changes. A change to nil leaves a member out.
func (i *introspector) put(token string, changes ...any) {
	answer := map[string]any{
		"active": true, "scope": "read write", "client_id": "app", "username": "alice", "token_type": "Bearer",
		"exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix(), "sub": "u1", "aud": "api", "iss": "https://login.example.com",
	}
	for n := 0; n+1 < len(changes); n += 2 {
		if changes[n+1] == nil {
			delete(answer, changes[n].(string))
		} else {
			answer[changes[n].(string)] = changes[n+1]
		}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.tokens[token] = answer
}

func (i *introspector) revoke(token string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.tokens, token)
}

func (i *introspector) does(answer http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.answer = answer
}

func (i *introspector) count(token string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.asked[token]
}

// lines are those of an authenticator that asks it.
func (i *introspector) lines(lines ...string) string {
	return "authenticate introspection " + i.URL + " {\nclient_id edge\nclient_secret c4n4ry-client\n" + local + strings.Join(lines, "\n") + "\n}"
}

func badClaim(name string) string {
	return bearerPlain + `, error="invalid_token", error_description="` + name + `"`
}

// TestIntrospection is each member of RFC 7662 section 2.2, good and bad.
func TestIntrospection(t *testing.T) {
	i := newIntrospector(t)
	s := serve(t, whoamiSite(i.lines("audience api other", "issuer https://login.example.com")+"\nrequire any {\nauthenticated\nclient app\n}"))
	in := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	const alice = "alice|https://login.example.com|u1|read,write||app|introspection"
	const typeless = "The token is not an access token."
	for name, tt := range map[string]struct {
		changes   []any
		want      string // printed; or the status is 401 with this challenge
		challenge string
	}{
		"good":                  {nil, alice, ""},
		"aud in a list":         {[]any{"aud", []string{"x", "other"}}, alice, ""},
		"no username":           {[]any{"username", nil}, "u1|https://login.example.com|u1|read,write||app|introspection", ""},
		"no sub":                {[]any{"sub", nil}, "alice|https://login.example.com|username:alice|read,write||app|introspection", ""},
		"sub a number":          {[]any{"sub", 17}, "alice|https://login.example.com|17|read,write||app|introspection", ""},
		"client alone":          {[]any{"username", nil, "sub", nil}, "|https://login.example.com|app|read,write||app|introspection", ""},
		"client as sub":         {[]any{"username", nil, "sub", "app"}, "|https://login.example.com|app|read,write||app|introspection", ""},
		"no scope":              {[]any{"scope", nil}, "alice|https://login.example.com|u1|||app|introspection", ""},
		"scope in a list":       {[]any{"scope", []string{"a b", "c"}}, "alice|https://login.example.com|u1|a b,c||app|introspection", ""},
		"no client":             {[]any{"client_id", nil}, "alice|https://login.example.com|u1|read,write|||introspection", ""},
		"expired in leeway":     {[]any{"exp", in(-20 * time.Second)}, alice, ""},
		"nbf in leeway":         {[]any{"nbf", in(20 * time.Second)}, alice, ""},
		"decimals":              {[]any{"exp", float64(in(time.Minute)) + 0.5}, alice, ""},
		"more members":          {[]any{"x", map[string]any{"y": []int{1}}}, alice, ""},
		"expired":               {[]any{"exp", in(-time.Minute)}, "", bearerExpired},
		"no exp":                {[]any{"exp", nil}, "", bearerInvalid},
		"exp a text":            {[]any{"exp", "9999999999"}, "", bearerInvalid},
		"exp huge":              {[]any{"exp", 1e300}, "", bearerInvalid},
		"not yet":               {[]any{"nbf", in(2 * time.Minute)}, "", bearerError("The access token is not valid yet.")},
		"from the future":       {[]any{"iat", in(2 * time.Minute)}, "", bearerError("The access token is not valid yet.")},
		"another audience":      {[]any{"aud", "else"}, "", bearerError("The access token is for another audience.")},
		"audience of none":      {[]any{"aud", []string{}}, "", bearerError("The access token is for another audience.")},
		"no audience":           {[]any{"aud", nil}, "", bearerInvalid},
		"audience a number":     {[]any{"aud", 7}, "", bearerInvalid},
		"another issuer":        {[]any{"iss", "https://login.example.com/"}, "", bearerInvalid},
		"issuer a list":         {[]any{"iss", []string{"https://login.example.com"}}, "", bearerInvalid},
		"no issuer":             {[]any{"iss", nil}, "", bearerInvalid},
		"sub a list":            {[]any{"sub", []string{"u1"}}, "", bearerInvalid},
		"sub empty":             {[]any{"sub", ""}, "", bearerInvalid},
		"sub of a name":         {[]any{"sub", "username:alice"}, "", bearerInvalid},
		"sub with a line break": {[]any{"sub", "a\nb"}, "", bearerInvalid},
		"username a list":       {[]any{"username", []string{"alice"}}, "", badClaim("Invalid token.")},
		"username with a line":  {[]any{"username", "a\r\nb"}, "", badClaim("Invalid token.")},
		"scope a number":        {[]any{"scope", 7}, "", badClaim("Invalid token.")},
		"refresh token":         {[]any{"token_type", "refresh_token"}, "", bearerError(typeless)},
		"Keycloak's refresh":    {[]any{"typ", "Refresh"}, "", bearerError(typeless)},
		"ID token":              {[]any{"typ", "ID"}, "", bearerError(typeless)},
		"cnf a text":            {[]any{"cnf", "x"}, "", bearerInvalid},
		"bound to a key":        {[]any{"cnf", map[string]any{"jkt": "x"}}, "", bearerInvalid},
		"bound to a certificate": {
			[]any{"cnf", map[string]any{"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}}, "", bearerInvalid,
		},
	} {
		t.Run(name, func(t *testing.T) {
			token := strings.NewReplacer(" ", "-", "'", "").Replace(name)
			i.put(token, tt.changes...)
			got := s.get("/", bearerToken(token))
			switch tt.challenge {
			case "":
				got.expect(t, 200, "-", tt.want)
			case bearerExpired:
				got.expect(t, 401, tt.challenge, expiredToken)
			default:
				got.expect(t, 401, tt.challenge, invalidToken)
			}
		})
	}

	// What the client sends, and of which the server is not asked.
	i.put("good")
	for name, tt := range map[string]struct{ line, challenge, body string }{
		"none":           {"", bearerPlain, notAuthenticated},
		"another scheme": {basic("alice", "pw"), bearerPlain, notAuthenticated},
		"no token":       {"Authorization: Bearer", bearerPlain + `, error="invalid_request", error_description="Invalid bearer header. No credentials provided."`, detail("Invalid bearer header. No credentials provided.")},
		"two words":      {"Authorization: Bearer good x", bearerPlain + `, error="invalid_request", error_description="Invalid bearer header. Credentials string should not contain spaces."`, detail("Invalid bearer header. Credentials string should not contain spaces.")},
		"comma":          {bearerToken("good,"), bearerInvalid, invalidToken},
		"quotes":         {bearerToken(`"good"`), bearerInvalid, invalidToken},
		"not ASCII":      {bearerToken("g\xc3\xb6\xc3\xb6d"), bearerInvalid, invalidToken},
		"too long":       {bearerToken(strings.Repeat("x", 8<<10+1)), bearerInvalid, invalidToken},
		"DPoP":           {"Authorization: DPoP good", bearerInvalid, invalidToken},
	} {
		t.Run(name, func(t *testing.T) {
			var lines []string
			if tt.line != "" {
				lines = []string{tt.line}
			}
			s.get("/?access_token=good", lines...).expect(t, 401, tt.challenge, tt.body)
		})
	}
	s.get("/", "Authorization: bEARER  good").expect(t, 200, "-", alice)
	for _, token := range []string{"good,", `"good"`, "g\xc3\xb6\xc3\xb6d", strings.Repeat("x", 8<<10+1)} {
		if n := i.count(token); n != 0 {
			t.Errorf("the server was asked %d times about %.20q", n, token)
		}
	}
	// An unknown token, and one that looks like a JSON Web Token, are asked about.
	i.put("eyJhbGciOiJub25lIn0.e30.x")
	s.get("/", bearerToken("eyJhbGciOiJub25lIn0.e30.x")).expect(t, 200, "-", alice)
	for range 3 {
		s.get("/", bearerToken("unknown")).expect(t, 401, bearerInvalid, invalidToken)
	}
	if n := i.count("unknown"); n != 1 {
		t.Errorf("the server was asked %d times about a bad token", n)
	}
	if text := s.logs.text(); strings.Contains(text, "c4n4ry") {
		t.Error("the log has the client's secret")
	}
}
