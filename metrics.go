// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/credcache"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/password"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// verdict is how a request ended, as metrics count it.
type verdict int

const (
	verdictAllowed         verdict = iota // authenticated, and every permission held
	verdictAnonymous                      // every permission held for nobody
	verdictUnauthenticated                // no credentials where some are needed
	verdictFailed                         // bad credentials
	verdictIgnored                        // bad credentials, with `invalid anonymous`
	verdictDenied                         // known, and a permission did not hold
	verdictThrottled
	verdictUnavailable
	verdicts int = iota
)

var verdictNames = [verdicts]string{
	"allowed", "anonymous", "unauthenticated", "failed", "ignored", "denied", "throttled", "unavailable",
}

// The collectors live as long as the process, so that counts survive reloads.
// No label has a value that a client or a user chooses.
var (
	decisionsTotal = prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "caddy", Subsystem: "rest_auth", Name: "decisions_total",
		Help: "Requests by the authenticator that answered or failed (none if no one did) and by the verdict.",
	}, []string{"authenticator", "verdict"})

	cacheTotal = prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "caddy", Subsystem: "rest_auth", Name: "cache_total",
		Help: "Credentials that were asked of the cache: hit (served), recheck (user read again), miss (verified).",
	}, []string{"result"})

	loginsTotal = prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "caddy", Subsystem: "rest_auth", Name: "logins_total",
		Help: "Secrets that were tried and not remembered, by what they were (password) and how that ended.",
	}, []string{"kind", "result"})

	storeSeconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: "caddy", Subsystem: "rest_auth", Name: "store_seconds",
		Help:    "Time that calls of the store took, by operation and result.",
		Buckets: []float64{.00002, .0001, .0005, .002, .01, .05, .25, 1, 5},
	}, []string{"operation", "result"})

	hashQueue = prometheus.NewDesc("caddy_rest_auth_hash_queue",
		"Password hashes that wait for a slot or run in one.", []string{"state"}, nil)

	hashRejected = prometheus.NewDesc("caddy_rest_auth_hash_rejected_total",
		"Password checks that were answered 503 because the queue was full.", nil, nil)

	cacheEntries = prometheus.NewDesc("caddy_rest_auth_cache_entries",
		"Credentials that the cache remembers.", nil, nil)

	cacheOversized = prometheus.NewDesc("caddy_rest_auth_cache_oversized_total",
		"Verifications that were not remembered because who was identified, with groups and claims, is larger than 4 KiB.", nil, nil)

	storeTrusted = prometheus.NewDesc("caddy_rest_auth_store_feed_up",
		"Whether changes of the store by other processes arrive (1), so that remembered credentials may be served.", nil, nil)
)

// decisionMetrics counts for one handler; its counters are looked up once.
type decisionMetrics struct {
	none                   [verdicts]prometheus.Counter
	byLink                 [][verdicts]prometheus.Counter
	hits, rechecks, misses prometheus.Counter
}

func newDecisionMetrics(registry prometheus.Registerer, links []link) *decisionMetrics {
	register(registry, decisionsTotal, cacheTotal)
	m := &decisionMetrics{
		none:     verdictCounters("none"),
		hits:     cacheTotal.WithLabelValues("hit"),
		rechecks: cacheTotal.WithLabelValues("recheck"),
		misses:   cacheTotal.WithLabelValues("miss"),
	}
	for i := range links {
		m.byLink = append(m.byLink, verdictCounters(links[i].name))
	}
	return m
}

func verdictCounters(authenticator string) (counters [verdicts]prometheus.Counter) {
	for v, name := range verdictNames {
		counters[v] = decisionsTotal.WithLabelValues(authenticator, name)
	}
	return counters
}

func (m *decisionMetrics) count(by int, v verdict) {
	if by == nobody {
		m.none[v].Inc()
		return
	}
	m.byLink[by][v].Inc()
}

// observeStore is told of every call of a store.
func observeStore(operation string, took time.Duration, err error) {
	result := "ok"
	switch {
	case err == nil:
	case errors.Is(err, tokenstore.ErrUnavailable):
		result = "unavailable"
	default:
		result = "refused"
	}
	storeSeconds.WithLabelValues(operation, result).Observe(took.Seconds())
}

// appCollector reports the state of what the app owns when it is scraped.
type appCollector struct {
	passwords *password.Hasher
	cache     func() credcache.Stats
	trusted   func() bool
}

// Describe implements prometheus.Collector.
func (*appCollector) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{hashQueue, hashRejected, cacheEntries, cacheOversized, storeTrusted} {
		descs <- desc
	}
}

// Collect implements prometheus.Collector.
func (c *appCollector) Collect(metrics chan<- prometheus.Metric) {
	stats := c.passwords.Stats()
	metrics <- prometheus.MustNewConstMetric(hashQueue, prometheus.GaugeValue, float64(stats.Waiting), "waiting")
	metrics <- prometheus.MustNewConstMetric(hashQueue, prometheus.GaugeValue, float64(stats.Running), "running")
	metrics <- prometheus.MustNewConstMetric(hashRejected, prometheus.CounterValue, float64(stats.Rejected))
	cache := c.cache()
	metrics <- prometheus.MustNewConstMetric(cacheEntries, prometheus.GaugeValue, float64(cache.Entries))
	metrics <- prometheus.MustNewConstMetric(cacheOversized, prometheus.CounterValue, float64(cache.Oversized))
	up := 0.0
	if c.trusted() {
		up = 1
	}
	metrics <- prometheus.MustNewConstMetric(storeTrusted, prometheus.GaugeValue, up)
}

// register adds collectors to the registry of a configuration, which is new
// with each, and where another handler may have added them already.
func register(registry prometheus.Registerer, collectors ...prometheus.Collector) {
	for _, collector := range collectors {
		// The only other error is two collectors of one name, which the tests
		// would have met.
		_ = registry.Register(collector)
	}
}
