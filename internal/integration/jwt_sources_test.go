// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/idptest"
)

// jwtEcho accepts the tokens of a provider and passes requests on to the echo.
func jwtEcho(idp *idptest.Server, lines ...string) string {
	return strings.Replace(jwtSite(idp, lines...), printUser, "reverse_proxy {{echo}}", 1)
}

// TestJWT_cookie has a token in a cookie, which a browser sends whoever asks it
// to: requests that change something need a CSRF token, those with a header none.
func TestJWT_cookie(t *testing.T) {
	idp := idptest.New(t)
	s := serve(t, jwtSite(idp, "cookie access"))
	token := idp.Sign(map[string]any{"sub": "u", "aud": "api"})
	bound := idp.Sign(map[string]any{"sub": "u", "aud": "api", "cnf": map[string]any{"jkt": "x"}})
	cookies := "Cookie: access=" + token + "; csrftoken=" + csrfSecret
	const missing = `{"detail":"CSRF Failed: CSRF token missing."}`
	for range 2 { // the second time from memory
		got := s.get("/", "Cookie: access="+token)
		got.expect(t, 200, "-", "*")
		if got.Header.Get("Vary") != "Cookie" {
			t.Errorf("Vary %q", got.Header.Get("Vary"))
		}
		s.do("POST", "/", "Cookie: access="+token).expect(t, 403, "-", `{"detail":"CSRF Failed: CSRF cookie not set."}`)
		s.do("DELETE", "/", cookies).expect(t, 403, "-", missing)
		s.do("POST", "/", cookies, "X-CSRFToken: "+csrfSecret).expect(t, 200, "-", "*")
		s.do("POST", "/", cookies, "X-CSRFToken: "+csrfSecret, "Origin: https://evil.example").expect(t, 403, "-", "*")
		s.do("POST", "/", bearerToken(token)).expect(t, 200, "-", "*")
		s.do("POST", "/", bearerToken(token), "Cookie: csrftoken="+csrfSecret).expect(t, 200, "-", "*")
	}
	// A WebSocket is opened by a GET, and the scripts of any site may open one.
	upgrade := []string{"Cookie: access=" + token, "Connection: Upgrade", "Upgrade: websocket"}
	s.get("/", append(upgrade, "Origin: "+s.URL)...).expect(t, 200, "-", "*")
	s.get("/", append(upgrade, "Origin: https://evil.example")...).expect(t, 403, "-", "*")
	several := `Bearer realm="api", error="invalid_request", error_description="Invalid request. More than one access token was sent."`
	s.get("/", bearerToken(token), cookies).expect(t, 401, several, detail("Invalid request. More than one access token was sent."))
	s.get("/", "Cookie: access=opaque").expect(t, 401, bearerInvalid, notAuthenticated)
	s.get("/", "Cookie: access=a.b.c").expect(t, 401, bearerInvalid, invalidToken)
	s.get("/", "Cookie: access="+bound).expect(t, 401, bearerInvalid, invalidToken)
	s.get("/", "Cookie: other="+token).expect(t, 401, bearerPlain, notAuthenticated)
	// Where no cookie is configured, none is read.
	s.reload(jwtSite(idp))
	s.get("/", "Cookie: access="+token).expect(t, 401, bearerPlain, notAuthenticated)
}

