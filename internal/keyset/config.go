// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package keyset

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/discovery"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

// Defaults of a Config.
const (
	DefaultRefreshInterval = 15 * time.Minute
	DefaultStaleBound      = 24 * time.Hour
	DefaultMinInterval     = 30 * time.Second
)

// Config says where keys come from: exactly one of Issuer (or Discovery),
// JWKSURL, File, PEM and Secret.
type Config struct {
	// Issuer is asked where its keys are.
	Issuer string

	// Discovery says more about that than the issuer's name.
	Discovery *discovery.Config

	// JWKSURL is where the keys are.
	JWKSURL string

	// File is a JWK Set or PEM, read again when it has changed.
	File string

	// PEM is public keys and certificates.
	PEM string

	// Secret is what HS256 and its like verify with.
	Secret []byte

	// Algorithms are the only ones that keys may verify. Default: all that the
	// keys are made for.
	Algorithms []string

	// Outbound is how servers are asked.
	Outbound outbound.Settings

	// RefreshInterval is between two fetches, where the server does not say how
	// long its keys are good. What it says is heeded from a minute to four times
	// the interval. Default: 15 minutes.
	RefreshInterval time.Duration

	// StaleBound is how long keys are believed while no newer ones are to be
	// had. Default: 24 hours.
	StaleBound time.Duration

	// MinInterval is the least between two fetches for unknown keys.
	// Default: 30 seconds.
	MinInterval time.Duration
}

// Algorithms are all that keys may verify here.
var Algorithms = []string{
	"RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
	"ES256", "ES384", "ES512", "EdDSA", "Ed25519", "HS256", "HS384", "HS512",
}

// complete fills in what is not said, and reports mistakes.
func (c *Config) complete() error {
	sources := 0
	for _, given := range []bool{
		c.Issuer != "" || c.Discovery != nil, c.JWKSURL != "", c.File != "", c.PEM != "", len(c.Secret) > 0,
	} {
		if given {
			sources++
		}
	}
	if sources != 1 {
		return fmt.Errorf("expected one source of keys, not %d", sources)
	}
	for _, alg := range c.Algorithms {
		if !slices.Contains(Algorithms, alg) {
			return fmt.Errorf("algorithm '%s' is unknown, expected some of %v", alg, Algorithms)
		}
	}
	if c.RefreshInterval < 0 || c.StaleBound < 0 || c.MinInterval < 0 {
		return errors.New("an interval is negative")
	}
	if c.RefreshInterval == 0 {
		c.RefreshInterval = DefaultRefreshInterval
	}
	if c.StaleBound == 0 {
		c.StaleBound = max(DefaultStaleBound, 2*c.RefreshInterval)
	}
	if c.MinInterval == 0 {
		c.MinInterval = DefaultMinInterval
	}
	if c.Issuer != "" && c.Discovery == nil {
		c.Discovery = &discovery.Config{Issuer: c.Issuer, Outbound: c.Outbound}
	}
	if c.JWKSURL != "" {
		if err := outbound.CheckURL(c.JWKSURL, c.Outbound); err != nil {
			return fmt.Errorf("key set '%s': %w", outbound.Name(c.JWKSURL), err)
		}
	}
	return nil
}

// fingerprint is the same for sets that can be shared. Who may be the issuer, and
// by which algorithms, is judged by each user of a set: no configuration's function
// lives on in another, and one issuer is asked once.
func (c *Config) fingerprint() ([sha256.Size]byte, error) {
	var discover []any
	if d := c.Discovery; d != nil {
		discover = []any{d.Issuer, d.URL, d.AcceptIssuer != nil, d.Outbound}
	}
	text, err := json.Marshal([]any{
		discover, c.JWKSURL, c.File, c.PEM, c.Secret, c.Outbound,
		c.RefreshInterval, c.StaleBound, c.MinInterval,
	})
	return sha256.Sum256(text), err
}
