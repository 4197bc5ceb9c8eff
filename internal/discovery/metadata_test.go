// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package discovery_test

import (
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/discovery"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

func TestParse(t *testing.T) {
	good := `{"issuer":"https://a.example","jwks_uri":"https://keys.example/jwks","unknown":[{}]}`
	if m, err := discovery.Parse([]byte(good), outbound.Settings{}); err != nil || m.JWKSURI != "https://keys.example/jwks" {
		t.Error(m, err)
	}
	for _, text := range []string{
		"", "null", "[]", "{}", `{"issuer":""}`, `{"issuer":7}`, `{"ISSUER":"https://a.example"}`, `{"issuer":"https://a.example"`,
		`{"issuer":"https://a.example","jwks_uri":7}`,
		`{"issuer":"https://a.example","jwks_uri":"http://a.example"}`,
		`{"issuer":"https://a.example","jwks_uri":"/jwks"}`,
		`{"issuer":"https://a.example","token_endpoint":"https://u:p@a.example"}`,
		`{"issuer":"https://a.example","authorization_endpoint":"javascript:alert(1)"}`,
		`{"issuer":"https://a.example","code_challenge_methods_supported":"S256"}`,
		`{"issuer":"https://a.example","backchannel_logout_supported":"true"}`,
		"<!doctype html>", "\xff", strings.Repeat("[", 100000),
	} {
		if m, err := discovery.Parse([]byte(text), outbound.Settings{}); err == nil {
			t.Errorf("%.100q: %+v", text, m)
		}
	}
}

func FuzzMetadata(f *testing.F) {
	f.Add([]byte(`{"issuer":"https://a.example","jwks_uri":"https://a.example/jwks"}`))
	f.Add([]byte(`{"issuer":"https://a.example","token_endpoint":null,"backchannel_logout_supported":true,"code_challenge_methods_supported":["S256"]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := discovery.Parse(text, outbound.Settings{})
		if (err == nil) != (m != nil) || err == nil && m.Issuer == "" {
			t.Error(m, err)
		}
		if err != nil {
			return
		}
		for _, address := range []string{m.JWKSURI, m.TokenEndpoint, m.AuthorizationEndpoint, m.UserinfoEndpoint} {
			if address != "" && !strings.HasPrefix(strings.ToLower(address), "https://") {
				t.Error(address)
			}
		}
	})
}
