// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package simplejwt

import (
	"context"
	"errors"
	"fmt"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/background"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
)

// remote are the keys of a jwk_url, beside the one that signs, if there is one.
type remote struct {
	*given
	set *keyset.Set
}

func newRemote(s *Settings, signs *given, logger *zap.Logger) (keys, error) {
	set, err := keyset.Acquire(keyset.Config{JWKSURL: s.JWKURL, Algorithms: []string{s.Algorithm}, Outbound: *s.fetch()}, logger)
	if err != nil {
		return nil, fmt.Errorf("jwk_url: %w", err)
	}
	return &remote{signs, set}, nil
}

// find asks the key set by the name that the token says, and no key of the
// configuration, as in simplejwt.
func (r *remote) find(ctx context.Context, alg, kid string) (verifying, error) {
	found, err := r.set.Find(ctx, alg, kid)
	switch {
	case errors.Is(err, keyset.ErrUnknownKey):
		return nil, errUnknownKey
	case err != nil:
		return nil, &auth.Unavailable{RetryAfter: keyset.RetryAfter(err), Err: err}
	}
	return found, nil
}

// publish leaves it to the server that has the keys.
func (r *remote) publish(context.Context) ([]byte, error) { return nil, nil }

func (r *remote) publishes() bool    { return false }
func (r *remote) generation() uint64 { return r.set.Generation() }
func (r *remote) start()             { r.set.Start() }
func (r *remote) close() error       { return r.set.Release() }

// startLater begins to fetch keys when the app starts: to validate a
// configuration asks nobody.
func startLater(ctx caddy.Context, keys keys) error {
	if _, fetches := keys.(*remote); !fetches {
		return nil
	}
	app, err := background.FromContext(ctx)
	if err != nil {
		return err
	}
	app.OnStart(keys.start)
	return nil
}
