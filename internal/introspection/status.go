// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package introspection

import (
	"cmp"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

// The collectors live as long as the process. Sources are those of the
// configuration, so that no client adds one.
var (
	// Seconds is how long exchanges took.
	Seconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: "caddy", Subsystem: "rest_auth", Name: "introspection_seconds",
		Help:    "Time that servers took to say what a token is worth, by the server as it is configured and the result (active, inactive, failed).",
		Buckets: []float64{.001, .005, .02, .05, .1, .25, .5, 1, 2.5, 5},
	}, []string{"source", "result"})

	// Rejected counts what was not asked.
	Rejected = prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "caddy", Subsystem: "rest_auth", Name: "introspection_rejected_total",
		Help: "Tokens that were answered 503 without their server being asked: it had failed, too many waited, or its endpoint was not known.",
	}, []string{"source"})
)

// metrics are those of one server, looked up once.
type metrics struct {
	active, inactive, failed prometheus.Observer
	rejected                 prometheus.Counter
}

func newMetrics(name string) metrics {
	return metrics{
		active:   Seconds.WithLabelValues(name, "active"),
		inactive: Seconds.WithLabelValues(name, "inactive"),
		failed:   Seconds.WithLabelValues(name, "failed"),
		rejected: Rejected.WithLabelValues(name),
	}
}

// history is how exchanges went.
type history struct {
	mu                sync.Mutex
	good              time.Time // the latest answer
	err               error     // of the latest exchange
	failures          int       // since the latest answer
	succeeded, failed uint64
}

// record counts an exchange.
func (h *shared) record(err error, ended time.Time, took time.Duration) {
	observer := h.metrics.failed
	switch {
	case err == nil:
		observer = h.metrics.active
	case errors.Is(err, ErrInactive):
		observer = h.metrics.inactive
		err = nil
	}
	observer.Observe(took.Seconds())

	h.history.mu.Lock()
	defer h.history.mu.Unlock()
	h.history.err = err
	if err != nil {
		h.history.failures++
		h.history.failed++
		return
	}
	h.history.good, h.history.failures = ended, 0
	h.history.succeeded++
}

// describe returns what an operator is told: good after an answer; stale after a
// failure, though the next token is asked about; down in a pause; and idle before
// the first token.
func (h *shared) describe() outbound.Status {
	until := h.breaker.paused()
	h.history.mu.Lock()
	defer h.history.mu.Unlock()
	s := outbound.Status{
		Source: h.name, Kind: "introspection", State: "good",
		Failures: h.history.failures, Succeeded: h.history.succeeded, Failed: h.history.failed,
	}
	if !h.history.good.IsZero() {
		good := h.history.good
		s.Fetched, s.Age = &good, h.now().Sub(good).Seconds()
	}
	if h.history.err != nil {
		s.Error = h.history.err.Error()
	}
	switch {
	case !until.IsZero():
		s.State, s.Next = "down", &until
	case h.history.err != nil:
		s.State = "stale"
	case h.history.good.IsZero():
		s.State = "idle"
	}
	return s
}

// Statuses returns what an operator is told of every server that is asked, in the
// order of their names.
func Statuses() []outbound.Status {
	statuses := []outbound.Status{}
	pool.Range(func(_, value any) bool {
		if h, ok := value.(*shared); ok {
			statuses = append(statuses, h.describe())
		}
		return true
	})
	slices.SortStableFunc(statuses, func(a, b outbound.Status) int { return cmp.Compare(a.Source, b.Source) })
	return statuses
}
