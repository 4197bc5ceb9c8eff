// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package discovery_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/discovery"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/idptest"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

// local is how a provider of a test is asked.
var local = outbound.Settings{AllowInternal: []string{"loopback"}, AllowHTTP: true}

func acquire(t *testing.T, cfg discovery.Config) *discovery.Provider {
	t.Helper()
	cfg.Outbound = local
	p, err := discovery.Acquire(cfg, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Release() })
	return p
}

func TestMetadata(t *testing.T) {
	idp := idptest.New(t)
	idp.SetMetadata("backchannel_logout_supported", true)
	idp.SetMetadata("authorization_response_iss_parameter_supported", true)
	idp.SetMetadata("token_endpoint_auth_methods_supported", []string{"client_secret_basic"})
	m, err := acquire(t, discovery.Config{Issuer: idp.Issuer()}).Metadata(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if m.Issuer != idp.URL || m.JWKSURI != idp.JWKSURL() || m.TokenEndpoint != idp.URL+"/token" ||
		m.AuthorizationEndpoint != idp.URL+"/authorize" || m.UserinfoEndpoint != idp.URL+"/userinfo" ||
		m.EndSessionEndpoint != idp.URL+"/logout" || m.IntrospectionEndpoint != idp.URL+"/introspect" ||
		m.RevocationEndpoint != idp.URL+"/revoke" || !m.BackchannelLogout || !m.AuthorizationResponseIss ||
		!slices.Equal(m.TokenEndpointAuthMethods, []string{"client_secret_basic"}) ||
		!slices.Contains(m.IDTokenSigningAlgs, "RS256") || !slices.Equal(m.CodeChallengeMethods, []string{"S256"}) || !json.Valid(m.Raw) {
		t.Errorf("%+v", m)
	}
}

// An issuer with a path has its metadata at two places, and below it first.
func TestWhereTheMetadataIs(t *testing.T) {
	for _, path := range []string{"/realms/a/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/realms/a"} {
		idp := idptest.New(t)
		issuer := idp.URL + "/realms/a"
		idp.SetMetadata("issuer", issuer)
		idp.Handle("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/nowhere", http.StatusFound)
		})
		if _, err := acquire(t, discovery.Config{Issuer: issuer}).Metadata(t.Context()); !errors.Is(err, discovery.ErrUnavailable) || !strings.Contains(err.Error(), "redirects") {
			t.Error(path, err)
		}
		if m, err := acquire(t, discovery.Config{Issuer: issuer, URL: idp.URL + idptest.MetadataPath}).Metadata(t.Context()); err != nil || m.Issuer != issuer {
			t.Error(path, err)
		}
	}
}

func TestIssuerIsCompared(t *testing.T) {
	idp := idptest.New(t)
	idp.SetMetadata("issuer", "https://login.example/{tenantid}/v2.0")
	url := idp.URL + idptest.MetadataPath
	for _, row := range []struct {
		accept func(string) bool
		good   bool
	}{
		{nil, false},
		{func(string) bool { return false }, false},
		{func(got string) bool { return got == "https://login.example/{tenantid}/v2.0" }, true},
	} {
		m, err := acquire(t, discovery.Config{Issuer: "https://login.example/t/v2.0", URL: url, AcceptIssuer: row.accept}).Metadata(t.Context())
		if row.good != (err == nil) || err != nil && !errors.Is(err, discovery.ErrUnavailable) {
			t.Error(m, err)
		}
	}
	same := acquire(t, discovery.Config{Issuer: "https://login.example/{tenantid}/v2.0", URL: url})
	if _, err := same.Metadata(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestFaults(t *testing.T) {
	for fault := idptest.Slow; fault <= idptest.Closed; fault++ {
		idp := idptest.New(t)
		idp.Fail(fault)
		quick := local
		quick.Timeout = 100e6
		p, err := discovery.Acquire(discovery.Config{Issuer: idp.Issuer(), Outbound: quick}, zap.NewNop())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Metadata(t.Context()); !errors.Is(err, discovery.ErrUnavailable) {
			t.Error(fault, err)
		}
		if _, known := p.Age(); known {
			t.Error(fault, "has an age")
		}
		idp.Heal()
		if _, err := p.Renew(t.Context()); err != nil {
			t.Error(fault, err)
		}
		if age, known := p.Age(); !known || age > time.Minute {
			t.Error(fault, age)
		}
		if err := p.Release(); err != nil {
			t.Error(err)
		}
	}
}

func TestSharing(t *testing.T) {
	ignored := goleak.IgnoreCurrent()
	idp := idptest.New(t)
	cfg := discovery.Config{Issuer: idp.Issuer(), Outbound: local}
	for range 3 {
		var all []*discovery.Provider
		for range 3 {
			p, err := discovery.Acquire(cfg, zap.NewNop())
			if err != nil {
				t.Fatal(err)
			}
			p.Start()
			if _, err := p.Metadata(t.Context()); err != nil {
				t.Error(err)
			}
			all = append(all, p)
		}
		for _, p := range all {
			if err := p.Release(); err != nil {
				t.Error(err)
			}
		}
	}
	if fetched, _ := idp.Fetches(); fetched != 3 {
		t.Error(fetched)
	}
	idp.Close()
	goleak.VerifyNone(t, ignored)
}

func TestAcquireErrors(t *testing.T) {
	for _, cfg := range []discovery.Config{
		{},
		{Issuer: "a.example"},
		{Issuer: "http://a.example"},
		{Issuer: "https://a.example#b"},
		{Issuer: "https://u:p@a.example"},
		{Issuer: "https://a.example", URL: "http://a.example"},
		{Issuer: "https://a.example", Outbound: outbound.Settings{AllowInternal: []string{"x"}}},
	} {
		if p, err := discovery.Acquire(cfg, zap.NewNop()); err == nil {
			t.Errorf("%+v", cfg)
			_ = p.Release()
		}
	}
}
