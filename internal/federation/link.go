// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package federation

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"
	"golang.org/x/text/unicode/norm"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// bySubject returns the user of the store whose origin is issuer and subject.
// Nobody else is ever taken for that user, whatever the names are.
func (a *Accounts) bySubject(ctx context.Context, id *auth.Identity, issuer, subject string) (*auth.Identity, error) {
	user, err := a.store.UserByOrigin(ctx, issuer, subject)
	if errors.Is(err, tokenstore.ErrNotFound) && a.creates() {
		user, err = a.create(ctx, tokenstore.User{
			Name: id.ID, FullName: id.Name, Email: id.Email, Origin: issuer, OriginID: subject, Active: true,
		})
	}
	switch {
	case errors.Is(err, tokenstore.ErrNotFound):
		return nil, refuse(nil, ErrUnknownUser)
	case errors.Is(err, ErrNameTaken):
		return nil, refuse(nil, err)
	case err != nil:
		return nil, asUndecided(err)
	case !user.Active:
		return nil, refuse(users.Identity(user), ErrInactiveUser)
	}
	return users.Identity(user), nil
}

// byName returns the user of the configuration or of the store whose login name
// a claim is.
func (a *Accounts) byName(ctx context.Context, id *auth.Identity) (*auth.Identity, error) {
	get, err := Object(id.Claims)
	if err != nil {
		return nil, &auth.Failure{Code: "invalid_token", Detail: invalidToken, Err: err}
	}
	name, problem := get.identifier(a.Link)
	switch {
	case problem != "":
		return nil, badClaim(a.Link, problem)
	case name == "":
		return nil, badClaim(a.Link, "is missing")
	case a.Link == claimEmail && !isTrue(get.claim("email_verified")):
		return nil, refuse(nil, ErrUnverified)
	}
	// Of two names that an issuer tells apart, as alice and the same in full-width
	// letters, only one may be a user's. Composed letters are the same letters.
	canonical := users.Canonical(name)
	if norm.NFC.String(name) != canonical {
		return nil, refuse(nil, ErrLookalike)
	}
	name = canonical
	// A name that no user can have is not looked for: a store may not take it.
	if err := users.CheckLogin(name); err != nil {
		return nil, refuse(nil, err)
	}
	user, err := a.named(ctx, name)
	if err == nil || !a.creates() || !errors.Is(err, ErrUnknownUser) {
		return user, err
	}
	created, err := a.create(ctx, tokenstore.User{Name: name, FullName: id.Name, Email: id.Email, Active: true})
	if errors.Is(err, ErrNameTaken) {
		// Somebody else created the user at the same time.
		return a.named(ctx, name)
	}
	if err != nil {
		return nil, asUndecided(err)
	}
	return users.Identity(created), nil
}

// named returns the user who has that login name.
func (a *Accounts) named(ctx context.Context, name string) (*auth.Identity, error) {
	user, err := a.users.Named(ctx, name)
	switch {
	case errors.Is(err, users.ErrInactive):
		return nil, refuse(nil, ErrInactiveUser)
	case errors.Is(err, users.ErrUnknown):
		return nil, refuse(nil, ErrUnknownUser)
	}
	return user, err
}

// create adds a user to the store. Of those who create one user at once, one
// does and all get it, if it has an origin; a name that is taken by another is
// ErrNameTaken, and one that nobody can have an *auth.Failure.
func (a *Accounts) create(ctx context.Context, user tokenstore.User) (tokenstore.User, error) {
	user.Name = users.Canonical(user.Name)
	if err := users.CheckLogin(user.Name); err != nil {
		return tokenstore.User{}, refuse(nil, fmt.Errorf("creating the user: %w", err))
	}
	if a.users.Configured(user.Name) {
		return tokenstore.User{}, ErrNameTaken
	}
	if auth.DryRun(ctx) {
		switch _, err := a.store.UserByName(ctx, user.Name); {
		case err == nil:
			return tokenstore.User{}, ErrNameTaken
		case !errors.Is(err, tokenstore.ErrNotFound):
			return tokenstore.User{}, fmt.Errorf("looking for the user: %w", err)
		}
		user.Key = "store:new"
		return user, nil
	}
	created, err := a.store.PutUser(ctx, user)
	if errors.Is(err, tokenstore.ErrExists) {
		if user.Origin == "" {
			return tokenstore.User{}, ErrNameTaken
		}
		created, err = a.store.UserByOrigin(ctx, user.Origin, user.OriginID)
		if errors.Is(err, tokenstore.ErrNotFound) {
			return tokenstore.User{}, ErrNameTaken
		}
		return created, err
	}
	if err != nil {
		return tokenstore.User{}, fmt.Errorf("creating the user: %w", err)
	}
	a.logger.Info("user created", zap.String("user", created.Name), zap.String("user_key", created.Key))
	return created, nil
}

// asUndecided leaves a refusal as it is; every other error is the store's.
func asUndecided(err error) error {
	if failure, ok := errors.AsType[*auth.Failure](err); ok {
		return failure
	}
	if down, ok := errors.AsType[*auth.Unavailable](err); ok {
		return down
	}
	return undecided(err)
}
