// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// editAttempts bounds how often an edit starts again because somebody else
// changed the user in between.
const editAttempts = 10

// findUser returns the user of that name as it is stored, and otherwise of its
// canonical form, so that a name which an import brought can be managed too.
func (m *Manager) findUser(ctx context.Context, name string) (tokenstore.User, error) {
	u, err := m.Store.UserByName(ctx, name)
	if form := users.Canonical(name); errors.Is(err, tokenstore.ErrNotFound) && form != name {
		u, err = m.Store.UserByName(ctx, form)
	}
	if errors.Is(err, tokenstore.ErrNotFound) {
		return tokenstore.User{}, m.noUser(name)
	}
	if err != nil {
		return tokenstore.User{}, storeError("reading the user", err)
	}
	return u, nil
}

func (m *Manager) noUser(name string) *Error {
	if m.Directory.Configured(users.Canonical(name)) {
		return refuse(http.StatusNotFound,
			"user '%s' is in the configuration, not in the store; it is changed there", name)
	}
	return refuse(http.StatusNotFound, "there is no user '%s'", name)
}

func configured(name string) *Error {
	return refuse(http.StatusConflict,
		"user '%s' is in the configuration; the store cannot have a user of that name", name)
}

func taken(name string) *Error {
	return refuse(http.StatusConflict, "there is a user '%s' already", name)
}

// edit applies change to the newest version of the user, or to none but the
// given version if it is not 0.
func (m *Manager) edit(ctx context.Context, name string, version int64, change func(*tokenstore.User) error) (tokenstore.User, error) {
	for range editAttempts {
		u, err := m.findUser(ctx, name)
		if err != nil {
			return tokenstore.User{}, err
		}
		if version != 0 && version != u.Version {
			return tokenstore.User{}, refuse(http.StatusPreconditionFailed,
				"user '%s' was changed since version %d; it is at version %d", name, version, u.Version)
		}
		if err := change(&u); err != nil {
			return tokenstore.User{}, err
		}
		stored, err := m.Store.PutUser(ctx, u)
		if errors.Is(err, tokenstore.ErrStale) {
			continue
		}
		if errors.Is(err, tokenstore.ErrNotFound) {
			return tokenstore.User{}, m.noUser(name)
		}
		if err != nil {
			return tokenstore.User{}, storeError("changing the user", err)
		}
		return stored, nil
	}
	return tokenstore.User{}, refuse(http.StatusConflict, "user '%s' keeps being changed by others; try again", name)
}

func describeUser(u tokenstore.User) User {
	own := slices.DeleteFunc(slices.Clone(u.Permissions), func(p string) bool {
		return slices.Contains(u.Inherited, p)
	})
	return User{
		Name: u.Name, Key: u.Key, Email: u.Email, FullName: u.FullName,
		Active: u.Active, Staff: u.Staff, Superuser: u.Superuser,
		Groups: list(u.Groups), Permissions: list(own), Inherited: u.Inherited,
		HasPassword: u.PasswordHash != "", Origin: u.Origin, OriginID: u.OriginID, Version: u.Version,
	}
}

// userFields are what the log says of a user: all that gives it rights.
func userFields(u tokenstore.User) []zap.Field {
	return []zap.Field{
		zap.String("user", u.Name), zap.String("user_key", u.Key),
		zap.Bool("active", u.Active), zap.Bool("staff", u.Staff), zap.Bool("superuser", u.Superuser),
		zap.Strings("groups", u.Groups), zap.Strings("permissions", u.Permissions),
	}
}

// list is never nil, so that JSON has an empty array and not null.
func list(of []string) []string {
	if of == nil {
		return []string{}
	}
	return of
}
