// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package simplejwt

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/signing"
)

// errUnknownKey is returned where no key can have signed a token.
var errUnknownKey = errors.New("no key of that name")

// keys are what tokens are signed and verified with.
type keys interface {
	// signer returns the key that signs.
	signer(ctx context.Context) (jose.SigningKey, error)

	// find returns those that may have signed a token with this header.
	find(ctx context.Context, alg, kid string) (verifying, error)

	// missed reports whether there may be other keys than find returned.
	missed(ctx context.Context) bool

	publish(ctx context.Context) ([]byte, error)
	publishes() bool
	signs() bool
	generation() uint64
	start()
	close() error
}

// newKeys returns the keys that complete settings speak of.
func newKeys(s *Settings, rings *signing.Keys, logger *zap.Logger) (keys, error) {
	if s.SigningKey == "" && s.VerifyingKey == "" && s.JWKURL == "" {
		ring := rings.Ring(Ring, s.Algorithm)
		ring.Keep(s.longest())
		ring.TurnEvery(time.Duration(s.SigningKeyLifetime))
		return &generated{ring}, nil
	}
	given, err := parseGiven(s)
	if err != nil {
		return nil, err
	}
	if s.JWKURL == "" {
		return given, nil
	}
	return newRemote(s, given, logger)
}

// generated are keys that this server made.
type generated struct{ ring *signing.Ring }

func (g *generated) signer(ctx context.Context) (jose.SigningKey, error) {
	return g.ring.Current(ctx)
}

func (g *generated) publish(ctx context.Context) ([]byte, error) { return g.ring.JWKS(ctx) }
func (g *generated) missed(ctx context.Context) bool             { return g.ring.Missed(ctx) }
func (g *generated) publishes() bool                             { return !isHMAC(g.ring.Algorithm()) }
func (g *generated) signs() bool                                 { return true }
func (g *generated) generation() uint64                          { return g.ring.Generation() }
func (g *generated) start()                                      {}
func (g *generated) close() error                                { return nil }

// find takes all of the algorithm's keys for a token that names none: tokens that
// are signed with a secret do not.
func (g *generated) find(ctx context.Context, _, kid string) (verifying, error) {
	all, err := g.ring.Keys(ctx)
	if err != nil || kid == "" || !g.publishes() {
		return all, err
	}
	for _, key := range all {
		if key.ID == kid {
			return verifying{key}, nil
		}
	}
	return nil, errUnknownKey
}
