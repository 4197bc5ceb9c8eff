// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/durin"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/throttle"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// fewClients are clients by ID, and how often they were read.
type fewClients struct {
	clients map[string]tokenstore.Client
	err     error
	reads   int
}

func (f *fewClients) Client(_ context.Context, id string) (tokenstore.Client, error) {
	f.reads++
	c, ok := f.clients[id]
	if !ok && f.err == nil {
		return c, tokenstore.ErrNotFound
	}
	return c, f.err
}

func TestCountClients(t *testing.T) {
	byDefault, own := throttle.Rate{Requests: 10, Per: time.Minute}, throttle.Rate{Requests: 5, Per: time.Minute}
	slow := tokenstore.Client{ID: "durin:slow", Data: durin.Encode(durin.Client{TokenTTL: time.Hour, ThrottleRate: "5/m"})}
	store := &fewClients{clients: map[string]tokenstore.Client{
		"durin:slow": slow,
		"durin:web":  {ID: "durin:web", Data: durin.Encode(durin.Client{TokenTTL: time.Hour})},
		"oauth":      {ID: "oauth", Data: slow.Data},
	}}
	now := time.Now()
	other := &throttle.Throttle{Scope: "user", Rate: byDefault}
	counted := &throttle.Throttle{Scope: clientScope, Rate: byDefault}
	countClients([]*throttle.Throttle{other, counted}, &clientRates{store: store, now: func() time.Time { return now }})
	if other.RateOf != nil || other.Caller != nil {
		t.Error("the scope user counts clients")
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	of := func(key, client string) *auth.Identity {
		return &auth.Identity{Method: "token", ID: key, Key: key, Client: client}
	}
	for client, want := range map[string]throttle.Rate{
		"durin:slow": own, "durin:web": byDefault, "durin:gone": byDefault, "oauth": byDefault, "": byDefault,
	} {
		if got, err := counted.RateOf(r, of("store:1", client)); got != want || err != nil {
			t.Errorf("the rate of %q is %s, %v; want %s", client, got, err, want)
		}
	}
	callers := make(map[string]bool)
	for _, id := range []*auth.Identity{of("store:1", "durin:a"), of("store:1", "durin:b"), of("store:2", "durin:a"), of("store:1", ""), auth.Anonymous} {
		callers[counted.CallerOf(r, id)] = true
	}
	if len(callers) != 5 {
		t.Errorf("5 callers are counted as %d: %v", len(callers), callers)
	}

	// A client is read once a minute.
	store.reads = 0
	for range 3 {
		if _, err := counted.RateOf(r, of("store:1", "durin:slow")); err != nil || store.reads != 0 {
			t.Errorf("after %d reads: %v", store.reads, err)
		}
	}
	now = now.Add(standingBound)
	store.clients["durin:slow"] = tokenstore.Client{ID: "durin:slow", Data: durin.Encode(durin.Client{TokenTTL: time.Hour, ThrottleRate: "7/m"})}
	if got, err := counted.RateOf(r, of("store:1", "durin:slow")); got.Requests != 7 || err != nil {
		t.Errorf("a minute later the rate is %s, %v; want 7 a minute", got, err)
	}
	now = now.Add(standingBound)
	store.err = tokenstore.ErrUnavailable
	if _, err := counted.RateOf(r, of("store:1", "durin:slow")); !errors.Is(err, tokenstore.ErrUnavailable) {
		t.Errorf("with the store down: %v", err)
	}
}
