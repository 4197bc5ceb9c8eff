// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/discovery"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

var (
	issuerFetches = prometheus.NewDesc("caddy_rest_auth_issuer_fetches_total",
		"Fetches of what issuers publish, by the source as it is configured, what was fetched (keys, metadata) and the result (ok, failed).",
		[]string{"source", "document", "result"}, nil)

	issuerUp = prometheus.NewDesc("caddy_rest_auth_issuer_up",
		"Whether what an issuer publishes is known (1), if only as of an older fetch, or its tokens are answered 503 (0).",
		[]string{"source", "document"}, nil)

	issuerAge = prometheus.NewDesc("caddy_rest_auth_issuer_age_seconds",
		"How long ago that was fetched which is in use.", []string{"source", "document"}, nil)
)

// issuerCollector reports what is known of issuers when it is scraped. Sources
// are those of the configuration, so that no client adds one.
type issuerCollector struct{}

// Describe implements prometheus.Collector.
func (issuerCollector) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{issuerFetches, issuerUp, issuerAge} {
		descs <- desc
	}
}

// Collect implements prometheus.Collector.
func (issuerCollector) Collect(metrics chan<- prometheus.Metric) {
	var keys []outbound.Status
	for _, status := range keyset.Statuses() {
		if status.Kind != "pem" && status.Kind != "secret" {
			keys = append(keys, status.Status)
		}
	}
	collectDocuments(metrics, "keys", keys)
	collectDocuments(metrics, "metadata", discovery.Statuses())
}

// collectDocuments makes one of what the same source is fetched for in several
// ways, as by other bounds, and reports the worst of it.
func collectDocuments(metrics chan<- prometheus.Metric, document string, statuses []outbound.Status) {
	type total struct {
		ok, failed uint64
		up, age    float64
	}
	totals := make(map[string]*total)
	for _, status := range statuses {
		t := totals[status.Source]
		if t == nil {
			t = &total{up: 1}
			totals[status.Source] = t
		}
		t.ok += status.Succeeded
		t.failed += status.Failed
		t.age = max(t.age, status.Age)
		if status.State == "down" {
			t.up = 0
		}
	}
	for source, t := range totals {
		metrics <- prometheus.MustNewConstMetric(issuerFetches, prometheus.CounterValue, float64(t.ok), source, document, "ok")
		metrics <- prometheus.MustNewConstMetric(issuerFetches, prometheus.CounterValue, float64(t.failed), source, document, "failed")
		metrics <- prometheus.MustNewConstMetric(issuerUp, prometheus.GaugeValue, t.up, source, document)
		metrics <- prometheus.MustNewConstMetric(issuerAge, prometheus.GaugeValue, t.age, source, document)
	}
}
