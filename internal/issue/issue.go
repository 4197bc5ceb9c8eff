// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package issue makes credentials: what every token API does, whatever it
// calls things. The store gets a digest; the secret is returned once, but for
// tokens that are derived, which can be shown again.
package issue

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/serverkey"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// Hex returns a new secret: prefix, then a number of random hexadecimal digits.
func Hex(prefix string, digits int) string {
	random := make([]byte, (digits+1)/2)
	rand.Read(random)
	return prefix + hex.EncodeToString(random)[:digits]
}

// Digest is what the store finds a secret by.
func Digest(secret string) []byte {
	digest := sha256.Sum256([]byte(secret))
	return digest[:]
}

// An Issuer issues into one store. It is safe for concurrent use.
type Issuer struct {
	store  tokenstore.Store
	keys   *serverkey.Keys
	logger *zap.Logger
	now    func() time.Time
}

// New returns an issuer for a store, with the server's keys. It logs nothing.
func New(store tokenstore.Store, keys *serverkey.Keys) *Issuer {
	return &Issuer{store: store, keys: keys, logger: zap.NewNop(), now: time.Now}
}

// FromContext returns an issuer for the store of the configuration that ctx
// belongs to. What it issues and revokes it logs as the module of ctx.
func FromContext(ctx caddy.Context) (*Issuer, error) {
	store, err := tokenstore.FromContext(ctx)
	if err != nil {
		return nil, fmt.Errorf("loading the store: %w", err)
	}
	issuer := New(store, serverkey.FromContext(ctx))
	issuer.logger = ctx.Logger()
	return issuer, nil
}

// Store returns the store that is issued into.
func (i *Issuer) Store() tokenstore.Store { return i.store }

// Issue adds a record for a secret, and returns it with its ID, Digest and,
// where c has none, Created filled in. With max > 0 the user has at most that
// many live records of the kind: one more is tokenstore.ErrLimit, or the oldest
// goes if evict says so. Errors are the store's.
func (i *Issuer) Issue(ctx context.Context, secret string, c tokenstore.Credential, max int, evict bool) (tokenstore.Credential, error) {
	c.Digest = Digest(secret)
	return i.create(ctx, c, max, evict)
}

func (i *Issuer) create(ctx context.Context, c tokenstore.Credential, max int, evict bool) (tokenstore.Credential, error) {
	c.ID = tokenstore.NewCredentialID()
	if c.Created.IsZero() {
		c.Created = i.now().UTC().Truncate(time.Microsecond)
	}
	if err := i.store.Create(ctx, c, max, evict); err != nil {
		return tokenstore.Credential{}, err
	}
	i.logger.Info("token created", Fields(&c)...)
	return c, nil
}

// Delete revokes records as the store's own Delete does.
func (i *Issuer) Delete(ctx context.Context, f tokenstore.Filter, digests ...[]byte) (int, error) {
	n, err := i.store.Delete(ctx, f, digests...)
	if err == nil && n > 0 {
		i.logger.Info("tokens revoked", zap.String("kind", f.Kind), zap.String("user_key", f.UserKey),
			zap.String("client", f.ClientID), zap.String("credential", f.ID), zap.Int("revoked", n))
	}
	return n, err
}

// Fields are what the log says of a record.
func Fields(c *tokenstore.Credential) []zap.Field {
	fields := []zap.Field{
		zap.String("credential", c.ID), zap.String("kind", c.Kind), zap.String("user_key", c.UserKey),
		zap.String("client", c.ClientID), zap.Strings("scopes", c.Scopes),
	}
	if !c.Expires.IsZero() {
		fields = append(fields, zap.Time("expires", c.Expires))
	}
	return fields
}

// StoreError returns the answer to an error of the store while something is
// issued for a user: an *auth.Failure if the user is gone or was disabled
// meanwhile, and an *auth.Unavailable otherwise.
func StoreError(err error) error {
	if errors.Is(err, tokenstore.ErrNotFound) {
		return &auth.Failure{Code: auth.CodeAuthenticationFailed, Detail: "User inactive or deleted.", Err: err}
	}
	return &auth.Unavailable{Err: err}
}
