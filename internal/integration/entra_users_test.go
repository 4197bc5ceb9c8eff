// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/entratest"
)

// TestEntra_users is what users are called, and who they are in the store.
func TestEntra_users(t *testing.T) {
	idp := entratest.New(t)
	alice := idp.User("2.0", entratest.Contoso, entratest.Alice, "alice")
	stateless := " entra:" + entratest.Contoso + "|" + entratest.Alice + " "
	for name, row := range map[string]struct {
		lines  string
		claims entratest.Claims
		status int
		body   string
	}{
		"a claim of choice":     {"user_claim preferred_username", alice, 200, "alice" + stateless},
		"a claim that is not":   {"user_claim upn", alice, 401, invalidToken},
		"guests":                {"allow_guests", alice.With(entratest.Claims{"acct": 1}), 200, entratest.Alice + stateless},
		"guests off":            {"allow_guests off", alice.With(entratest.Claims{"acct": 1}), 401, invalidToken},
		"member by acct":        {"", alice.With(entratest.Claims{"acct": 0, "idp": "live.com"}), 200, entratest.Alice + stateless},
		"any app":               {"apps any", idp.App("2.0", entratest.Contoso), 200, " entra:" + entratest.Contoso + "|" + entratest.Robot + " app=" + entratest.Daemon},
		"no app":                {"apps off", idp.App("2.0", entratest.Contoso, "Orders.Reader"), 401, invalidToken},
		"an app that is a user": {"app_user_claim azp", idp.App("2.0", entratest.Contoso, "r"), 200, entratest.Daemon + " entra:" + entratest.Contoso + "|" + entratest.Robot + " "},
		"link by name":          {"link preferred_username", alice, 200, "alice store:"},
		"link by name, unknown": {"link preferred_username", alice.With(entratest.Claims{"preferred_username": "nobody"}), 401, detail("User inactive or deleted.")},
		"link by name, inactive": {
			"link preferred_username", alice.With(entratest.Claims{"preferred_username": "gone"}), 401, detail("User inactive or deleted."),
		},
		"link by object, unknown": {"link subject", alice, 401, detail("User inactive or deleted.")},
		"link by object, created": {"link subject\ncreate on\nuser_claim preferred_username", alice.With(entratest.Claims{"preferred_username": "al"}), 200, "al store:"},
		"the store's name is not taken": {
			"link subject\ncreate on\nuser_claim preferred_username", idp.User("2.0", entratest.Contoso, entratest.Bob, "alice"), 401, detail("User inactive or deleted."),
		},
		"staff by role":   {"staff_claim roles Orders.Admin", alice.With(entratest.Claims{"roles": []string{"Orders.Admin"}}), 200, ""},
		"a life too long": {"max_lifetime 1h", alice, 401, invalidToken},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, entraSite(idp, entratest.Contoso, row.lines))
			s.seed()
			got := s.get("/", entraToken(idp.Sign(row.claims)))
			if got.Status != row.status || !strings.HasPrefix(got.Body, row.body) {
				t.Errorf("%d %q, want %d %q", got.Status, got.Body, row.status, row.body)
			}
			if name == "staff by role" && !strings.HasSuffix(got.Body, "staff=true") {
				t.Errorf("%q is not staff", got.Body)
			}
		})
	}

	s := serve(t, entraSite(idp, entratest.Contoso+" "+entratest.Fabrikam, "link subject", "create on", "user_claim preferred_username"))
	s.seed()
	first := s.get("/", entraToken(idp.Sign(alice.With(entratest.Claims{"preferred_username": "al"}))))
	renamed := s.get("/", entraToken(idp.Sign(alice.With(entratest.Claims{"preferred_username": "renamed"}))))
	if !strings.HasPrefix(first.Body, "al store:") || renamed.Body != first.Body {
		t.Errorf("%q is called %q under another name", first.Body, renamed.Body)
	}
	other := s.get("/", entraToken(idp.Sign(idp.User("2.0", entratest.Fabrikam, entratest.Alice, "other"))))
	if !strings.HasPrefix(other.Body, "other store:") {
		t.Errorf("the same object of another tenant: %d %q", other.Status, other.Body)
	}
	taken := s.get("/", entraToken(idp.Sign(idp.User("2.0", entratest.Fabrikam, entratest.Bob, "al"))))
	if taken.Status != 401 {
		t.Errorf("the name of another tenant's user: %d %q", taken.Status, taken.Body)
	}
}

// TestEntra_email is whose address is told: with several tenants, only one of a
// domain that the tenant has proved to have.
func TestEntra_email(t *testing.T) {
	idp := entratest.New(t)
	const both = entratest.Contoso + " " + entratest.Fabrikam
	for name, row := range map[string]struct {
		tenants, line string
		edov          any
		want          string
	}{
		"one tenant":           {entratest.Contoso, "", nil, "a@contoso.example"},
		"several":              {both, "", nil, ""},
		"any":                  {"common", "allowed_tenants any", nil, ""},
		"the tenant's domain":  {both, "", true, "a@contoso.example"},
		"the same as a number": {both, "", 1, "a@contoso.example"},
		"another's domain":     {both, "", false, ""},
		"asked for":            {both, "email_claim email", nil, "a@contoso.example"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, strings.Replace(entraSite(idp, row.tenants, row.line), entraWho, "respond \"{http.auth.user.key} {http.auth.user.email}\"\n", 1))
			claims := idp.User("2.0", entratest.Contoso, entratest.Alice, "a").With(entratest.Claims{"email": "a@contoso.example", "xms_edov": row.edov})
			s.get("/", entraToken(idp.Sign(claims))).expect(t, 200, "-", "entra:"+entratest.Contoso+"|"+entratest.Alice+" "+row.want)
		})
	}
}

