// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package oidclogin

import (
	"errors"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/discovery"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/idptest"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

// newProvider returns one that a test's provider answers for.
func newProvider(t testing.TB, server *idptest.Server) *Provider {
	t.Helper()
	p := &Provider{Name: "corp", Issuer: server.URL, ClientID: "site", Preset: presetGeneric, now: time.Now, logger: zap.NewNop()}
	p.Settings = outbound.Settings{AllowHTTP: true, AllowInternal: []string{"loopback"}}
	config := discovery.Config{Issuer: p.Issuer, Outbound: p.Settings}
	var err error
	if p.metadata, err = discovery.Acquire(config, p.logger); err != nil {
		t.Fatal(err)
	}
	if p.keys, err = keyset.Acquire(keyset.Config{Issuer: p.Issuer, Discovery: &config, Outbound: p.Settings}, p.logger); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Cleanup(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func goodLogout() map[string]any {
	return map[string]any{"aud": "site", "sub": "1", "sid": "s", "jti": "j", "events": map[string]any{logoutEvent: map[string]any{}}}
}

func TestProvider_Logout(t *testing.T) {
	server := idptest.New(t)
	p := newProvider(t, server)
	got, err := p.Logout(t.Context(), server.Sign(goodLogout(), idptest.Type("logout+jwt")))
	if err != nil || got.Issuer != server.URL || got.Subject != "1" || got.SID != "s" || got.ID != "j" || time.Until(got.Until) < 10*time.Minute {
		t.Fatalf("Logout: %+v, %v", got, err)
	}
	server.Fail(idptest.Error)
	if _, err := p.Logout(t.Context(), server.Sign(goodLogout())); err != nil {
		t.Errorf("with keys that are known already: %v", err)
	}
}

// FuzzLogout reads logout tokens that anybody can send. None but the provider's
// own ends a session.
func FuzzLogout(f *testing.F) {
	server := idptest.New(f)
	p := newProvider(f, server)
	good := server.Sign(goodLogout(), idptest.Type("logout+jwt"))
	f.Add(good + "A")
	f.Add(strings.Replace(good, ".", "..", 1))
	f.Add("e30.e30.e30")
	f.Add(strings.Repeat(".", 1000))
	f.Add(server.Sign(map[string]any{"aud": "site", "events": 1}))
	f.Fuzz(func(t *testing.T, token string) {
		got, err := p.Logout(t.Context(), token)
		refused := (*RefusedError)(nil)
		if err == nil && token != good || err != nil && !errors.As(err, &refused) {
			t.Errorf("Logout(%q) = %+v, %v", token, got, err)
		}
	})
}
