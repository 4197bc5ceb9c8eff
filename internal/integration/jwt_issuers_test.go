// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/idptest"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// TestJWT_chain has good, bad and no tokens of two providers, one block each,
// and a token of the store, in each order: a token of another issuer is the next
// one's, a bad one of mine ends it.
func TestJWT_chain(t *testing.T) {
	one, two := idptest.New(t), idptest.New(t)
	block := func(idp *idptest.Server, prefix string) string {
		return "authenticate jwt {\nissuer " + idp.Issuer() + "\naudience api\nuser_prefix " + prefix + "\n" + local + "}\n"
	}
	first, second, third := block(one, "one:"), block(two, "two:"), "authenticate token Bearer\n"
	sign := func(idp *idptest.Server, audience string) string {
		return idp.Sign(map[string]any{"sub": "alice", "aud": audience})
	}
	stranger := idptest.New(t)
	for i, order := range [][]string{{first, second, third}, {second, third, first}, {third, first, second}} {
		s := serve(t, whoamiSite(strings.Join(order, "")))
		s.seed()
		for name, test := range map[string]struct {
			token string
			want  string // the user, or nothing for 401
		}{
			"good of one":     {sign(one, "api"), "one:alice"},
			"good of two":     {sign(two, "api"), "two:alice"},
			"bad of one":      {sign(one, "x"), ""},
			"bad of two":      {sign(two, "x"), ""},
			"forged":          {one.Sign(map[string]any{"sub": "alice", "aud": "api", "iss": two.Issuer()}), ""},
			"forged with kid": {one.Sign(map[string]any{"sub": "alice", "aud": "api", "iss": two.Issuer()}, idptest.KeyID("rsa")), ""},
			"of a stranger":   {sign(stranger, "api"), ""},
			"opaque":          {"token-alice", "alice"},
			"opaque, bad":     {"token-nobody", ""},
			"garbage":         {"a.b.c", ""},
		} {
			got := s.get("/", bearerToken(test.token))
			// The token of the store takes every Bearer token that comes to it for its
			// own, and those who stand behind it are not asked.
			if i == 2 && !strings.HasPrefix(test.token, "token-") || i == 1 && test.want == "one:alice" {
				test.want = ""
			}
			user, _, _ := strings.Cut(got.Body, "|")
			if test.want == "" && got.Status != 401 || test.want != "" && (got.Status != 200 || user != test.want) {
				t.Errorf("order %d, %s: %d %q, want %q", i, name, got.Status, got.Body, test.want)
			}
		}
		if got := s.get("/"); got.Status != 401 {
			t.Errorf("order %d, no token: %d", i, got.Status)
		}
	}
}

// TestJWT_issuers has several issuers in one block, which agree in nothing but
// what is said once for all.
func TestJWT_issuers(t *testing.T) {
	one, two := idptest.New(t), idptest.New(t)
	s := serve(t, whoamiSite("authenticate jwt {\n"+
		"issuer "+one.Issuer()+" {\nuser_prefix one:\nalgorithms RS256\n}\n"+
		"issuer "+two.Issuer()+" {\nuser_prefix two:\naudience other\nuser_claim login\njwks_url "+two.JWKSURL()+"\n}\n"+
		"audience api\n"+local+"}\nauthenticate token"))
	s.seed()
	s.putToken(s.putUser(tokenstore.User{Name: "two:carol", Active: true}), "token-carol")
	for name, test := range map[string]struct {
		idp     *idptest.Server
		claims  map[string]any
		options []idptest.SignOption
		want    string
	}{
		"one":                          {one, map[string]any{"sub": "u", "aud": "api"}, nil, "one:u|" + one.Issuer() + "|u"},
		"two":                          {two, map[string]any{"sub": "u", "login": "l", "aud": "other"}, nil, "two:l|" + two.Issuer() + "|u"},
		"audience of the other":        {two, map[string]any{"sub": "u", "login": "l", "aud": "api"}, nil, ""},
		"one by another algorithm":     {one, map[string]any{"sub": "u", "aud": "api"}, []idptest.SignOption{idptest.Alg("ES256")}, ""},
		"two by another algorithm":     {two, map[string]any{"sub": "u", "login": "l", "aud": "other"}, []idptest.SignOption{idptest.Alg("ES256")}, "two:l|" + two.Issuer() + "|u"},
		"one by the keys of the other": {two, map[string]any{"sub": "u", "aud": "api", "iss": one.Issuer()}, nil, ""},
	} {
		got := s.get("/", bearerToken(test.idp.Sign(test.claims, test.options...)))
		if test.want == "" && got.Status != 401 || test.want != "" && !strings.HasPrefix(got.Body, test.want+"|") {
			t.Errorf("%s: %d %q, want %q", name, got.Status, got.Body, test.want)
		}
	}
	// A user of the store who is called like one of an issuer is nobody here.
	s.get("/", token("token-carol")).expect(t, 401, bearerPlain, detail("Incorrect authentication credentials."))
	if got := s.get("/", token("token-alice")); !strings.HasPrefix(got.Body, "alice|store:") {
		t.Errorf("a user of the store: %d %q", got.Status, got.Body)
	}
}

