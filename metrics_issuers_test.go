// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/idptest"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

// One issuer that is asked in several ways is one source, as good as the worst
// of them: Prometheus refuses two samples of the same labels.
func TestIssuerMetrics(t *testing.T) {
	idp := idptest.New(t)
	idp.Fail(idptest.Error)
	settings := outbound.Settings{AllowInternal: []string{"loopback"}, AllowHTTP: true}
	ask := func() {
		settings.Timeout += caddy.Duration(time.Second) // another set
		set, err := keyset.Acquire(keyset.Config{Issuer: idp.Issuer(), Outbound: settings}, zap.NewNop())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = set.Release() })
		_, _ = set.Find(t.Context(), "RS256", "")
	}
	ask()
	idp.Heal()
	ask()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(issuerCollector{})
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	samples := make(map[string]int)
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				if label.GetName() == "source" && label.GetValue() == idp.URL {
					samples[family.GetName()]++
				}
			}
		}
	}
	for name, want := range map[string]int{
		"caddy_rest_auth_issuer_fetches_total": 4, "caddy_rest_auth_issuer_up": 2, "caddy_rest_auth_issuer_age_seconds": 2,
	} {
		if samples[name] != want {
			t.Errorf("%s has %d samples", name, samples[name])
		}
	}
}
