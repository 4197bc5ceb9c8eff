// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// TestEntra_joined is one person who logs in in a browser and calls the API with a
// token: the login's subject is another than the token's, as Entra ID gives each
// app its own, and both are the same user of the store, whichever comes first.
func TestEntra_joined(t *testing.T) {
	const tenant, dora, emil = "11111111-2222-3333-4444-555555555555", "aaaaaaaa-2222-3333-4444-555555555555", "bbbbbbbb-2222-3333-4444-555555555555"
	p := newIDP(t)
	issuer := p.URL + "/" + tenant + "/v2.0"
	p.Handle("GET /"+tenant+"/v2.0/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{
			"issuer": issuer, "jwks_uri": p.JWKSURL(), "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token",
		})
	})
	site := strings.Replace(oidcSite, "%s", "provider entra {\ntenant "+tenant+"\nissuer "+issuer+"\nclient_id site\nclient_secret secret\n"+local+"}\n", 1)
	s := serve(t, strings.Replace(site, "header_up Remote-User", "authenticate entra "+tenant+" {\nauthority "+p.URL+
		"\naudience 00001111-aaaa-2222-bbbb-3333cccc4444\nlink subject\ncreate on\nuser_claim preferred_username\n"+local+"}\nheader_up Remote-Key {http.auth.user.key}\nheader_up Remote-User", 1))
	s.awaitStore()
	byLogin := func(object, name string) http.Header {
		p.claims = map[string]any{"sub": "of the site, " + object, "preferred_username": name, "iss": issuer, "tid": tenant, "oid": object}
		v := s.visit()
		if got := v.callback("entra", p.consent(v.loginAt("/auth/login/"))); got.Status != 303 {
			t.Fatalf("the login of %s: %d %s", name, got.Status, got.Body)
		}
		return v.ask("GET", "/", "", asHTML).forwarded(t).Header
	}
	byToken := func(object, name string) http.Header {
		got := s.get("/", entraToken(p.Sign(map[string]any{
			"sub": "of the API, " + object, "preferred_username": name, "iss": issuer, "tid": tenant, "oid": object, "ver": "2.0",
			"aud": "00001111-aaaa-2222-bbbb-3333cccc4444", "azp": "11112222-bbbb-3333-cccc-4444dddd5555", "scp": "orders.read",
		})))
		if got.Status != 200 {
			t.Fatalf("the token of %s: %d %s", name, got.Status, got.Body)
		}
		return got.forwarded(t).Header
	}
	for _, first := range []struct {
		object, name string
		ways         []func(object, name string) http.Header
	}{
		{dora, "dora@example.com", []func(string, string) http.Header{byLogin, byToken}},
		{emil, "emil@example.com", []func(string, string) http.Header{byToken, byLogin}},
	} {
		user, key := "", ""
		for i, way := range first.ways {
			got := way(first.object, []string{first.name, "renamed@example.com"}[i])
			if i == 0 {
				user, key = got.Get("Remote-User"), got.Get("Remote-Key")
			}
			if got.Get("Remote-User") != first.name || got.Get("Remote-Key") != key || !strings.HasPrefix(key, "store:") {
				t.Errorf("%s, way %d: %q %q, want %q %q", first.name, i, got.Get("Remote-User"), got.Get("Remote-Key"), user, key)
			}
		}
	}
	if users, _, err := s.store().Users(t.Context(), "", 10); err != nil || len(users) != 2 {
		t.Errorf("there are %+v, %v", users, err)
	}
}
