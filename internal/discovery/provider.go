// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package discovery

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

// ErrUnavailable says that the metadata could not be had, or is not the
// issuer's.
var ErrUnavailable = outbound.ErrUnavailable

// limit bounds a document.
const limit = 256 << 10

// policy is how metadata is kept: it changes less than keys do.
var policy = outbound.Policy{
	Interval:    time.Hour,
	MinInterval: 30 * time.Second,
	StaleBound:  7 * 24 * time.Hour,
	MaxBackoff:  30 * time.Second,
}

// Config says whose metadata is wanted.
type Config struct {
	// Issuer is what tokens name in iss.
	Issuer string

	// URL is where the metadata is. Default: what the issuer's URL makes of
	// .well-known/openid-configuration, then of oauth-authorization-server.
	URL string

	// AcceptIssuer says whether the metadata may name that issuer.
	// Default: the same as Issuer, letter for letter.
	AcceptIssuer func(got string) bool

	Outbound outbound.Settings
}

// Provider is an issuer's metadata. Those with the same configuration share
// what was fetched.
type Provider struct {
	*shared
	key    [sha256.Size]byte
	accept func(got string) bool
	use    *outbound.Use
}

// shared is what all configurations that ask one issuer have in common.
type shared struct {
	name     string
	urls     []string
	exact    string // the issuer it must be, or any
	settings outbound.Settings
	client   *outbound.Client
	document *outbound.Document[Metadata]
	logs     outbound.Logs
}

var pool = caddy.NewUsagePool()

// Acquire returns the metadata that cfg names, which is not fetched yet.
func Acquire(cfg Config, logger *zap.Logger) (*Provider, error) {
	urls := wellKnown(cfg.Issuer)
	if cfg.URL != "" {
		urls = []string{cfg.URL}
	}
	for _, address := range urls {
		if err := outbound.CheckURL(address, cfg.Outbound); err != nil {
			return nil, fmt.Errorf("issuer '%s': %w", cfg.Issuer, err)
		}
	}
	exact := cfg.Issuer
	if cfg.AcceptIssuer != nil {
		exact = ""
	}
	fingerprint, err := json.Marshal([]any{urls, exact, cfg.Outbound})
	if err != nil {
		return nil, err
	}
	key := sha256.Sum256(fingerprint)
	value, _, err := pool.LoadOrNew(key, func() (caddy.Destructor, error) {
		client, err := outbound.New(cfg.Outbound)
		if err != nil {
			return nil, err
		}
		s := &shared{name: outbound.Name(cfg.Issuer), urls: urls, exact: exact, settings: cfg.Outbound, client: client}
		s.document = outbound.Keep(policy, s.fetch, s.settled)
		return s, nil
	})
	if err != nil {
		return nil, err
	}
	s := value.(*shared)
	return &Provider{shared: s, key: key, accept: cfg.AcceptIssuer, use: s.logs.Join(logger)}, nil
}

// Release gives the provider back.
func (p *Provider) Release() error {
	p.logs.Part(p.use)
	_, err := pool.Delete(p.key)
	return err
}

// Start begins fetching in the background.
func (p *Provider) Start() { p.document.Start() }

// Metadata returns what the issuer last said. It waits only while that is
// nothing.
func (p *Provider) Metadata(ctx context.Context) (*Metadata, error) {
	return p.accepted(p.document.Value(ctx))
}

// Renew fetches anew. It is for the background, which bounds how often.
func (p *Provider) Renew(ctx context.Context) (*Metadata, error) {
	return p.accepted(p.document.Renew(ctx))
}

// Age returns how old the metadata is, and false if there is none.
func (p *Provider) Age() (time.Duration, bool) {
	state := p.document.State()
	return time.Since(state.Good), state.Value != nil
}

func (p *Provider) accepted(m *Metadata, err error) (*Metadata, error) {
	if err != nil {
		return nil, err
	}
	if p.accept != nil && !p.accept(m.Issuer) {
		return nil, &outbound.UnavailableError{RetryAfter: time.Minute, Err: wrongIssuer(m.Issuer)}
	}
	return m, nil
}

func wrongIssuer(got string) error {
	return fmt.Errorf("the metadata is of another issuer, %.200q", got)
}

// Destruct ends fetching. The pool calls it after the last Release.
func (s *shared) Destruct() error {
	s.document.Close()
	s.client.Close()
	return nil
}

// fetch asks the addresses in turn, the next where there is no document.
func (s *shared) fetch(ctx context.Context) (*Metadata, time.Duration, error) {
	var errs []error
	for _, address := range s.urls {
		answer, err := s.client.Get(ctx, address, limit)
		if err == nil {
			err = outbound.CheckJSON(answer)
		}
		if err == nil {
			m, err := Parse(answer.Body, s.settings)
			if err != nil {
				return nil, 0, fmt.Errorf("%s: %w", outbound.Name(address), err)
			}
			if s.exact != "" && m.Issuer != s.exact {
				return nil, 0, fmt.Errorf("%s: %w", outbound.Name(address), wrongIssuer(m.Issuer))
			}
			return m, outbound.Lifetime(answer.Header), nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", outbound.Name(address), err))
		if answer.Status < 400 || answer.Status >= 500 {
			break
		}
	}
	return nil, 0, errors.Join(errs...)
}

// settled tells the log what has changed.
func (s *shared) settled(old, now outbound.State[Metadata]) {
	outbound.Report(s.logs.Logger(), "metadata", s.name, old, now)
}
