// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/entratest"
)

// TestEntra_tenants is which tenants' tokens each way to name them accepts.
func TestEntra_tenants(t *testing.T) {
	idp := entratest.New(t)
	const both = entratest.Contoso + " " + entratest.Fabrikam
	for name, row := range map[string]struct {
		tenants, line string
		accepted      []string
	}{
		"one":           {entratest.Contoso, "", []string{entratest.Contoso}},
		"several":       {both, "", []string{entratest.Contoso, entratest.Fabrikam}},
		"common":        {"common", "allowed_tenants " + both, []string{entratest.Contoso, entratest.Fabrikam}},
		"organizations": {"organizations", "allowed_tenants " + entratest.Fabrikam, []string{entratest.Fabrikam}},
		"any":           {"common", "allowed_tenants any", []string{entratest.Contoso, entratest.Fabrikam, entratest.Stranger}},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, strings.Replace(entraSite(idp, row.tenants, row.line), "allow_any", "authenticated", 1))
			for _, tenant := range []string{entratest.Contoso, entratest.Fabrikam, entratest.Stranger} {
				for _, version := range []string{"1.0", "2.0"} {
					got := s.get("/", entraToken(idp.Sign(idp.User(version, tenant, entratest.Alice, "alice@contoso.example"))))
					user := entratest.Alice
					if len(row.accepted) > 1 {
						user += "." + tenant // the same object of two tenants is two people
					}
					want := user + " entra:" + tenant + "|" + entratest.Alice + " "
					if accepted := strings.Contains(strings.Join(row.accepted, " "), tenant); accepted {
						if got.Status != 200 || !strings.HasPrefix(got.Body, want) {
							t.Errorf("%s v%s: %d %q, want %s", tenant, version, got.Status, got.Body, want)
						}
					} else if got.Status != 401 || got.Header.Get("WWW-Authenticate") != entraInvalid {
						t.Errorf("%s v%s: %d %q, want 401", tenant, version, got.Status, got.Body)
					}
				}
			}
		})
	}
}

// TestEntra_binding is keys that verify the tokens of one tenant, in a document
// that has those of all.
func TestEntra_binding(t *testing.T) {
	idp := entratest.New(t)
	s := serve(t, entraSite(idp, "common", "allowed_tenants "+entratest.Contoso+" "+entratest.Fabrikam))
	sign := func(version, tenant string) string {
		header := map[string]any{"typ": "JWT", "alg": "RS256", "kid": entratest.OnlyFabrikam}
		return idp.SignWith(header, entratest.OnlyFabrikam, idp.User(version, tenant, entratest.Alice, "a"))
	}
	if got := s.get("/", entraToken(sign("2.0", entratest.Fabrikam))); got.Status != 200 {
		t.Errorf("the tenant's own key: %d %q", got.Status, got.Body)
	}
	for _, version := range []string{"1.0", "2.0"} {
		s.get("/", entraToken(sign(version, entratest.Contoso))).expect(t, 401, entraInvalid, invalidToken)
	}
	if !strings.Contains(s.logs.text(), "the key is bound to another issuer") {
		t.Error("the log does not say why")
	}
}

// TestEntra_versions is an API that takes one version of tokens.
func TestEntra_versions(t *testing.T) {
	idp := entratest.New(t)
	for version, other := range map[string]string{"1.0": "2.0", "2.0": "1.0"} {
		s := serve(t, entraSite(idp, entratest.Contoso, "versions "+version))
		if got := s.get("/", entraToken(idp.Sign(idp.User(version, entratest.Contoso, entratest.Alice, "a")))); got.Status != 200 {
			t.Errorf("%s: %d %q", version, got.Status, got.Body)
		}
		s.get("/", entraToken(idp.Sign(idp.User(other, entratest.Contoso, entratest.Alice, "a")))).expect(t, 401, entraInvalid, invalidToken)
	}
}

// TestEntra_clouds is the clouds of single countries, whose tokens are not those
// of the public one.
func TestEntra_clouds(t *testing.T) {
	idp := entratest.New(t)
	for cloud, sts := range map[string]string{"usgov": "https://sts.windows.net", "china": "https://sts.chinacloudapi.cn"} {
		idp.Lock()
		idp.STS = sts
		idp.Unlock()
		s := serve(t, entraSite(idp, entratest.Contoso, "cloud "+cloud))
		for _, version := range []string{"1.0", "2.0"} {
			if got := s.get("/", entraToken(idp.Sign(idp.User(version, entratest.Contoso, entratest.Alice, "a")))); got.Status != 200 || !strings.HasPrefix(got.Body, entratest.Alice) {
				t.Errorf("%s v%s: %d %q", cloud, version, got.Status, got.Body)
			}
		}
		other := idp.User("2.0", entratest.Contoso, entratest.Alice, "a").With(entratest.Claims{"iss": "https://login.microsoftonline.com/" + entratest.Contoso + "/v2.0"})
		if got := s.get("/", entraToken(idp.Sign(other))); !strings.HasPrefix(got.Body, "  app=") {
			t.Errorf("%s takes a token of the public cloud: %q", cloud, got.Body)
		}
	}
}

