// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/idptest"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/revocation"
)

// TestWhyRefused has each reason of docs/why-refused.md happen, and explained in
// the words that stand there.
func TestWhyRefused(t *testing.T) {
	page := readText(t, filepath.Join(repository, "docs/why-refused.md"))
	idp, down, secure := idptest.New(t), idptest.New(t), idptest.NewTLS(t)
	down.Fail(idptest.Error)
	site := func(path string, lines ...string) string {
		return "handle " + path + " {\nrest_auth {\nauthenticate jwt {\naudience api\n" + strings.Join(lines, "\n") + "\n}\n}\nrespond ok\n}\n"
	}
	s := serve(t, "{{site}} {\n"+
		site("/", "issuer "+idp.Issuer(), local, "max_lifetime 2h", "link sub")+
		site("/create", "issuer "+idp.Issuer(), local, "link subject", "create on")+
		site("/down", "issuer "+down.Issuer(), local)+
		site("/internal", "issuer "+down.Issuer(), "allow_http")+
		site("/slash", "issuer "+idp.Issuer()+"/", local)+
		site("/tls", "issuer "+secure.Issuer(), "allow_internal loopback")+"}\n")
	s.seed()
	if err := s.store().Revoke(t.Context(), revocation.JWT(idp.Issuer(), "revoked"), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	sign := func(by *idptest.Server, claims map[string]any, options ...idptest.SignOption) string {
		all := map[string]any{"sub": "alice", "aud": "api"}
		for name, value := range claims {
			all[name] = value
		}
		return by.Sign(all, options...)
	}
	type with = map[string]any
	in := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	if got := s.explain("GET", "/", bearerToken(sign(idp, nil))); got.Verdict != "allowed" {
		t.Fatalf("a good token is %s", got.Verdict)
	}
	for row, ask := range map[string]struct{ path, token string }{
		"the token is none of ours: its 'iss' is that of no issuer here":               {"/", sign(idp, with{"iss": idp.Issuer() + "/"})},
		"the token is none of ours: it is no JSON Web Token, which has three segments": {"/", "opaque"},
		"the token is for another audience":                                            {"/", sign(idp, with{"aud": "account"})},
		"the token has expired":                                                        {"/", sign(idp, with{"exp": in(-time.Hour), "iat": in(-2 * time.Hour)})},
		"the token is not yet valid":                                                   {"/", sign(idp, with{"nbf": in(time.Hour)})},
		"the token is valid for too long":                                              {"/", sign(idp, with{"exp": in(24 * time.Hour)})},
		"a claim is missing: exp":                                                      {"/create", sign(idp, with{"exp": nil})},
		"not an access token: …":                                                       {"/", sign(idp, with{"nonce": "n"})},
		"no key of that kid verifies that algorithm":                                   {"/", sign(idp, nil, idptest.KeyID("x"))},
		"the signature does not verify":                                                {"/", sign(idp, nil, idptest.Key(rsaKey(t)))},
		"the token is revoked":                                                         {"/", sign(idp, with{"jti": "revoked"})},
		"no user of the store is linked to the issuer's user":                          {"/", sign(idp, with{"sub": "nobody"})},
		"the user is inactive":                                                         {"/", sign(idp, with{"sub": "gone"})},
		"another user has the name that the issuer's user would get":                   {"/create", sign(idp, nil)},
		"the token is bound to a key of DPoP, and came with another scheme":            {"/", sign(idp, with{"cnf": with{"jkt": strings.Repeat("a", 43)}})},
		"503 status …, connection refused, timeout":                                    {"/down", sign(down, nil)},
		"503 the address is internal":                                                  {"/internal", sign(down, nil)},
		"503 the metadata is of another issuer":                                        {"/slash", sign(idp, with{"iss": idp.Issuer() + "/"})},
		"503 certificate signed by unknown authority":                                  {"/tls", sign(secure, nil)},
	} {
		words, unavailable := strings.CutPrefix(row, "503 ")
		if !strings.Contains(page, "\n| "+words+" |") {
			t.Errorf("the page does not have %q", words)
		}
		status := 401
		if unavailable {
			status = 503
		}
		got := s.explain("GET", ask.path, bearerToken(ask.token))
		if reason, _, _ := strings.Cut(words, " …"); got.Status != status || len(got.Judged) != 1 ||
			!strings.Contains(got.Judged[0].Authenticators[0].Reason, strings.TrimSuffix(reason, ":")) {
			t.Errorf("%s: %d %+v", words, got.Status, got.Judged)
		}
	}
	if rows := strings.Count(page, "\n| "); rows != 19+1+2*2 {
		t.Errorf("the page has %d lines of tables: is there one that this test does not know?", rows)
	}
}
