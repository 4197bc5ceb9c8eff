// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package keyset

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/discovery"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

// limit bounds a key set.
const limit = 512 << 10

// fromURL has keys fetched from where the configuration says.
func fromURL(cfg *Config) (outbound.Fetch[keys], func(), error) {
	client, err := outbound.New(cfg.Outbound)
	if err != nil {
		return nil, nil, err
	}
	return func(ctx context.Context) (*keys, time.Duration, error) {
		return fetch(ctx, client, cfg.JWKSURL)
	}, client.Close, nil
}

// fromIssuer has keys fetched from where the issuer says.
func fromIssuer(cfg *Config) (outbound.Fetch[keys], func(), error) {
	client, err := outbound.New(cfg.Outbound)
	if err != nil {
		return nil, nil, err
	}
	whose := *cfg.Discovery
	if whose.AcceptIssuer != nil {
		// Each user of the set judges for itself.
		whose.AcceptIssuer = func(string) bool { return true }
	}
	provider, err := discovery.Acquire(whose, zap.NewNop())
	if err != nil {
		return nil, nil, err
	}
	failed := false
	get := func(ctx context.Context) (*keys, time.Duration, error) {
		metadata, err := provider.Metadata(ctx)
		if err != nil || failed {
			// This runs in the background, which bounds how often. Where the keys
			// are gone the issuer may have moved them; if it does not say so, they
			// may come back.
			if renewed, failure := provider.Renew(ctx); failure == nil || err != nil {
				metadata, err = renewed, failure
			}
		}
		if err != nil {
			return nil, 0, outbound.Cause(err)
		}
		if metadata.JWKSURI == "" {
			return nil, 0, errors.New("the metadata names no jwks_uri")
		}
		k, life, err := fetch(ctx, client, metadata.JWKSURI)
		failed = err != nil
		if err == nil {
			k.issuer = metadata.Issuer
		}
		return k, life, err
	}
	return get, func() {
		client.Close()
		_ = provider.Release()
	}, nil
}

func fetch(ctx context.Context, client *outbound.Client, url string) (*keys, time.Duration, error) {
	answer, err := client.Get(ctx, url, limit)
	if err == nil {
		err = outbound.CheckJSON(answer)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", outbound.Name(url), err)
	}
	all, left, err := parseJWKS(answer.Body, false)
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", outbound.Name(url), err)
	}
	k := newKeys(all)
	k.url, k.left = url, left
	return k, outbound.Lifetime(answer.Header), nil
}
