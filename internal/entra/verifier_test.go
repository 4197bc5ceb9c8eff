// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package entra

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/entratest"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

func newVerifier(t testing.TB, idp *entratest.Server, tenants, allowed []string) *Verifier {
	t.Helper()
	directory, err := NewDirectory(tenants, allowed)
	if err != nil {
		t.Fatal(err)
	}
	cloud, _ := CloudNamed("public")
	cloud.Authority, cloud.Graph = idp.URL, idp.URL
	v, err := NewVerifier(Config{
		Cloud: cloud, Directory: directory, Versions: Versions,
		Rules:    jose.Rules{Audiences: []string{entratest.Orders, entratest.OrdersURI}},
		Outbound: outbound.Settings{CAFile: idp.CAFile, AllowInternal: []string{"loopback"}},
	}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Release(); err != nil {
			t.Error(err)
		}
	})
	return v
}

// TestVerifier is who is told from whom, and that nothing is asked before a
// token needs it.
func TestVerifier(t *testing.T) {
	idp := entratest.New(t)
	v := newVerifier(t, idp, []string{entratest.Contoso}, nil)
	if _, err := v.Read(idp.Sign(idp.User("2.0", entratest.Contoso, entratest.Alice, "a").With(entratest.Claims{"exp": 1}))); !errors.Is(err, jose.ErrExpired) {
		t.Errorf("expired: %v", err)
	}
	for name, row := range map[string]struct {
		token string
		want  error
	}{
		"other tenant": {idp.Sign(idp.User("2.0", entratest.Fabrikam, entratest.Alice, "a")), ErrTenant},
		"other issuer": {idp.Sign(idp.User("2.0", entratest.Contoso, entratest.Alice, "a").With(entratest.Claims{"iss": "https://issuer.example"})), ErrIssuer},
		"opaque":       {"secret", jose.ErrNotCompact},
		"tid":          {idp.Sign(idp.User("2.0", entratest.Contoso, entratest.Alice, "a").With(entratest.Claims{"tid": entratest.Fabrikam})), errTenantClaim},
		"ID token":     {idp.Sign(idp.User("2.0", entratest.Contoso, entratest.Alice, "a").With(entratest.Claims{"azp": nil})), errClient},
	} {
		if _, err := v.Read(row.token); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", name, err, row.want)
		}
	}
	if n := idp.Count("metadata") + idp.Count("keys"); n != 0 {
		t.Errorf("bad tokens had %d documents fetched", n)
	}
	good, err := v.Read(idp.Sign(idp.User("1.0", entratest.Contoso, entratest.Alice, "a")))
	if err != nil || good.Tenant != entratest.Contoso || good.Object != entratest.Alice || good.Version != V1 || good.Client != entratest.Mobile || good.AppOnly || good.Guest || !good.Granted {
		t.Fatalf("%+v, %v", good, err)
	}
	if err := v.Verify(t.Context(), good); err != nil {
		t.Errorf("Verify: %v", err)
	}
	// Unknown keys: one more fetch at most, however many are asked for.
	before := idp.Count("keys")
	for i := range 200 {
		header := map[string]any{"alg": "RS256", "kid": fmt.Sprintf("kid-%d", i)}
		token, err := v.Read(idp.SignWith(header, entratest.NotPublished, idp.User("1.0", entratest.Contoso, entratest.Alice, "a")))
		if err != nil {
			t.Fatal(err)
		}
		if err := v.Verify(t.Context(), token); !errors.Is(err, keyset.ErrUnknownKey) {
			t.Fatalf("kid %d: %v", i, err)
		}
	}
	if n := idp.Count("keys") - before; n > 1 {
		t.Errorf("200 unknown keys had %d fetches", n)
	}
}

// FuzzVerifier_Read wants no token of odd claims to be taken for one of a user,
// and none to panic.
func FuzzVerifier_Read(f *testing.F) {
	// Nothing listens there: no key is looked for.
	idp := &entratest.Server{URL: "https://login.example.com", STS: entratest.STS}
	v := newVerifier(f, idp, []string{Common}, []string{entratest.Contoso})
	for _, claims := range []entratest.Claims{
		idp.User("1.0", entratest.Contoso, entratest.Alice, "a"), idp.App("2.0", entratest.Contoso, "r"),
		idp.User("2.0", entratest.Contoso, entratest.Alice, "a").With(entratest.Claims{"_claim_names": map[string]string{"groups": "x"}, "acct": 1}),
	} {
		payload, err := json.Marshal(claims)
		if err != nil {
			f.Fatal(err)
		}
		f.Add("eyJhbGciOiJSUzI1NiJ9." + base64.RawURLEncoding.EncodeToString(payload) + ".AA")
	}
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, compact string) {
		token, err := v.Read(compact)
		if err != nil {
			return
		}
		if token.Tenant != entratest.Contoso || !IsID(token.Object) || token.Client == "" || token.Issuer != v.config.Cloud.Issuer(token.Version, token.Tenant) {
			t.Errorf("%+v", token)
		}
	})
}

// BenchmarkVerifier is a token that nobody has seen before: read, and its
// signature verified.
func BenchmarkVerifier(b *testing.B) {
	idp := entratest.New(b)
	v := newVerifier(b, idp, []string{entratest.Contoso}, nil)
	compact := idp.Sign(idp.User("2.0", entratest.Contoso, entratest.Alice, "a"))
	b.ReportAllocs()
	for b.Loop() {
		token, err := v.Read(compact)
		if err == nil {
			err = v.Verify(b.Context(), token)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
