// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package keyset_test

import (
	"testing"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/idptest"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

// local is how a provider of a test is asked.
var local = outbound.Settings{AllowInternal: []string{"loopback"}, AllowHTTP: true}

func acquire(t *testing.T, cfg keyset.Config) *keyset.Set {
	t.Helper()
	set, err := keyset.Acquire(cfg, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = set.Release() })
	return set
}

func TestFind(t *testing.T) {
	idp := idptest.New(t)
	for _, cfg := range []keyset.Config{
		{Issuer: idp.Issuer(), Outbound: local},
		{JWKSURL: idp.JWKSURL(), Outbound: local},
	} {
		set := acquire(t, cfg)
		found, err := set.Find(t.Context(), "RS256", idp.KeyIDs()[0])
		if err != nil || len(found) != 1 || found[0].Type != "RSA" {
			t.Fatal(found, err)
		}
		if _, err := set.Find(t.Context(), "RS256", idp.KeyIDs()[1]); err != keyset.ErrUnknownKey {
			t.Error(err)
		}
		if _, err := set.Find(t.Context(), "RS256", "unknown"); err != keyset.ErrUnknownKey {
			t.Error(err)
		}
		if found, err = set.Find(t.Context(), "ES256", ""); err != nil || len(found) != 1 {
			t.Error(found, err)
		}
	}
	_ = idp.Sign(map[string]any{"sub": "alice"})
	_ = idp.Sign(map[string]any{"sub": "alice"}, idptest.Alg("EdDSA"))
}
