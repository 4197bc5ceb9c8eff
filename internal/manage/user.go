// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"
	"errors"
	"net/http"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// A User is what the API says of a user. The password hash is not among it.
type User struct {
	Name        string   `json:"name"`
	Key         string   `json:"key"`
	Email       string   `json:"email,omitempty"`
	FullName    string   `json:"full_name,omitempty"`
	Active      bool     `json:"active"`
	Staff       bool     `json:"staff"`
	Superuser   bool     `json:"superuser"`
	Groups      []string `json:"groups"`
	Permissions []string `json:"permissions"` // the user's own

	// Inherited are those that the groups alone give. Only the answer for a
	// single user has them.
	Inherited []string `json:"inherited_permissions,omitempty"`

	HasPassword bool   `json:"has_password"`
	Origin      string `json:"origin,omitempty"`
	OriginID    string `json:"origin_id,omitempty"`
	Version     int64  `json:"version"`
}

// UserChange is what of a user an operator may set. Fields that are nil stay
// as they are; a new user's are empty, and Active is true.
type UserChange struct {
	Email       *string   `json:"email,omitempty"`
	FullName    *string   `json:"full_name,omitempty"`
	Active      *bool     `json:"active,omitempty"`
	Staff       *bool     `json:"staff,omitempty"`
	Superuser   *bool     `json:"superuser,omitempty"`
	Groups      *[]string `json:"groups,omitempty"`
	Permissions *[]string `json:"permissions,omitempty"`
}

// NewUser is a user to create. Without a password nobody can log in as the
// user, who may still own tokens.
type NewUser struct {
	Name     string  `json:"name"`
	Password *string `json:"password,omitempty"`
	UserChange
}

// ListUsers returns a page of users by name.
func (m *Manager) ListUsers(ctx context.Context, cursor string, limit int) ([]User, string, error) {
	page, next, err := m.Store.Users(ctx, cursor, limit)
	if err != nil {
		return nil, "", storeError("listing users", err)
	}
	users := make([]User, len(page))
	for i, u := range page {
		users[i] = describeUser(u)
	}
	return users, next, nil
}

// ShowUser returns the user of that name.
func (m *Manager) ShowUser(ctx context.Context, name string) (User, error) {
	u, err := m.findUser(ctx, name)
	if err != nil {
		return User{}, err
	}
	return describeUser(u), nil
}

// CreateUser adds a user.
func (m *Manager) CreateUser(ctx context.Context, in NewUser) (User, error) {
	name, err := checkUserName(in.Name)
	if err != nil {
		return User{}, err
	}
	if m.Directory.Configured(name) {
		return User{}, configured(name)
	}
	u := tokenstore.User{Name: name, Active: true}
	if err := in.apply(&u); err != nil {
		return User{}, err
	}
	if in.Password != nil {
		// A hash costs what a password guess costs, so a name that is taken is
		// told before.
		if _, err := m.Store.UserByName(ctx, name); err == nil {
			return User{}, taken(name)
		}
		if u.PasswordHash, err = m.hash(ctx, *in.Password); err != nil {
			return User{}, err
		}
	}
	u, err = m.Store.PutUser(ctx, u)
	if errors.Is(err, tokenstore.ErrExists) {
		return User{}, taken(name)
	}
	if err != nil {
		return User{}, storeError("creating the user", err)
	}
	m.audit("user created", userFields(u)...)
	return describeUser(u), nil
}

// ChangeUser sets what the change says. If version is not 0, it must be the
// user's current one.
func (m *Manager) ChangeUser(ctx context.Context, name string, version int64, change UserChange) (User, error) {
	u, err := m.edit(ctx, name, version, func(u *tokenstore.User) error {
		if err := change.apply(u); err != nil {
			return err
		}
		if change.Active == nil || *change.Active {
			return nil
		}
		if err := m.markDisabling(ctx, *u); err != nil {
			return storeError("disabling the user", err)
		}
		return nil
	})
	if err != nil {
		return User{}, err
	}
	if change.Active != nil && *change.Active {
		if err := m.unmarkDisabling(ctx, u); err != nil {
			return User{}, storeError("enabling the user", err)
		}
	}
	m.audit("user changed", userFields(u)...)
	return describeUser(u), nil
}

// SetPassword replaces the user's password, which ends what was issued for the
// old one, as sessions; API tokens live on. With nil the user has no password.
func (m *Manager) SetPassword(ctx context.Context, name string, version int64, password *string) (User, error) {
	if _, err := m.findUser(ctx, name); err != nil {
		return User{}, err
	}
	hash, action := "", "password removed"
	if password != nil {
		var err error
		if hash, err = m.hash(ctx, *password); err != nil {
			return User{}, err
		}
		action = "password set"
	}
	u, err := m.edit(ctx, name, version, func(u *tokenstore.User) error {
		u.PasswordHash = hash
		return nil
	})
	if err != nil {
		return User{}, err
	}
	m.audit(action, zap.String("user", u.Name), zap.String("user_key", u.Key))
	return describeUser(u), nil
}

// DeleteUser removes the user and everything that was issued to it.
func (m *Manager) DeleteUser(ctx context.Context, name string) error {
	u, err := m.findUser(ctx, name)
	if err != nil {
		return err
	}
	if err := m.markDeletion(ctx, u); err != nil {
		return storeError("deleting the user", err)
	}
	if err := m.Store.DeleteUser(ctx, u.Key); errors.Is(err, tokenstore.ErrNotFound) {
		return m.noUser(name)
	} else if err != nil {
		return storeError("deleting the user", err)
	}
	m.audit("user deleted", zap.String("user", u.Name), zap.String("user_key", u.Key))
	return nil
}

func (m *Manager) hash(ctx context.Context, password string) (string, error) {
	if err := checkPassword(password); err != nil {
		return "", err
	}
	hash, err := m.Hasher.Hash(ctx, password)
	if err != nil {
		return "", &Error{Status: http.StatusServiceUnavailable, Text: "hashing the password: " + err.Error(), Err: err}
	}
	return hash, nil
}

func (c UserChange) apply(u *tokenstore.User) (err error) {
	if c.Email != nil {
		if err := checkEmail(*c.Email); err != nil {
			return err
		}
		u.Email = *c.Email
	}
	if c.FullName != nil {
		if err := checkText("full_name", *c.FullName, 0, maxFullName); err != nil {
			return err
		}
		u.FullName = *c.FullName
	}
	if c.Groups != nil {
		if u.Groups, err = checkGroups("groups", *c.Groups); err != nil {
			return err
		}
	}
	if c.Permissions != nil {
		if u.Permissions, err = checkPermissions(*c.Permissions); err != nil {
			return err
		}
		u.Inherited = nil
	}
	setIf(&u.Active, c.Active)
	setIf(&u.Staff, c.Staff)
	setIf(&u.Superuser, c.Superuser)
	return nil
}

func setIf(to, from *bool) {
	if from != nil {
		*to = *from
	}
}
