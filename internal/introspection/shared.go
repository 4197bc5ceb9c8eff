// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package introspection

import (
	"crypto/sha256"
	"encoding/json"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"
	"golang.org/x/sync/singleflight"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/discovery"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

// shared is what all configurations that ask one server in one way, as one client,
// have in common, over sites and reloads: the server bears as much, and fails as
// often, whoever of them asks.
type shared struct {
	name     string
	settings Server
	http     *outbound.Client
	provider *discovery.Provider // nil if the endpoint is configured
	key      *jose.SigningKey    // nil without private_key_jwt
	timeout  time.Duration
	patience time.Duration
	now      func() time.Time
	logs     outbound.Logs

	flights singleflight.Group
	serial  atomic.Uint64 // of those that nobody shares
	slots   chan struct{}
	waiting atomic.Int32 // for a slot
	breaker breaker
	refused refused
	recent  recent
	history history
	metrics metrics
}

var pool = caddy.NewUsagePool()

// acquire returns what is shared by settings that were resolved, and its key. It
// reads files each time, so that a reload takes a new key up.
func acquire(s *Server, o outbound.Settings) (*shared, [sha256.Size]byte, error) {
	var of [sha256.Size]byte
	var key *jose.SigningKey
	var text []byte
	var err error
	if s.ClientAuth == authPrivateKey {
		if key, text, err = readKey(s); err != nil {
			return nil, of, err
		}
	}
	fingerprint, err := json.Marshal([]any{s, o, text})
	if err != nil {
		return nil, of, err
	}
	of = sha256.Sum256(fingerprint)
	value, _, err := pool.LoadOrNew(of, func() (caddy.Destructor, error) { return newShared(s, o, key) })
	if err != nil {
		return nil, of, err
	}
	return value.(*shared), of, nil
}

func newShared(s *Server, o outbound.Settings, key *jose.SigningKey) (_ *shared, err error) {
	h := &shared{
		name:     outbound.Name(s.Endpoint),
		settings: *s,
		key:      key,
		timeout:  time.Duration(o.Timeout),
		patience: maxPatience,
		now:      time.Now,
		slots:    make(chan struct{}, maxExchanges),
	}
	if h.timeout == 0 {
		h.timeout = outbound.DefaultTimeout
	}
	if s.Endpoint == "" {
		h.name = outbound.Name(s.Issuer)
	}
	h.refused.init()
	if h.http, err = outbound.New(o); err != nil {
		return nil, err
	}
	if s.Endpoint == "" {
		if h.provider, err = discovery.Acquire(discovery.Config{Issuer: s.Issuer, Outbound: o}, zap.NewNop()); err != nil {
			h.http.Close()
			return nil, err
		}
	}
	h.metrics = newMetrics(h.name)
	return h, nil
}

// Destruct ends it. The pool calls it after the last Release.
func (h *shared) Destruct() error {
	h.http.Close()
	if h.provider != nil {
		return h.provider.Release()
	}
	return nil
}
