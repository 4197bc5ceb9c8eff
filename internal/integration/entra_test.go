// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/entratest"
)

// entraBlock is an authenticator of the tokens of an Entra ID of the tests.
func entraBlock(idp *entratest.Server, tenants string, lines ...string) string {
	return "authenticate entra " + tenants + " {\nauthority " + idp.URL + "\nca_file " + idp.CAFile + "\nallow_internal loopback\n" +
		"audience " + entratest.OrdersURI + " " + entratest.Orders + "\n" + strings.Join(lines, "\n") + "\n}\n"
}

// entraWho is what the tests' site answers: who, by which app, with what.
const entraWho = `respond "{http.auth.user.id} {http.auth.user.key} app={http.auth.user.client} scopes={http.auth.user.scopes} groups={http.auth.user.groups} staff={http.auth.user.staff}"` + "\n"

func entraSite(idp *entratest.Server, tenants string, lines ...string) string {
	return "{{site}} {\nrest_auth {\n" + entraBlock(idp, tenants, lines...) + "require allow_any\n}\n" + entraWho + "}\n"
}

func entraToken(token string) string { return "Authorization: Bearer " + token }

const (
	entraNone        = `Bearer realm="api"`
	entraInvalid     = `Bearer realm="api", error="invalid_token", error_description="The access token is invalid."`
	entraExpired     = `Bearer realm="api", error="invalid_token", error_description="The access token has expired."`
	entraExpiredBody = `{"detail":"Token has expired."}`
)

// TestEntra is who a token of one tenant speaks of, in both versions.
func TestEntra(t *testing.T) {
	idp := entratest.New(t)
	s := serve(t, entraSite(idp, entratest.Contoso))
	alice := "entra:" + entratest.Contoso + "|" + entratest.Alice
	robot := "entra:" + entratest.Contoso + "|" + entratest.Robot
	for name, row := range map[string]struct {
		claims entratest.Claims
		want   string
	}{
		"v2.0 user": {
			idp.User("2.0", entratest.Contoso, entratest.Alice, "alice@contoso.example"),
			entratest.Alice + " " + alice + " app=" + entratest.Mobile + " scopes=orders.read,orders.write groups= staff=false",
		},
		"v1.0 user": {
			idp.User("1.0", entratest.Contoso, entratest.Alice, "alice@contoso.example"),
			entratest.Alice + " " + alice + " app=" + entratest.Mobile + " scopes=orders.read,orders.write groups= staff=false",
		},
		"roles and groups": {
			idp.User("2.0", entratest.Contoso, entratest.Alice, "a").With(entratest.Claims{
				"roles": []string{"Orders.Writer"}, "groups": []string{"g1", "g2"}, "scp": "orders.read",
			}),
			entratest.Alice + " " + alice + " app=" + entratest.Mobile + " scopes=orders.read groups=g1,g2,Orders.Writer staff=false",
		},
		"v2.0 app": {
			idp.App("2.0", entratest.Contoso, "Orders.Reader"),
			" " + robot + " app=" + entratest.Daemon + " scopes= groups=Orders.Reader staff=false",
		},
		"v1.0 app": {
			idp.App("1.0", entratest.Contoso, "Orders.Reader"),
			" " + robot + " app=" + entratest.Daemon + " scopes= groups=Orders.Reader staff=false",
		},
		"app that says so": {
			idp.App("2.0", entratest.Contoso, "Orders.Reader").With(entratest.Claims{"idtyp": "app"}),
			" " + robot + " app=" + entratest.Daemon + " scopes= groups=Orders.Reader staff=false",
		},
		"api:// with the ID": {
			idp.User("1.0", entratest.Contoso, entratest.Alice, "a").With(entratest.Claims{"aud": "api://" + entratest.Orders}),
			entratest.Alice + " " + alice + " app=" + entratest.Mobile + " scopes=orders.read,orders.write groups= staff=false",
		},
	} {
		t.Run(name, func(t *testing.T) {
			token := idp.Sign(row.claims)
			for range 2 { // verified, and remembered
				if got := s.get("/", entraToken(token)); got.Status != 200 || got.Body != row.want {
					t.Errorf("%d %q, want %q", got.Status, got.Body, row.want)
				}
			}
		})
	}
	s.get("/").expect(t, 200, "-", "  app= scopes= groups= staff=false")
	if got := s.get("/", "Authorization: bEARER "+idp.Sign(idp.User("2.0", entratest.Contoso, entratest.Alice, "a"))); got.Status != 200 {
		t.Errorf("a scheme of another case: %d", got.Status)
	}
}