// TestEntra_chain is two blocks for two tenants, and tokens of the store.
func TestEntra_chain(t *testing.T) {
	idp := entratest.New(t)
	s := serve(t, "{{site}} {\nrest_auth {\n"+entraBlock(idp, entratest.Contoso, "user_prefix contoso:")+
		entraBlock(idp, entratest.Fabrikam, "user_prefix fabrikam:")+"authenticate token\n}\n"+entraWho+"}\n")
	s.seed()
	for credentials, want := range map[string]string{
		entraToken(idp.Sign(idp.User("2.0", entratest.Contoso, entratest.Alice, "a"))):  "contoso:" + entratest.Alice + " entra:" + entratest.Contoso,
		entraToken(idp.Sign(idp.User("1.0", entratest.Fabrikam, entratest.Alice, "a"))): "fabrikam:" + entratest.Alice + " entra:" + entratest.Fabrikam,
		token("token-alice"): "alice store:",
	} {
		if got := s.get("/", credentials); got.Status != 200 || !strings.HasPrefix(got.Body, want) {
			t.Errorf("%d %q, want %s", got.Status, got.Body, want)
		}
	}
	// A bad token of one tenant is not tried as one of the other.
	bad := idp.Sign(idp.User("2.0", entratest.Contoso, entratest.Alice, "a").With(entratest.Claims{"tid": entratest.Fabrikam}))
	s.get("/", entraToken(bad)).expect(t, 401, entraInvalid, invalidToken)
}

// TestEntra_down is an Entra ID that does not answer at first: nobody else
// notices, and it heals alone.
func TestEntra_down(t *testing.T) {
	idp := entratest.New(t)
	idp.Fail("metadata", entratest.Down)
	s := serve(t, "{{site}} {\nrest_auth {\n"+entraBlock(idp, entratest.Contoso, "user_prefix e:")+"authenticate token\n}\n"+entraWho+"}\n")
	s.seed()
	good := entraToken(idp.Sign(idp.User("2.0", entratest.Contoso, entratest.Alice, "a")))
	if got := s.get("/", good); got.Status != 503 || got.Header.Get("Retry-After") == "" {
		t.Errorf("no keys: %d %q", got.Status, got.Body)
	}
	s.get("/", entraToken(idp.Sign(idp.User("2.0", entratest.Contoso, entratest.Alice, "a").With(entratest.Claims{"exp": 1})))).
		expect(t, 401, entraExpired, entraExpiredBody)
	if got := s.get("/", token("token-alice")); got.Status != 200 {
		t.Errorf("a token of the store: %d", got.Status)
	}
	idp.Fail("metadata", nil)
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		got := s.get("/", good)
		if got.Status == 200 {
			break
		}
		if got.Status != 503 || time.Since(began) > 30*time.Second {
			t.Fatalf("the keys are there: %d %q", got.Status, got.Body)
		}
	}
}

// TestEntra_revoked is a token that an operator takes back by its uti.
func TestEntra_revoked(t *testing.T) {
	idp := entratest.New(t)
	s := serve(t, entraSite(idp, entratest.Contoso))
	claims := idp.User("2.0", entratest.Contoso, entratest.Alice, "a")
	good := entraToken(idp.Sign(claims))
	if got := s.get("/", good); got.Status != 200 {
		t.Fatalf("%d %q", got.Status, got.Body)
	}
	family := "jwt:" + claims["iss"].(string) + "|" + claims["uti"].(string)
	if err := s.store().Revoke(t.Context(), family, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	s.get("/", good).expect(t, 401, entraInvalid, invalidToken)
	if got := s.get("/", entraToken(idp.Sign(claims.With(entratest.Claims{"uti": "other"})))); got.Status != 200 {
		t.Errorf("another token: %d %q", got.Status, got.Body)
	}
}

// TestEntra_bound is a token that is good only together with a key.
func TestEntra_bound(t *testing.T) {
	idp := entratest.New(t)
	s := serve(t, entraSite(idp, entratest.Contoso))
	claims := idp.User("2.0", entratest.Contoso, entratest.Alice, "a")
	for range 2 {
		bound := idp.Sign(claims.With(entratest.Claims{"cnf": map[string]string{"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}}))
		s.get("/", entraToken(bound)).expect(t, 401, entraInvalid, invalidToken)
	}
	good := idp.Sign(claims)
	for range 2 {
		if got := s.get("/", "Authorization: DPoP "+good); got.Status != 401 {
			t.Errorf("a token that is not bound, as DPoP: %d", got.Status)
		}
		if got := s.get("/", entraToken(good)); got.Status != 200 {
			t.Errorf("a token that is not bound: %d", got.Status)
		}
	}
}

// TestEntra_rotation replaces a key while requests run: no token of the new one is
// refused, and one of the old one is once a token has had the keys fetched.
func TestEntra_rotation(t *testing.T) {
	idp := entratest.New(t)
	publish := func(kid string, published bool) {
		idp.Lock()
		defer idp.Unlock()
		idp.Hidden[kid] = !published
	}
	publish(entratest.OnlyFabrikam, false)
	s := serve(t, entraSite(idp, entratest.Fabrikam, "versions 2.0"))
	claims := idp.User("2.0", entratest.Fabrikam, entratest.Alice, "a")
	sign := func(kid string) string {
		return entraToken(idp.SignWith(map[string]any{"typ": "JWT", "alg": "RS256", "kid": kid}, kid, claims))
	}
	before, after := sign(entratest.Shared), sign(entratest.OnlyFabrikam)
	for range 2 { // from now on it is remembered
		if got := s.get("/", before); got.Status != http.StatusOK || !strings.HasPrefix(got.Body, entratest.Alice) {
			t.Fatalf("%d %q", got.Status, got.Body)
		}
	}
	publish(entratest.OnlyFabrikam, true)
	publish(entratest.Shared, false)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 5 {
				if got := s.get("/", after); got.Status != http.StatusOK || !strings.HasPrefix(got.Body, entratest.Alice) {
					t.Errorf("a token of the new key: %d %q", got.Status, got.Body)
				}
			}
		})
	}
	group.Wait()
	s.get("/", before).expect(t, 401, entraInvalid, invalidToken)
	if got := s.get("/", after); got.Status != http.StatusOK {
		t.Errorf("the new key's token afterwards: %d %q", got.Status, got.Body)
	}
}