// TestJWT_query has a token in the query where the site says so: the upstream
// does not see it, and shared caches may not keep the answer.
func TestJWT_query(t *testing.T) {
	idp := idptest.New(t)
	token := idp.Sign(map[string]any{"sub": "u", "aud": "api"})
	s := serve(t, jwtEcho(idp))
	s.get("/?access_token="+token).expect(t, 401, bearerPlain, notAuthenticated)

	s.reload(jwtEcho(idp, "query"))
	for query, upstream := range map[string]string{
		"?access_token=" + token:                   "/",
		"?a=1&access_token=" + token + "&b=%20&a":  "/?a=1&b=%20&a",
		"?%61ccess_token=" + token + "&x=%zz":      "/?x=%zz",
		"?b=2&access_token=" + token + "&c=y&&d=+": "/?b=2&c=y&&d=+",
	} {
		for range 2 {
			got := s.get("/" + query)
			if got.Status != http.StatusOK {
				t.Errorf("%s: %d %q", query, got.Status, got.Body)
				continue
			}
			if uri := got.forwarded(t).URI; uri != upstream {
				t.Errorf("%s: the upstream was asked for %s, want %s", query, uri, upstream)
			}
			if cache := got.Header.Get("Cache-Control"); cache != "private" {
				t.Errorf("%s: Cache-Control %q", query, cache)
			}
		}
	}
	if got := s.get("/?a=1", bearerToken(token)); got.Status != 200 || got.Header.Get("Cache-Control") != "" {
		t.Errorf("a token in the header: %d, Cache-Control %q", got.Status, got.Header.Get("Cache-Control"))
	}
	s.get("/?access_token="+token+"&access_token="+token).expect(t, 401, `Bearer realm="api", error="invalid_request", error_description="Invalid request. More than one access token was sent."`, "*")
	s.get("/?access_token=a.b.c").expect(t, 401, bearerInvalid, invalidToken)
}

// TestJWT_header has a token in a header of the site's choice.
func TestJWT_header(t *testing.T) {
	idp := idptest.New(t)
	token := idp.Sign(map[string]any{"sub": "u", "aud": "api"})
	s := serve(t, jwtSite(idp, "header X-Access-Token"))
	s.get("/", "X-Access-Token: "+token).expect(t, 200, "-", "*")
	s.get("/", "X-Access-Token: Bearer "+token).expect(t, 200, "-", "*")
	s.get("/", "X-Access-Token: a.b.c").expect(t, 401, bearerInvalid, invalidToken)
	s.get("/", bearerToken(token)).expect(t, 401, bearerPlain, notAuthenticated)
	s.reload(jwtSite(idp, "scheme JWT"))
	s.get("/", "Authorization: jwt "+token).expect(t, 200, "-", "*")
	s.get("/", bearerToken(token)).expect(t, 401, bearerPlain, notAuthenticated)
}

// TestJWT_challenge has what the site says of itself, and of scopes, in its
// challenges.
func TestJWT_challenge(t *testing.T) {
	idp := idptest.New(t)
	const metadata = "https://api.example.com/.well-known/oauth-protected-resource"
	site := jwtSite(idp, `realm "or\"ders"`, "resource_metadata "+metadata, "challenge_scope orders.read")
	s := serve(t, strings.Replace(site, "\n}\n}\n"+printUser, "\n}\nrequire scope orders.read orders.write\n}\n"+printUser, 1))
	const realm = `Bearer realm="or\"ders"`
	rest := `, scope="orders.read", resource_metadata="` + metadata + `"`
	sign := func(scope string) string {
		return bearerToken(idp.Sign(map[string]any{"sub": "u", "aud": "api", "scope": scope}))
	}
	s.get("/").expect(t, 401, realm+rest, notAuthenticated)
	s.get("/", bearerToken("a.b.c")).expect(t, 401, realm+`, error="invalid_token", error_description="The access token is invalid."`+rest, invalidToken)
	s.get("/", sign("orders.read orders.write")).expect(t, 200, "-", "*")
	got := s.get("/", sign("orders.read"))
	if challenge := got.Header.Get("WWW-Authenticate"); got.Status != 403 || got.Body != deniedBody ||
		!strings.HasPrefix(challenge, realm+`, error="insufficient_scope"`) || !strings.Contains(challenge, `scope="orders.read orders.write"`) {
		t.Errorf("%d %q %q", got.Status, got.Body, challenge)
	}
}

