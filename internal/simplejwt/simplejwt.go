// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package simplejwt makes and reads the tokens of djangorestframework-simplejwt:
// access, refresh and sliding tokens with its claims, its settings and, to the
// letter, its words for what is wrong with one.
package simplejwt

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/revocation"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/signing"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// Ring is the name of the generated signing keys.
const Ring = "simplejwt"

// Origin is where users and tokens of a Django project come from.
const Origin = "django"

// An Error says what is wrong with a token, in simplejwt's words, which are
// for clients.
type Error struct {
	Message string
	Err     error // is only logged
}

func (e *Error) Error() string {
	if e.Err == nil {
		return e.Message
	}
	return e.Message + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// What simplejwt says of tokens.
const (
	Invalid     = "Token is invalid"
	Expired     = "Token is expired"
	Blacklisted = "Token is blacklisted"
	NoID        = "Token has no id"
	NoType      = "Token has no type"
	WrongType   = "Token has wrong type"
)

// A Provider is the app that owns the settings of a configuration.
type Provider interface {
	SimpleJWTSettings() *Settings
}

// A Codec writes and reads the tokens of a site. It is safe for concurrent use.
type Codec struct {
	settings Settings
	keys     keys
	store    tokenstore.Store
	users    *users.Directory
	revoked  *revocation.List
	now      func() time.Time
}

// FromContext returns the codec of these settings. They are completed in place:
// what they do not say comes from the app, and then from simplejwt's defaults;
// placeholders are resolved. It asks neither the store nor the network. The
// codec is to be closed.
func FromContext(ctx caddy.Context, settings *Settings) (*Codec, error) {
	app, err := ctx.App("rest_auth")
	if err != nil {
		return nil, err
	}
	var defaults *Settings
	if provider, ok := app.(Provider); ok {
		defaults = provider.SimpleJWTSettings()
	}
	if err := settings.complete(defaults); err != nil {
		return nil, err
	}
	c := &Codec{settings: *settings, now: time.Now}
	if c.store, err = tokenstore.FromContext(ctx); err != nil {
		return nil, fmt.Errorf("loading the store: %w", err)
	}
	if c.users, err = users.FromContext(ctx); err != nil {
		return nil, fmt.Errorf("loading the users: %w", err)
	}
	if c.revoked, err = revocation.FromContext(ctx); err != nil {
		return nil, fmt.Errorf("loading the revocations: %w", err)
	}
	rings, err := signing.FromContext(ctx)
	if err != nil {
		return nil, fmt.Errorf("loading the signing keys: %w", err)
	}
	if c.keys, err = newKeys(settings, rings, ctx.Logger()); err != nil {
		return nil, err
	}
	if err := startLater(ctx, c.keys); err != nil {
		return nil, errors.Join(err, c.keys.close())
	}
	return c, nil
}

// Close releases the keys.
func (c *Codec) Close() error {
	if c.keys == nil {
		return nil
	}
	return c.keys.close()
}

// Settings returns the settings, complete.
func (c *Codec) Settings() *Settings { return &c.settings }

// Generation grows whenever a key was taken away: what it signed and somebody
// remembers is good no more.
func (c *Codec) Generation() uint64 { return c.keys.generation() }

// JWKS returns the public keys as a key set, or nil where tokens are signed with
// a secret or by others.
func (c *Codec) JWKS(ctx context.Context) ([]byte, error) {
	set, err := c.keys.publish(ctx)
	return set, unavailable(err)
}

// Publishes reports whether there are public keys.
func (c *Codec) Publishes() bool { return c.keys.publishes() }

// Signs reports whether tokens can be made, and not only read.
func (c *Codec) Signs() bool { return c.keys.signs() }

// unavailable returns the answer to an error of the storage, the store or the
// server that has the keys.
func unavailable(err error) error {
	if err == nil {
		return nil
	}
	if _, known := errors.AsType[*auth.Unavailable](err); known {
		return err
	}
	return &auth.Unavailable{RetryAfter: time.Second, Err: err}
}

// verifying are the keys that may have signed a token.
type verifying = []*keyset.Key