// TestEntra_refused is each token that is none, or nobody's who is meant.
func TestEntra_refused(t *testing.T) {
	idp := entratest.New(t)
	s := serve(t, entraSite(idp, entratest.Contoso))
	good := idp.User("2.0", entratest.Contoso, entratest.Alice, "alice@contoso.example")
	v1 := idp.User("1.0", entratest.Contoso, entratest.Alice, "alice@contoso.example")
	header := func(members map[string]any) map[string]any {
		all := map[string]any{"typ": "JWT", "alg": "RS256", "kid": entratest.Shared}
		for name, value := range members {
			all[name] = value
		}
		return all
	}
	type row struct {
		token           string
		challenge, body string
	}
	rows := map[string]row{
		"expired": {idp.Sign(good.With(entratest.Claims{"exp": 1600000000})), entraExpired, entraExpiredBody},
		"groups are numbers": {
			idp.Sign(good.With(entratest.Claims{"groups": []int{1}})),
			`Bearer realm="api", error="invalid_token", error_description="Invalid token."`, invalidToken,
		},
	}
	for name, token := range map[string]string{
		"no exp":                 idp.Sign(good.With(entratest.Claims{"exp": nil})),
		"no aud":                 idp.Sign(good.With(entratest.Claims{"aud": nil})),
		"other aud":              idp.Sign(good.With(entratest.Claims{"aud": entratest.Mobile})),
		"not yet":                idp.Sign(good.With(entratest.Claims{"nbf": 4000000000})),
		"issued in the future":   idp.Sign(good.With(entratest.Claims{"iat": 4000000000})),
		"no tid":                 idp.Sign(good.With(entratest.Claims{"tid": nil})),
		"other tid":              idp.Sign(good.With(entratest.Claims{"tid": entratest.Fabrikam})),
		"tid is a number":        idp.Sign(good.With(entratest.Claims{"tid": 7})),
		"tid in upper case":      idp.Sign(good.With(entratest.Claims{"tid": strings.ToUpper(entratest.Contoso)})),
		"v1.0 with ver 2.0":      idp.Sign(v1.With(entratest.Claims{"ver": "2.0"})),
		"v2.0 with ver 1.0":      idp.Sign(good.With(entratest.Claims{"ver": "1.0"})),
		"no ver":                 idp.Sign(good.With(entratest.Claims{"ver": nil})),
		"no oid":                 idp.Sign(good.With(entratest.Claims{"oid": nil})),
		"oid is a name":          idp.Sign(good.With(entratest.Claims{"oid": "alice"})),
		"oid with a separator":   idp.Sign(good.With(entratest.Claims{"oid": entratest.Alice + "|"})),
		"ID token":               idp.Sign(good.With(entratest.Claims{"azp": nil, "scp": nil, "nonce": "n"})),
		"ID token without nonce": idp.Sign(good.With(entratest.Claims{"azp": nil, "scp": nil})),
		"nothing granted":        idp.Sign(good.With(entratest.Claims{"scp": nil})),
		"app without role":       idp.Sign(idp.App("2.0", entratest.Contoso)),
		"guest by acct":          idp.Sign(good.With(entratest.Claims{"acct": 1})),
		"guest by idp":           idp.Sign(v1.With(entratest.Claims{"idp": entratest.STS + "/" + entratest.Fabrikam + "/"})),
		"personal account":       idp.Sign(v1.With(entratest.Claims{"idp": "live.com"})),
		"guest by upn":           idp.Sign(v1.With(entratest.Claims{"upn": "bob_fabrikam.example#EXT#@contoso.onmicrosoft.com"})),
		"overage":                "",
		"scp is a number":        idp.Sign(good.With(entratest.Claims{"scp": 1})),
		"_claim_names is a text": idp.Sign(good.With(entratest.Claims{"_claim_names": "groups"})),
		"unknown kid":            idp.SignWith(header(map[string]any{"kid": "unknown"}), entratest.Shared, good),
		"key not published":      idp.SignWith(header(nil), entratest.NotPublished, good),
		"HS256 with the key":     idp.SignWith(header(map[string]any{"alg": "HS256"}), entratest.Shared, good),
		"none":                   idp.SignWith(header(map[string]any{"alg": "none"}), entratest.Shared, good),
		"crit":                   idp.SignWith(header(map[string]any{"crit": []string{"x"}}), entratest.Shared, good),
		"a key in the header":    idp.SignWith(header(map[string]any{"kid": "mine", "jku": idp.URL + "/mine"}), entratest.NotPublished, good),
		"signature of another":   idp.Sign(good)[:strings.LastIndexByte(idp.Sign(good), '.')] + idp.Sign(v1)[strings.LastIndexByte(idp.Sign(v1), '.'):],
		"key of another tenant":  idp.SignWith(header(map[string]any{"kid": entratest.OnlyFabrikam}), entratest.OnlyFabrikam, good),
	} {
		if token != "" {
			rows[name] = row{token, entraInvalid, invalidToken}
		}
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				s.get("/", entraToken(row.token)).expect(t, 401, row.challenge, row.body)
			}
		})
	}

	// Alone, a token of somebody else is no good either. It is not this
	// authenticator's to refuse, though.
	for name, token := range map[string]string{
		"other tenant":     idp.Sign(idp.User("2.0", entratest.Fabrikam, entratest.Alice, "a")),
		"other issuer":     idp.Sign(good.With(entratest.Claims{"iss": "https://issuer.example"})),
		"issuer with more": idp.Sign(good.With(entratest.Claims{"iss": idp.URL + "/" + entratest.Contoso + "/v2.0/"})),
		"issuer in a path": idp.Sign(good.With(entratest.Claims{"iss": idp.URL + "/x/" + entratest.Contoso + "/v2.0"})),
		"template":         idp.Sign(good.With(entratest.Claims{"iss": idp.URL + "/{tenantid}/v2.0", "tid": "{tenantid}"})),
		"no issuer":        idp.Sign(good.With(entratest.Claims{"iss": nil})),
		"opaque":           "secret",
	} {
		t.Run(name, func(t *testing.T) {
			if got := s.get("/", entraToken(token)); got.Status != 200 || !strings.HasPrefix(got.Body, "  app=") {
				t.Errorf("%d %q, want to be nobody", got.Status, got.Body)
			}
		})
	}
	s.reload(strings.Replace(entraSite(idp, entratest.Contoso), "require allow_any", "require authenticated", 1))
	s.get("/", entraToken("secret")).expect(t, 401, entraInvalid, notAuthenticated)
	s.get("/").expect(t, 401, entraNone, notAuthenticated)
	s.get("/", "Authorization: Bearer").expect(t, 401,
		`Bearer realm="api", error="invalid_request", error_description="Invalid bearer header. No credentials provided."`,
		detail("Invalid bearer header. No credentials provided."))
	// A daemon is no user.
	s.get("/", entraToken(idp.Sign(idp.App("2.0", entratest.Contoso, "Orders.Reader")))).expect(t, 403, "-", deniedBody)

	if got := s.logs.text(); strings.Contains(got, idp.Sign(good)) {
		t.Error("a token is in the log")
	}
}
