// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/auth/authtest"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/entratest"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func entraConfig(idp *entratest.Server, more string) string {
	return `{"tenants": ["` + entratest.Contoso + `"], "audience": ["` + entratest.Orders + `", "` + entratest.OrdersURI +
		`"], "authority": "` + idp.URL + `", "ca_file": "` + idp.CAFile + `", "allow_internal": ["loopback"]` + more + `}`
}

func entraRequest(idp *entratest.Server, claims entratest.Claims) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer "+idp.Sign(claims))
	return r
}

// commas has the comma that Django's challenge lacks.
type commas struct{ *Entra }

func (c commas) Challenge(r *http.Request, cause error) string {
	return strings.Replace(c.Entra.Challenge(r, cause), `" token_type`, `", token_type`, 1)
}

func TestEntra_laws(t *testing.T) {
	idp := entratest.New(t)
	ctx, a := newApp(t)
	user, err := a.store.PutUser(t.Context(), tokenstore.User{Name: "alice", Active: true, Groups: []string{"g"}})
	if err != nil {
		t.Fatal(err)
	}
	good := idp.User("2.0", entratest.Contoso, entratest.Alice, "alice")
	named := idp.User("1.0", entratest.Contoso, entratest.Alice, "alice")
	for name, test := range map[string]struct {
		more  string
		cases []authtest.Case
	}{
		"plain": {"", []authtest.Case{
			{Name: "user", Request: entraRequest(idp, good), Identity: &auth.Identity{
				ID: entratest.Alice, Key: "entra:" + entratest.Contoso + "|" + entratest.Alice, Client: entratest.Mobile,
				Scopes: []string{"orders.read", "orders.write"}, Source: "entra:" + entratest.Contoso,
			}},
			{Name: "app", Request: entraRequest(idp, idp.App("2.0", entratest.Contoso, "r")), Identity: &auth.Identity{
				Key: "entra:" + entratest.Contoso + "|" + entratest.Robot, Client: entratest.Daemon, Groups: []string{"r"},
			}},
			{Name: "expired", Request: entraRequest(idp, good.With(entratest.Claims{"exp": 1})), Err: &auth.Failure{Code: "invalid_token", Detail: "Token has expired."}},
			{Name: "guest", Request: entraRequest(idp, good.With(entratest.Claims{"acct": 1})), Err: &auth.Failure{Code: "invalid_token", Detail: "Invalid token."}},
			{Name: "overage", Request: entraRequest(idp, good.With(entratest.Claims{"hasgroups": true})), Err: &auth.Denial{Code: codeOverage, Detail: textOverage}},
			{Name: "other tenant", Request: entraRequest(idp, idp.User("2.0", entratest.Fabrikam, entratest.Alice, "a")), Err: auth.ErrNoCredentials},
		}},
		"django": {`, "compat": "django"`, []authtest.Case{
			{Name: "user", Request: entraRequest(idp, named), Identity: &auth.Identity{
				ID: "alice", Key: user.Key, Source: "store", Scopes: []string{"orders.read", "orders.write"},
			}},
			{Name: "no upn", Request: entraRequest(idp, good), Err: &auth.Failure{Code: auth.CodeAuthenticationFailed, Detail: djangoInvalid}},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			guest := mustLoad[*Entra](t, ctx, "entra", entraConfig(idp, test.more))
			if name == "django" {
				authtest.Run(t, commas{guest}, test.cases)
			} else {
				authtest.Run(t, guest, test.cases)
			}
		})
	}
}

// TestEntra_clock is a clock that steps: what was remembered does not outlive
// the token.
func TestEntra_clock(t *testing.T) {
	idp := entratest.New(t)
	ctx, _ := newApp(t)
	guest := mustLoad[*Entra](t, ctx, "entra", entraConfig(idp, ""))
	ends := time.Now().Add(time.Hour).Truncate(time.Second)
	id, err := guest.Authenticate(entraRequest(idp, idp.User("2.0", entratest.Contoso, entratest.Alice, "a").With(entratest.Claims{"exp": ends.Unix()})))
	if err != nil || !id.Expires.Equal(ends.Add(entraLeeway)) {
		t.Errorf("%+v, %v, want it to end at %s", id, err, ends)
	}
}

// BenchmarkEntra is a token that the handler does not remember: it is read and
// verified, and its claims become an identity.
func BenchmarkEntra(b *testing.B) {
	idp := entratest.New(b)
	ctx, _ := newApp(b)
	guest := mustLoad[*Entra](b, ctx, "entra", entraConfig(idp, ""))
	r := entraRequest(idp, idp.User("2.0", entratest.Contoso, entratest.Alice, "a"))
	b.Run("first_sight", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := guest.Authenticate(r); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("recheck", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := guest.Recheck(r, auth.Anonymous); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func TestEntra_challenge(t *testing.T) {
	idp := entratest.New(t)
	ctx, _ := newApp(t)
	for more, want := range map[string]string{
		`, "compat": "django"`: `Bearer realm="api" token_type="JWT"`,
		`, "compat": "django", "realm": "a, \"b\"", "challenge_scopes": ["x"]`: `Bearer realm="a, \"b\"" token_type="JWT"`,
		`, "realm": "orders", "challenge_scopes": ["orders.read"]`:             `Bearer realm="orders", scope="orders.read"`,
	} {
		guest := mustLoad[*Entra](t, ctx, "entra", entraConfig(idp, more))
		guest.SetRealm("api")
		if got := guest.Challenge(nil, nil); got != want {
			t.Errorf("%s: %s, want %s", more, got, want)
		}
	}
}
