// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/idptest"
)

// TestIntrospection_optional has answers do without what they must have otherwise.
func TestIntrospection_optional(t *testing.T) {
	i := newIntrospector(t)
	s := serve(t, whoamiSite(i.lines("optional exp aud iss", "issuer https://login.example.com")))
	i.put("none", "exp", nil, "aud", nil, "iss", nil)
	s.get("/", bearerToken("none")).expect(t, 200, "-", "alice|https://login.example.com|u1|read,write||app|introspection")
	// What is said has to be right.
	i.put("aud")
	s.get("/", bearerToken("aud")).expect(t, 401, bearerError("The access token is for another audience."), invalidToken)
	i.put("iss", "aud", nil, "iss", "https://other.example.com")
	s.get("/", bearerToken("iss")).expect(t, 401, bearerInvalid, invalidToken)
}

// TestIntrospection_django is what the server of django-oauth-toolkit says, and its
// resource server's settings.
func TestIntrospection_django(t *testing.T) {
	i := newIntrospector(t)
	s := serve(t, whoamiSite(i.lines("optional aud", "link username", "create on")+"\nrequire any {\nauthenticated\nclient cc\n}"))
	s.seed()
	i.does(func(w http.ResponseWriter, r *http.Request) {
		body := `{"active": false}`
		switch r.PostFormValue("token") {
		case "alice":
			body = `{"active": true, "scope": "read", "exp": 4102444800, "client_id": "pw", "username": "alice"}`
		case "gone":
			body = `{"active": true, "scope": "read", "exp": 4102444800, "client_id": "pw", "username": "gone"}`
		case "new":
			body = `{"active": true, "scope": "read", "exp": 4102444800, "client_id": "pw", "username": "newcomer"}`
		case "machine":
			body = `{"active": true, "scope": "read", "exp": 4102444800, "client_id": "cc"}`
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(body))
	})
	s.get("/", bearerToken("alice")).expect(t, 200, "-", "alice|"+s.user("alice").Key+"|read|editors,readers|pw|introspection")
	s.get("/", bearerToken("gone")).expect(t, 401, badClaim("User inactive or deleted."), detail("User inactive or deleted."))
	if got := s.get("/", bearerToken("new")); got.Status != 200 || !strings.HasPrefix(got.Body, "newcomer|store:") {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	s.get("/", bearerToken("machine")).expect(t, 200, "-", "|"+i.URL+"|cc|read||cc|introspection")
	s.get("/", bearerToken("x")).expect(t, 401, bearerInvalid, invalidToken)

	// Deactivated here, at once, though the server still vouches for the token.
	alice := s.user("alice")
	alice.Active = false
	s.putUser(alice)
	s.get("/", bearerToken("alice")).expect(t, 401, badClaim("User inactive or deleted."), detail("User inactive or deleted."))
}

// TestIntrospection_discovery finds the endpoint by the issuer, which may be down
// at first.
func TestIntrospection_discovery(t *testing.T) {
	i, idp := newIntrospector(t), idptest.New(t)
	idp.SetMetadata("introspection_endpoint", i.URL)
	idp.Fail(idptest.Error)
	lines := strings.Replace(i.lines("audience api", "issuer "+idp.Issuer()), i.URL+" ", "", 1)
	s := serve(t, whoamiSite(lines))
	i.put("a", "iss", idp.Issuer())
	s.get("/", bearerToken("a")).expect(t, 503, "-", "*")
	idp.Heal()
	s.awaitAnswer(200, "/", bearerToken("a")).expect(t, 200, "-", "alice|"+idp.Issuer()+"|u1|read,write||app|introspection")
}

// TestIntrospection_chain comes after JSON Web Tokens of an issuer, which it is not
// asked about, and before tokens of the store.
func TestIntrospection_chain(t *testing.T) {
	i, idp := newIntrospector(t), idptest.New(t)
	s := serve(t, whoamiSite("authenticate jwt {\nissuer "+idp.Issuer()+"\naudience api\nuser_prefix jwt:\n"+local+"}\n"+
		i.lines("audience api", "user_prefix as:")+"\nauthenticate token"))
	s.seed()
	i.put("opaque")
	s.get("/", bearerToken("opaque")).expect(t, 200, "-", "as:alice|"+i.URL+"|u1|read,write||app|introspection")
	signed := idp.Sign(map[string]any{"sub": "u1", "aud": "api"})
	s.get("/", bearerToken(signed)).expect(t, 200, "-", "jwt:u1|"+idp.Issuer()+"|u1||||jwt")
	if n := i.count(signed); n != 0 {
		t.Errorf("the server was asked %d times about another issuer's token", n)
	}
	s.get("/", token("token-alice")).expect(t, 200, "-", "alice|"+s.user("alice").Key+"||editors,readers||token")
}

// TestIntrospection_sources takes tokens from a header of its own, a cookie and the
// query.
func TestIntrospection_sources(t *testing.T) {
	i := newIntrospector(t)
	s := serve(t, whoamiSite(i.lines("audience api", "header X-Access-Token", "cookie access", "query", "realm shop",
		"resource_metadata https://api.example.com/.well-known/oauth-protected-resource", "challenge_scope read write")))
	i.put("good")
	for _, lines := range [][]string{
		{"/", "X-Access-Token: good"},
		{"/", "X-Access-Token: Bearer good"},
		{"/", "Cookie: access=good"},
		{"/?access_token=good"},
	} {
		s.get(lines[0], lines[1:]...).expect(t, 200, "-", "*")
	}
	const rest = `, scope="read write", resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"`
	s.get("/", bearerToken("good")).expect(t, 401, `Bearer realm="shop"`+rest, notAuthenticated)
	const several = "Invalid request. More than one access token was sent."
	s.get("/?access_token=good", "Cookie: access=good").expect(t, 401,
		`Bearer realm="shop", error="invalid_request", error_description="`+several+`"`+rest, detail(several))
	// A cookie is sent along whoever's page it shows.
	s.do(http.MethodPost, "/", "Cookie: access=good").expect(t, 403, "-", detail("CSRF Failed: CSRF cookie not set."))
	s.do(http.MethodPost, "/", "X-Access-Token: good").expect(t, 200, "-", "*")
	if got := s.get("/?access_token=good").Header.Get("Cache-Control"); got != "private" {
		t.Errorf("Cache-Control %q", got)
	}
}

// TestIntrospection_reload keeps working while the configuration changes.
func TestIntrospection_reload(t *testing.T) {
	i := newIntrospector(t)
	site := whoamiSite(i.lines("audience api"))
	s := serve(t, site)
	i.put("a")
	s.get("/", bearerToken("a")).expect(t, 200, "-", "*")
	s.reload(site)
	s.get("/", bearerToken("a")).expect(t, 200, "-", "*")
	// Other rules, which the remembered answer does not satisfy.
	s.reload(whoamiSite(i.lines("audience other")))
	s.get("/", bearerToken("a")).expect(t, 401, bearerError("The access token is for another audience."), invalidToken)
}
