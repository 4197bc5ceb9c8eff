// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package keyset_test

import (
	"errors"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/idptest"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

// A provider that fails in any way is unavailable, not unknown to have the key,
// and heals without being asked.
func TestFaultsAtTheStart(t *testing.T) {
	t.Parallel()
	quick := local
	quick.Timeout = 250e6
	var failed []*keyset.Set
	var providers []*idptest.Server
	for fault := idptest.Slow; fault <= idptest.Closed; fault++ {
		idp := idptest.New(t)
		idp.Fail(fault)
		for _, cfg := range []keyset.Config{{Issuer: idp.Issuer(), Outbound: quick}, {JWKSURL: idp.JWKSURL(), Outbound: quick}} {
			set := acquire(t, cfg)
			for _, kid := range []string{idp.KeyIDs()[0], "unknown", ""} {
				_, err := set.Find(t.Context(), "RS256", kid)
				if !errors.Is(err, keyset.ErrUnavailable) || keyset.RetryAfter(err) < time.Second {
					t.Error(fault, err, keyset.RetryAfter(err))
				}
			}
			if status := set.Describe(); status.Error == "" || status.Failures == 0 || len(status.Keys) != 0 {
				t.Errorf("%s: %+v", fault, status)
			}
			failed = append(failed, set)
		}
		providers = append(providers, idp)
	}
	for _, idp := range providers {
		idp.Heal()
	}
	for _, set := range failed {
		eventually(t, "keys", func() bool { return len(set.Describe().Keys) == 3 })
	}
}

// While the provider fails, the last good keys stand, and it cannot be said
// whether there are others.
func TestFaultsLater(t *testing.T) {
	for fault := idptest.Slow; fault <= idptest.Closed; fault++ {
		t.Run(fault.String(), func(t *testing.T) {
			t.Parallel()
			idp := idptest.New(t)
			quick := local
			quick.Timeout = 250e6
			set := acquire(t, keyset.Config{Issuer: idp.Issuer(), Outbound: quick})
			set.Start()
			eventually(t, "keys", func() bool { return len(set.Describe().Keys) == 3 })
			generation := set.Generation()
			idp.Fail(fault)
			if _, err := set.Find(t.Context(), "RS256", "unknown"); !errors.Is(err, keyset.ErrUnavailable) {
				t.Error(err)
			}
			if _, err := set.Find(t.Context(), "RS256", idp.KeyIDs()[0]); err != nil {
				t.Error(err)
			}
			if set.Generation() != generation {
				t.Error("the generation has changed")
			}
		})
	}
}

func TestTLSErrors(t *testing.T) {
	t.Parallel()
	idp := idptest.NewTLS(t)
	stranger := acquire(t, keyset.Config{Issuer: idp.Issuer(), Outbound: outbound.Settings{AllowInternal: []string{"loopback"}}})
	if _, err := stranger.Find(t.Context(), "RS256", ""); !errors.Is(err, keyset.ErrUnavailable) {
		t.Error(err)
	}
	trusting := acquire(t, keyset.Config{Issuer: idp.Issuer(), Outbound: outbound.Settings{AllowInternal: []string{"loopback"}, CAFile: idp.CAFile}})
	if _, err := trusting.Find(t.Context(), "RS256", ""); err != nil {
		t.Error(err)
	}
}

// What the metadata names is somebody else's word: it leads nowhere inside.
func TestMetadataLeadsNowhereInside(t *testing.T) {
	idp, inside := idptest.New(t), idptest.New(t)
	settings := outbound.Settings{AllowInternal: []string{"127.0.0.1"}, AllowHTTP: true}
	for i, uri := range []any{
		"http://169.254.169.254/latest/meta-data/", "http://[::1]:1/jwks", "http://127.0.0.2:1/jwks", "file:///etc/passwd", "/jwks", "", nil, 7,
		[]string{inside.JWKSURL()},
	} {
		idp.SetMetadata("jwks_uri", uri)
		settings.Timeout += 1e9 // another set
		set := acquire(t, keyset.Config{Issuer: idp.Issuer(), Outbound: settings})
		if _, err := set.Find(t.Context(), "RS256", ""); !errors.Is(err, keyset.ErrUnavailable) {
			t.Error(i, uri, err)
		}
	}
	if _, fetched := inside.Fetches(); fetched != 0 {
		t.Error("another server was asked")
	}
}

// Keys that are too old verify nothing, nor does what is remembered of them.
func TestLastGoodBound(t *testing.T) {
	t.Parallel()
	idp := idptest.New(t)
	set := acquire(t, keyset.Config{Issuer: idp.Issuer(), StaleBound: 500 * time.Millisecond, Outbound: local})
	if _, err := set.Find(t.Context(), "RS256", ""); err != nil {
		t.Fatal(err)
	}
	generation := set.Generation()
	idp.Fail(idptest.Error)
	eventually(t, "the keys to be too old", func() bool {
		_, err := set.Find(t.Context(), "RS256", "")
		return errors.Is(err, keyset.ErrUnavailable)
	})
	eventually(t, "another generation", func() bool { return set.Generation() > generation })
	idp.Heal()
	eventually(t, "keys", func() bool {
		_, err := set.Find(t.Context(), "RS256", "")
		return err == nil
	})
}

// Keys that come back are found although the metadata does not.
func TestMetadataStaysDown(t *testing.T) {
	t.Parallel()
	idp := idptest.New(t)
	set := acquire(t, keyset.Config{Issuer: idp.Issuer(), MinInterval: 1, Outbound: local})
	if _, err := set.Find(t.Context(), "RS256", ""); err != nil {
		t.Fatal(err)
	}
	idp.Fail(idptest.Error)
	if _, err := set.Find(t.Context(), "RS256", "unknown"); !errors.Is(err, keyset.ErrUnavailable) {
		t.Error(err)
	}
	idp.Heal()
	idp.SetMetadata("issuer", "https://another.example")
	idp.Rotate()
	eventually(t, "the new keys", func() bool {
		_, err := set.Find(t.Context(), "RS256", idp.KeyIDs()[0])
		return err == nil
	})
}
