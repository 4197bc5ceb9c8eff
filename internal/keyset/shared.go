// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package keyset

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

// maxBackoff is the longest wait before keys that could not be had are asked
// for again.
const maxBackoff = 30 * time.Second

// shared is what all configurations that name one source have in common.
type shared struct {
	name       string
	kind       string
	static     *keys                    // of the configuration, or nil
	document   *outbound.Document[keys] // of anything else
	end        func()
	logs       outbound.Logs
	generation atomic.Uint64
}

// newShared begins nothing.
func newShared(cfg *Config) (*shared, error) {
	s := &shared{end: func() {}}
	s.generation.Store(generations.Add(1))
	var fetch outbound.Fetch[keys]
	var err error
	policy := outbound.Policy{
		Interval: cfg.RefreshInterval, MinInterval: cfg.MinInterval,
		StaleBound: cfg.StaleBound, MaxBackoff: maxBackoff,
	}
	switch {
	case cfg.Discovery != nil:
		s.name, s.kind = outbound.Name(cfg.Discovery.Issuer), "issuer"
		fetch, s.end, err = fromIssuer(cfg)
	case cfg.JWKSURL != "":
		s.name, s.kind = outbound.Name(cfg.JWKSURL), "jwks_url"
		fetch, s.end, err = fromURL(cfg)
	case cfg.File != "":
		s.name, s.kind = cfg.File, "file"
		policy.Interval, policy.MinInterval, policy.MaxBackoff = look, look, look
		fetch, err = fromFile(cfg)
	default:
		s.static, s.name, s.kind, err = fromConfig(cfg)
	}
	if err != nil {
		return nil, err
	}
	if fetch != nil {
		s.document = outbound.Keep(policy, fetch, s.settled)
	}
	return s, nil
}

func (s *shared) value(ctx context.Context) (*keys, error) {
	if s.static != nil {
		return s.static, nil
	}
	return s.document.Value(ctx)
}

func (s *shared) demand(ctx context.Context, since time.Time) (*keys, error) {
	if s.static != nil {
		return s.static, nil
	}
	return s.document.Demand(ctx, since)
}

// settled is told of each fetch, once its keys are in use: a number that grew
// before would be that of something the old keys verified.
func (s *shared) settled(old, now outbound.State[keys]) {
	if old.Value != nil && old.Value != now.Value && (now.Value == nil || lost(old.Value, now.Value)) {
		s.generation.Store(generations.Add(1))
	}
	if now.Err == nil && old.Err == nil && now.Value == old.Value {
		return // a file that was looked at, once a second
	}
	outbound.Report(s.logs.Logger(), "keys", s.name, old, now)
	if now.Err == nil && (old.Value == nil || !slices.Equal(texts(old.Value.left), texts(now.Value.left))) {
		s.note(now.Value.left)
	}
}

// note tells the log of keys that are not used, once.
func (s *shared) note(left []error) {
	logger := s.logs.Logger().With(zap.String("source", s.name))
	for _, why := range left {
		if errors.Is(why, errPrivate) {
			logger.Error("the issuer gives its signing key away; who has it makes tokens that are good here", zap.Error(why))
			continue
		}
		logger.Warn("a key is not used", zap.Error(why))
	}
}

// Destruct ends fetching. The pool calls it after the last Release.
func (s *shared) Destruct() error {
	if s.document != nil {
		s.document.Close()
	}
	s.end()
	return nil
}
