// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package users

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// ErrUnknown and ErrInactive are the causes of what Named returns.
var (
	ErrUnknown  = errNoUser
	ErrInactive = errInactive
)

// Named returns the user of that name, whom another program vouches for, as a
// new Identity whose Method the caller sets. For a user who is unknown or
// inactive the error wraps auth.ErrNoCredentials, since the request is
// nobody's then, and ErrUnknown or ErrInactive. It is an *auth.Unavailable if
// the store does not answer.
func (d *Directory) Named(ctx context.Context, name string) (*auth.Identity, error) {
	user, err := d.find(ctx, nil, Canonical(name))
	switch {
	case errors.Is(err, tokenstore.ErrNotFound):
		return nil, fmt.Errorf("%w: %w", auth.ErrNoCredentials, ErrUnknown)
	case err != nil:
		return nil, undecided(err)
	case !user.active:
		return nil, fmt.Errorf("%w: %w", auth.ErrNoCredentials, ErrInactive)
	}
	user.identity.Proof = "" // no password was verified
	return &user.identity, nil
}

// Create adds a user without a password to the store, and returns what Named
// then would. Of those who create one user at once, one does and all get it.
// A name that no user can have is an *auth.Failure.
func (d *Directory) Create(ctx context.Context, name string) (*auth.Identity, error) {
	name = Canonical(name)
	if err := CheckLogin(name); err != nil {
		return nil, &auth.Failure{Code: auth.CodeAuthenticationFailed, Err: fmt.Errorf("creating the user: %w", err)}
	}
	if auth.DryRun(ctx) {
		return Identity(tokenstore.User{Key: "store:new", Name: name, Active: true}), nil
	}
	user, err := d.store.PutUser(ctx, tokenstore.User{Name: name, Active: true})
	if errors.Is(err, tokenstore.ErrExists) {
		return d.Named(ctx, name)
	}
	if err != nil {
		return nil, undecided(fmt.Errorf("creating the user: %w", err))
	}
	d.logger.Info("user created", zap.String("user", user.Name), zap.String("user_key", user.Key))
	return Identity(user), nil
}

// CheckLogin returns why a canonical name cannot be a login name, if so.
func CheckLogin(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if strings.Contains(name, ":") {
		return errors.New("the name contains ':', which ends it in HTTP Basic authentication")
	}
	return nil
}

// CheckHash returns why a password hash could never be verified, if so.
func (d *Directory) CheckHash(encoded string) error { return d.hasher.Check(encoded) }