// TestJWT_challenges has two blocks: the first one's challenge, or that of each,
// says what was wrong, whichever found it.
func TestJWT_challenges(t *testing.T) {
	one, two := idptest.New(t), idptest.New(t)
	block := func(idp *idptest.Server, realm string) string {
		return "authenticate jwt {\nissuer " + idp.Issuer() + "\naudience api\nuser_prefix " + realm + ":\nrealm " + realm + "\n" + local + "}\n"
	}
	const invalid = `, error="invalid_token", error_description="The access token is invalid."`
	expired := map[string]any{"sub": "u", "aud": "api", "exp": 1}
	tokens := map[string][]string{ // and the challenges of both
		"":                                        {"", ""},
		bearerToken("opaque"):                     {invalid, invalid},
		bearerToken("a.b.c"):                      {invalid, ""},
		bearerToken(one.Sign(expired)):            {`, error="invalid_token", error_description="The access token has expired."`, ""},
		bearerToken(two.Sign(expired)):            {invalid, `, error="invalid_token", error_description="The access token has expired."`},
		"Authorization: Bearer one two":           {`, error="invalid_request", error_description="Invalid bearer header. Credentials string should not contain spaces."`, ""},
		bearerToken(idptest.New(t).Sign(expired)): {invalid, invalid},
	}
	for _, all := range []bool{false, true} {
		site := whoamiSite(block(one, "one") + block(two, "two"))
		if all {
			site = strings.Replace(site, "rest_auth {", "rest_auth {\nchallenge all", 1)
		}
		s := serve(t, site)
		for line, want := range tokens {
			challenges := []string{`Bearer realm="one"` + want[0]}
			if all {
				challenges = append(challenges, `Bearer realm="two"`+want[1])
			}
			got := s.get("/")
			if line != "" {
				got = s.get("/", line)
			}
			if got.Status != 401 || !slices.Equal(got.Header["Www-Authenticate"], challenges) {
				t.Errorf("%.40s: %d %q, want %q", line, got.Status, got.Header["Www-Authenticate"], challenges)
			}
		}
	}
}

// TestJWT_explain asks why a token is not accepted, and is told in words, without
// the token.
func TestJWT_explain(t *testing.T) {
	idp := idptest.New(t)
	s := serve(t, jwtSite(idp, "link subject", "create on"))
	s.seed()
	sign := func(claims map[string]any, options ...idptest.SignOption) string {
		all := map[string]any{"sub": "new", "aud": "api"}
		for name, value := range claims {
			all[name] = value
		}
		return idp.Sign(all, options...)
	}
	for name, test := range map[string]struct{ token, why string }{
		"good":           {sign(nil), "new"},
		"opaque":         {"opaque", "three segments"},
		"another issuer": {sign(map[string]any{"iss": "https://x.example.com"}), "iss"},
		"expired":        {sign(map[string]any{"exp": 1}), "has expired"},
		"audience":       {sign(map[string]any{"aud": "x"}), "another audience"},
		"no exp":         {sign(map[string]any{"exp": nil}), "exp"},
		"unknown key":    {sign(nil, idptest.KeyID("x")), "kid"},
		"bad signature":  {sign(nil, idptest.Key(rsaKey(t))), "signature"},
		"no login":       {sign(map[string]any{"sub": "a:b"}), "':'"},
	} {
		answer := s.askToExplain(s.question("GET", s.URL+"/", bearerToken(test.token)))
		var printed map[string]any
		if json.Unmarshal([]byte(answer.Body), &printed) != nil || !strings.Contains(answer.Body, test.why) {
			t.Errorf("%s: %d %s, want it to say %q", name, answer.Status, answer.Body, test.why)
		}
		if name != "opaque" && strings.Contains(answer.Body, strings.Split(test.token, ".")[2]) {
			t.Errorf("%s: the token is printed", name)
		}
	}
	if _, err := s.store().UserByName(t.Context(), "new"); err == nil {
		t.Error("a question created a user")
	}
}