// TestJWT_tenants has two issuers that share their keys, as the tenants of one
// provider do: the same subject is another person for each.
func TestJWT_tenants(t *testing.T) {
	idp := idptest.New(t)
	site := func(tenant string) string {
		return "authenticate jwt {\nissuer " + tenant + "\njwks_url " + idp.JWKSURL() + "\naudience api\nuser_prefix " + tenant[8:9] + ":\n" + local + "}\n"
	}
	s := serve(t, whoamiSite(site("https://a.example.com")+site("https://b.example.com")))
	keys := make(map[string]bool)
	for _, tenant := range []string{"https://a.example.com", "https://b.example.com"} {
		got := s.get("/", bearerToken(idp.Sign(map[string]any{"sub": "u", "aud": "api", "iss": tenant})))
		want := fmt.Sprintf("%s:u|%s|u|", tenant[8:9], tenant)
		if !strings.HasPrefix(got.Body, want) {
			t.Errorf("%d %q, want %q", got.Status, got.Body, want)
		}
		keys[got.Body] = true
	}
	if len(keys) != 2 {
		t.Error("two tenants' users are one")
	}
	s.get("/", bearerToken(idp.Sign(map[string]any{"sub": "u", "aud": "api", "iss": "https://c.example.com"}))).
		expect(t, 401, bearerInvalid, notAuthenticated)
}

// TestJWT_linked has users of the store: found by issuer and subject or by name,
// created, refused, deactivated.
func TestJWT_linked(t *testing.T) {
	idp := idptest.New(t)
	claims := func(sub string, more ...string) string {
		all := map[string]any{"sub": sub, "aud": "api", "email": sub + "@example.com"}
		for i := 0; i+1 < len(more); i += 2 {
			all[more[i]] = more[i+1]
		}
		return bearerToken(idp.Sign(all))
	}
	const gone = `{"detail":"User inactive or deleted."}`
	refused := bearerPlain + `, error="invalid_token", error_description="User inactive or deleted."`

	t.Run("by subject", func(t *testing.T) {
		s := serve(t, jwtSite(idp, "link subject", "group_claim roles"))
		s.seed()
		user := s.putUser(tokenstore.User{Name: "dave", Origin: idp.Issuer(), OriginID: "d1", Active: true, Groups: []string{"editors"}})
		got := s.get("/", claims("d1", "roles", "idp"))
		got.expect(t, 200, "-", "dave|"+user.Key+"||editors,idp||jwt")
		s.get("/", claims("alice")).expect(t, 401, refused, gone)
		// The same token, from memory, once the user is not active any more.
		token := claims("d1")
		s.get("/", token).expect(t, 200, "-", "*")
		user.Active = false
		user = s.putUser(user)
		s.get("/", token).expect(t, 401, refused, gone)
		user.Active, user.Groups = true, []string{"other"}
		s.putUser(user)
		s.get("/", token).expect(t, 200, "-", "dave|"+user.Key+"||other||jwt")
	})
	t.Run("by a claim", func(t *testing.T) {
		s := serve(t, jwtSite(idp, "link preferred_username"))
		s.seed()
		if got := s.get("/", claims("x", "preferred_username", "alice")); !strings.HasPrefix(got.Body, "alice|store:") {
			t.Errorf("%d %q", got.Status, got.Body)
		}
		s.get("/", claims("x", "preferred_username", "gone")).expect(t, 401, refused, gone)
		s.get("/", claims("x", "preferred_username", "nobody")).expect(t, 401, refused, gone)
	})
	t.Run("by address", func(t *testing.T) {
		s := serve(t, jwtSite(idp, "link email"))
		s.seed()
		s.putUser(tokenstore.User{Name: "m@example.com", Active: true})
		s.get("/", claims("m")).expect(t, 401, refused, gone)
		if got := s.get("/", claims("m", "email_verified", "true")); !strings.HasPrefix(got.Body, "m@example.com|store:") {
			t.Errorf("%d %q", got.Status, got.Body)
		}
	})
	t.Run("created", func(t *testing.T) {
		s := serve(t, jwtSite(idp, "link subject", "create on", "user_claim login"))
		s.seed()
		first := s.get("/", claims("n1", "login", "newcomer"))
		again := s.get("/", claims("n1", "login", "renamed"))
		if first.Status != http.StatusOK || !strings.HasPrefix(first.Body, "newcomer|store:") || again.Body != first.Body {
			t.Errorf("%q, then %q", first.Body, again.Body)
		}
		// Nobody gets somebody else's account by a name.
		s.get("/", claims("n2", "login", "root")).expect(t, 401, refused, gone)
	})
}
