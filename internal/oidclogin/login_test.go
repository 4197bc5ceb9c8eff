// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package oidclogin

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/federation"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/idptest"
)

func TestProvider_domainAllowed(t *testing.T) {
	const google = "https://accounts.google.com"
	for name, test := range map[string]struct {
		preset, issuer, claims string
		want                   bool
	}{
		"verified":                   {presetGeneric, "", `{"email":"a@example.com","email_verified":true}`, true},
		"in capitals":                {presetGeneric, "", `{"email":"A@EXAMPLE.com","email_verified":true}`, true},
		"quoted":                     {presetGeneric, "", `{"email":"\"a@evil.example\"@example.com","email_verified":true}`, true},
		"not verified":               {presetGeneric, "", `{"email":"a@example.com"}`, false},
		"below it":                   {presetGeneric, "", `{"email":"a@sub.example.com","email_verified":true}`, false},
		"ends like it":               {presetGeneric, "", `{"email":"a@notexample.com","email_verified":true}`, false},
		"before an at sign":          {presetGeneric, "", `{"email":"a@example.com@evil.example","email_verified":true}`, false},
		"with a dot":                 {presetGeneric, "", `{"email":"a@example.com.","email_verified":true}`, false},
		"no address at all":          {presetGeneric, "", `{"email":"example.com","email_verified":true}`, false},
		"nobody of it":               {presetGeneric, "", `{"email":"@example.com","email_verified":true}`, false},
		"a list":                     {presetGeneric, "", `{"email":["a@example.com"],"email_verified":true}`, false},
		"nothing":                    {presetGeneric, "", `{}`, false},
		"hd of others":               {presetGeneric, "", `{"hd":"example.com"}`, false},
		"google":                     {presetGoogle, google, `{"hd":"example.com","email":"a@other.example"}`, true},
		"google, somebody's own":     {presetGoogle, google, `{"email":"a@example.com","email_verified":true}`, false},
		"google, hd of a type":       {presetGoogle, google, `{"hd":["example.com"],"email":"a@example.com","email_verified":true}`, false},
		"google by another name":     {presetGeneric, google, `{"email":"a@example.com","email_verified":true}`, false},
		"google by another name, hd": {presetGeneric, google, `{"hd":"example.com"}`, true},
	} {
		p := &Provider{Preset: test.preset, Issuer: test.issuer, AllowedDomains: []string{"example.com"}}
		stated, err := new(federation.Mapping).Identity(json.RawMessage(strings.Replace(test.claims, "{", `{"sub":"1"`+map[bool]string{true: ",", false: ""}[test.claims != "{}"], 1)))
		if err != nil {
			t.Fatal(err)
		}
		if got := p.domainAllowed(stated); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// TestProvider_CheckIssuer has the names of RFC 9207 that are not the issuer of
// the metadata.
func TestProvider_CheckIssuer(t *testing.T) {
	github := &Provider{Name: "github", Preset: presetGitHub, Issuer: "https://github.com"}
	for iss, want := range map[string]bool{
		"https://github.com": true, "https://github.com/login/oauth": true, "https://github.com/": false, "https://evil.example": false, "": false,
	} {
		if err := github.CheckIssuer(t.Context(), iss, true); (err == nil) != want {
			t.Errorf("GitHub as %q: %v", iss, err)
		}
	}
	const tenant = "00000000-0000-0000-0000-000000000001"
	entra := &Provider{Name: "entra", Preset: presetEntra, Tenant: "common", Issuer: entraHost + "/common/v2.0"}
	one := &Provider{Name: "entra", Preset: presetEntra, Tenant: tenant, Issuer: entraHost + "/" + tenant + "/v2.0"}
	for iss, want := range map[string]bool{
		entraHost + "/" + tenant + "/v2.0": true, "https://evil.example/" + tenant + "/v2.0": false, entraHost + "/x/v2.0": false,
	} {
		if got := entra.namesItself(iss); got != want {
			t.Errorf("every tenant as %s: %t", iss, got)
		}
		if one.namesItself(iss) {
			t.Errorf("one tenant is named %s too", iss)
		}
	}
}

// TestProvider_complete_tenant knows a tenant by the issuer as well: none is every
// one by being left out.
func TestProvider_complete_tenant(t *testing.T) {
	for issuer, want := range map[string]string{
		entraHost + "/common/v2.0":                         "common",
		entraHost + "/organizations/v2.0":                  "organizations",
		"https://login.microsoftonline.us/example.us/v2.0": "",
		"https://login.example.com/":                       "",
	} {
		p := &Provider{Name: "entra", ClientID: "x", Issuer: issuer}
		if err := p.complete(); err != nil {
			t.Fatal(err)
		}
		if err := p.checkTenants(); (err != nil) != (want != "") || want != "" && (p.Tenant != want || !strings.Contains(err.Error(), "allowed_tenants")) {
			t.Errorf("%s: tenant %q, %v", issuer, p.Tenant, err)
		}
	}
}

// TestProvider_EndSession leaves out of a URL what makes it too long.
func TestProvider_EndSession(t *testing.T) {
	server := idptest.New(t)
	p := newProvider(t, server)
	for hint, want := range map[string]bool{"": false, "a.b.c": true, strings.Repeat("x", maxHint): true, strings.Repeat("x", maxHint+1): false} {
		location, err := p.EndSession(t.Context(), hint, "https://www.example.com/", "state")
		if err != nil || strings.Contains(location, "id_token_hint=") != want || !strings.Contains(location, "client_id=site") {
			t.Errorf("a hint of %d bytes: %.100s, %v", len(hint), location, err)
		}
	}
}

// TestProvider_Begin proves the code's owner to providers that say nothing of PKCE,
// or that they have another kind.
func TestProvider_Begin(t *testing.T) {
	for _, methods := range []any{nil, []string{"plain"}, []string{"S256", "plain"}} {
		server := idptest.New(t)
		server.SetMetadata("code_challenge_methods_supported", methods)
		location, err := newProvider(t, server).Begin(t.Context(), NewAttempt(time.Now(), "https://www.example.com/", ""))
		if err != nil || !strings.Contains(location, "code_challenge_method=S256") || !strings.Contains(location, "nonce=") {
			t.Errorf("%v: %s, %v", methods, location, err)
		}
	}
}
