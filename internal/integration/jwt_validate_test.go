// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/idptest"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/selftest"
)

// TestJWT_validate validates a configuration: no provider is asked, be it there or
// not.
func TestJWT_validate(t *testing.T) {
	idp := idptest.New(t)
	s := &server{t: t, vars: map[string]string{"{{site}}": ":0", "{{global}}": "admin off", "{{store}}": ""}}
	for _, lines := range []string{"", "jwks_url " + idp.JWKSURL()} {
		config, err := adapt(s.expand(jwtSite(idp, lines)))
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(t, config); err != nil {
			t.Errorf("validating: %v", err)
		}
	}
	if metadata, keys := idp.Fetches(); metadata+keys > 0 {
		t.Errorf("%d requests of metadata and %d of keys", metadata, keys)
	}
}

// TestJWT_selfTest finds no way by which a client could pass for somebody else on
// a site of tokens, and keeps the secret to itself.
func TestJWT_selfTest(t *testing.T) {
	report := runSelfTest(t, `http://site.example {
	rest_auth {
		authenticate jwt {
			issuer local
			audience api
			secret canary-secret-of-a-test-that-is-long-enough
			cookie access
			query
		}
		header_up Remote-User {http.auth.user.id}
		header_up Remote-Tenant {http.auth.user.claims.tid}
	}
	reverse_proxy {{upstream}}
}
`, selftest.Options{})
	var text bytes.Buffer
	if err := errors.Join(report.Write(&text), report.WriteList(&text)); err != nil {
		t.Fatal(err)
	}
	if report.Count(selftest.Leak) > 0 || !strings.Contains(text.String(), "Remote-Tenant") || strings.Contains(text.String(), "canary") {
		t.Errorf("the self-test says %s", text.String())
	}
}
