// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package entra

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/discovery"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

// algorithms are those of the keys of Entra ID, which signs by the first.
var algorithms = []string{"RS256", "RS384", "RS512"}

// Config says whose tokens a Verifier accepts.
type Config struct {
	Cloud     Cloud
	Directory *Directory
	Versions  []Version
	AppID     string // has keys of its own if it maps claims
	Rules     jose.Rules
	Outbound  outbound.Settings
}

// A Verifier tells the access tokens of the accepted tenants from all others.
type Verifier struct {
	config Config
	keys   map[place]*keyset.Set
	now    func() time.Time
}

// place is where the keys of one version are, of a tenant or of all.
type place struct {
	version Version
	source  string
}

// NewVerifier returns a verifier. Nothing is fetched before Start.
func NewVerifier(config Config, logger *zap.Logger) (*Verifier, error) {
	v := &Verifier{config: config, keys: make(map[place]*keyset.Set), now: time.Now}
	for _, version := range config.Versions {
		for _, source := range config.Directory.Sources() {
			named := source
			if config.Directory.Shared != "" {
				named = TenantTemplate
			}
			metadata := &discovery.Config{
				Issuer:   config.Cloud.Issuer(version, named),
				URL:      config.Cloud.MetadataURL(version, source, config.AppID),
				Outbound: config.Outbound,
			}
			set, err := keyset.Acquire(keyset.Config{
				Issuer: metadata.Issuer, Discovery: metadata, Algorithms: algorithms, Outbound: config.Outbound,
			}, logger)
			if err != nil {
				return nil, errors.Join(fmt.Errorf("keys of tenant '%s': %w", source, err), v.Release())
			}
			v.keys[place{version, source}] = set
		}
	}
	return v, nil
}

// Start begins to fetch keys in the background.
func (v *Verifier) Start() {
	for _, set := range v.keys {
		set.Start()
	}
}

// Release gives the keys back.
func (v *Verifier) Release() error {
	var failed []error
	for _, set := range v.keys {
		failed = append(failed, set.Release())
	}
	return errors.Join(failed...)
}

// Generation grows when a key was removed or replaced: what was verified before
// has to be verified again.
func (v *Verifier) Generation() (sum uint64) {
	for _, set := range v.keys {
		sum += set.Generation()
	}
	return sum
}

// Read returns a token that is of an accepted tenant and good at this time, if
// its signature is. The error wraps ErrIssuer or ErrTenant where the token is
// somebody else's, jose.ErrNotCompact where it is no JSON Web Token, and
// otherwise says what is wrong with it.
func (v *Verifier) Read(compact string) (*Token, error) {
	parsed, err := jose.Parse(compact)
	if err != nil {
		return nil, err
	}
	issuer, _, err := parsed.String("iss")
	if err != nil {
		return nil, err
	}
	tenant, version, ok := v.config.Cloud.ParseIssuer(issuer)
	switch {
	case !ok:
		return nil, ErrIssuer
	case !v.config.Directory.Accepts(tenant):
		return nil, ErrTenant
	case !slices.Contains(v.config.Versions, version):
		return nil, ErrVersion
	}
	if err := v.config.Rules.Check(parsed, v.now()); err != nil {
		return nil, err
	}
	if err := jose.AccessTokenOnly(parsed); err != nil {
		return nil, err
	}
	token, err := newToken(parsed, tenant, version)
	if err != nil {
		return nil, err
	}
	token.Expires = v.config.Rules.Expires(parsed)
	return token, nil
}

// Verify returns nil if the token was signed by a key that may sign for its
// tenant, and an *auth.Unavailable if no such key can be had.
func (v *Verifier) Verify(ctx context.Context, t *Token) error {
	set := v.keys[place{t.Version, v.config.Directory.Source(t.Tenant)}]
	keys, err := set.Find(ctx, t.Alg, t.KeyID)
	if errors.Is(err, keyset.ErrUnavailable) {
		return &auth.Unavailable{RetryAfter: outbound.RetryAfter(err), Err: fmt.Errorf("looking for the keys of Entra ID: %w", err)}
	}
	if err != nil {
		return err
	}
	bound := make([]*keyset.Key, 0, len(keys))
	for _, key := range keys {
		if v.config.Cloud.AcceptsKeyOf(key.Issuer, t.Tenant) {
			bound = append(bound, key)
		}
	}
	if len(bound) == 0 {
		return ErrBinding
	}
	return t.Verify(bound)
}