// TestEntra_login is LOGIN_EXEMPT_URLS as matchers: people who navigate are sent
// to the login page, programs never are, and exempt paths ask nobody.
func TestEntra_login(t *testing.T) {
	idp := entratest.New(t)
	s := serve(t, "{{site}} {\n@private not path /health /oauth2/*\nrest_auth @private {\n"+
		"authenticate session {\nlogin_url /oauth2/login\n}\n"+entraBlock(idp, entratest.Contoso, "compat django")+"challenge all\n}\n"+entraWho+"}\n")
	s.seed()
	const page = "Accept: text/html,application/xhtml+xml"
	navigate := []string{page, "Sec-Fetch-Mode: navigate"}
	if got := s.get("/private/page?x=1&y=a%20b", navigate...); got.Status != 302 || got.Header.Get("Location") != "/oauth2/login?next=%2Fprivate%2Fpage%3Fx%3D1%26y%3Da%2520b" {
		t.Errorf("a navigation: %d %q", got.Status, got.Header.Get("Location"))
	}
	s.get("/api/orders", "Accept: application/json").expect(t, 401, entraDjango, notAuthenticated)
	s.get("/api/orders", "Accept: application/json", entraToken("garbage")).expect(t, 401, entraDjango, detail("Invalid access token."))
	if got := s.get("/api/orders", entraToken(entraUPN(idp, "alice", nil))); got.Status != 200 || !strings.HasPrefix(got.Body, "alice store:") {
		t.Errorf("a token: %d %q", got.Status, got.Body)
	}
	for _, path := range []string{"/health", "/oauth2/login"} {
		if got := s.get(path, navigate...); got.Status != 200 {
			t.Errorf("%s is exempt: %d", path, got.Status)
		}
	}
	// Unlike a regex that is matched from the start, a path is that path.
	if got := s.get("/healthX", navigate...); got.Status != 302 {
		t.Errorf("/healthX: %d", got.Status)
	}
	if got := s.do("POST", "/private/page", page, "Sec-Fetch-Mode: navigate"); got.Status != 303 && got.Status != 401 {
		t.Errorf("a form: %d %q", got.Status, got.Header.Get("Location"))
	}
}

// TestEntra_scope is what a token would have needed.
func TestEntra_scope(t *testing.T) {
	idp := entratest.New(t)
	s := serve(t, "{{site}} {\nrest_auth {\n"+entraBlock(idp, entratest.Contoso)+"require scope orders.delete\n}\n"+entraWho+"}\n")
	s.get("/", entraToken(idp.Sign(idp.User("2.0", entratest.Contoso, entratest.Alice, "a")))).expect(t, 403,
		`Bearer realm="api", error="insufficient_scope", error_description="The request requires higher privileges than provided by the access token.", scope="orders.delete"`, deniedBody)
}

// TestEntra_explain is why a token is not accepted, in words, and without the
// token.
func TestEntra_explain(t *testing.T) {
	idp := entratest.New(t)
	s := serve(t, strings.Replace(entraSite(idp, entratest.Contoso, "link subject", "create on"), "allow_any", "authenticated", 1))
	s.awaitStore()
	good := idp.User("2.0", entratest.Contoso, entratest.Alice, "alice")
	for want, claims := range map[string]entratest.Claims{
		"the token is for another audience":             good.With(entratest.Claims{"aud": entratest.Mobile}),
		"the token is of a tenant that is not accepted": idp.User("2.0", entratest.Fabrikam, entratest.Alice, "a"),
		"the token is of another issuer":                good.With(entratest.Claims{"iss": "https://issuer.example"}),
		"claim 'tid' is not the tenant of the issuer":   good.With(entratest.Claims{"tid": entratest.Fabrikam}),
		"the token has neither a scope nor a role":      good.With(entratest.Claims{"scp": nil}),
		"neither 'azp' nor 'appid' names the client":    good.With(entratest.Claims{"azp": nil}),
		"the user is a guest":                           good.With(entratest.Claims{"acct": 1}),
		"claim 'ver' is not the version of the issuer":  good.With(entratest.Claims{"ver": "1.0"}),
	} {
		token := idp.Sign(claims)
		x := s.explain("GET", "/", entraToken(token))
		if len(x.Judged) != 1 || len(x.Judged[0].Authenticators) != 1 {
			t.Fatalf("%+v", x)
		}
		if got := x.Judged[0].Authenticators[0].Reason; !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		if printed := fmt.Sprintf("%+v", x); strings.Contains(printed, token[strings.LastIndexByte(token, '.')+1:]) {
			t.Errorf("the token is in %s", printed)
		}
	}
	if x := s.explain("GET", "/", entraToken(idp.Sign(good))); len(x.Judged) != 1 || x.Judged[0].Verdict != "allowed" {
		t.Errorf("a good token: %+v", x.Judged)
	}
	if _, err := s.store().UserByOrigin(t.Context(), "entra:"+entratest.Contoso, entratest.Alice); err == nil {
		t.Error("explaining created a user")
	}
}
