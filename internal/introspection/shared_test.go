// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package introspection

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

// TestAcquire_shared has two sites, and the configurations before and after a
// reload, ask a server as one: what one heard the other knows, and a server that
// failed one is left alone by the other.
func TestAcquire_shared(t *testing.T) {
	s := newServer(t)
	one, oneLogs := s.client(t)
	settings := one.settings
	core, logs := observer.New(zap.DebugLevel)
	other, err := Acquire(settings, local, 0, zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	s.says(`{"active":false}`)
	for _, c := range []*Client{one, other} {
		if _, err := c.Introspect(t.Context(), "bad"); !errors.Is(err, ErrInactive) || s.asked.Load() != 1 {
			t.Errorf("asked %d times, %v", s.asked.Load(), err)
		}
	}
	s.fails(500, "")
	for n := range maxFailures {
		_, _ = one.Introspect(t.Context(), "token-"+strconv.Itoa(n))
	}
	if _, err := other.Introspect(t.Context(), "token"); !errors.Is(err, errPaused) {
		t.Errorf("a server that failed one: %v", err)
	}
	// The log is that of the latest configuration, and of the other when that ends.
	if logs.Len() != 1 || oneLogs.Len() != 0 {
		t.Errorf("%d and %d lines", logs.Len(), oneLogs.Len())
	}
	if err := other.Release(); err != nil {
		t.Fatal(err)
	}
	if one.logs.Logger().Info("here"); oneLogs.Len() != 1 {
		t.Error("the log of the configuration that is left has nothing")
	}

	// Another client of the server is somebody else.
	settings.ClientSecret = "another"
	third, err := Acquire(settings, local, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.says(active)
	if _, err := third.Introspect(t.Context(), "bad"); err != nil {
		t.Errorf("another client: %v", err)
	}
	if err := third.Release(); err != nil {
		t.Error(err)
	}
}

// TestClient_Release leaves nothing behind.
func TestClient_Release(t *testing.T) {
	ignored := goleak.IgnoreCurrent()
	s := newServer(t)
	for range 3 {
		for _, server := range []Server{{Endpoint: s.URL, BearerToken: "t"}, {Issuer: s.URL, BearerToken: "t"}} {
			if err := server.Resolve(local); err != nil {
				t.Fatal(err)
			}
			c, err := Acquire(server, local, 0, nil)
			if err != nil {
				t.Fatal(err)
			}
			c.Start()
			_, _ = c.Introspect(t.Context(), "token")
			if err := c.Release(); err != nil {
				t.Error(err)
			}
		}
	}
	s.Close()
	goleak.VerifyNone(t, ignored)
}

// TestAcquire_key takes up a private key that was replaced since.
func TestAcquire_key(t *testing.T) {
	name := filepath.Join(t.TempDir(), "key.pem")
	s := Server{Endpoint: "https://login.example.com/introspect", ClientID: "edge", ClientKeyFile: name}
	if err := s.Resolve(outbound.Settings{}); err != nil {
		t.Fatal(err)
	}
	var clients []*Client
	for range 2 {
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(writeKey(t, private), name); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			c, err := Acquire(s, outbound.Settings{}, 0, nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = c.Release() })
			clients = append(clients, c)
		}
	}
	if clients[0].shared != clients[1].shared || clients[1].shared == clients[2].shared || clients[2].shared != clients[3].shared {
		t.Error("the wrong ones share a key")
	}
}

// TestStatuses is what an operator sees of a server that fails.
func TestStatuses(t *testing.T) {
	s := newServer(t)
	c, _ := newClient(t, Server{Endpoint: s.URL + "/introspect?key=c4n4ry", BearerToken: "c4n4ry"})
	source := s.URL + "/introspect"
	status := func() outbound.Status {
		t.Helper()
		statuses := Statuses()
		n := slices.IndexFunc(statuses, func(s outbound.Status) bool { return s.Source == source })
		if n < 0 {
			t.Fatalf("%+v", statuses)
		}
		return statuses[n]
	}
	if got := status(); got.State != "idle" || got.Kind != "introspection" {
		t.Errorf("%+v", got)
	}
	_, _ = c.Introspect(t.Context(), "c4n4ry")
	if got := status(); got.State != "good" || got.Succeeded != 1 || got.Fetched == nil {
		t.Errorf("%+v", got)
	}
	s.fails(500, "c4n4ry")
	for n := range maxFailures + 1 {
		want := "stale"
		if n >= maxFailures-1 {
			want = "down"
		}
		_, _ = c.Introspect(t.Context(), "token-"+strconv.Itoa(n))
		if got := status(); got.State != want || !strings.Contains(got.Error, "status 500") || strings.Contains(got.Error, "c4n4ry") || got.Failures != min(n+1, maxFailures) {
			t.Errorf("%d: %+v", n, got)
		}
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(Seconds, Rejected)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]int)
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			if labels := metric.GetLabel(); labels[len(labels)-1].GetValue() == source {
				got[labels[0].GetValue()] = int(metric.GetHistogram().GetSampleCount()) + int(metric.GetCounter().GetValue())
			}
		}
	}
	for result, want := range map[string]int{"active": 1, "inactive": 0, "failed": maxFailures, source: 1} {
		if got[result] != want {
			t.Errorf("%s: %d, want %d", result, got[result], want)
		}
	}
}

// TestClient_waiting has clients that send and leave: who waits in their place is
// bounded.
func TestClient_waiting(t *testing.T) {
	s := newServer(t)
	c, _ := s.client(t)
	c.patience = time.Hour
	for range maxExchanges {
		c.slots <- struct{}{}
	}
	c.waiting.Store(maxWaiting)
	if _, err := c.Introspect(t.Context(), "token"); !errors.Is(err, errBusy) || c.waiting.Load() != maxWaiting {
		t.Errorf("%v, %d wait", err, c.waiting.Load())
	}
}
