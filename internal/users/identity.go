// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package users

import (
	"context"
	"errors"
	"strconv"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// Identity returns a new identity of a user of the store, with the permissions
// that the user was read with. The caller adds what belongs to the credential.
func Identity(u tokenstore.User) *auth.Identity {
	return &auth.Identity{
		ID:          u.Name,
		Key:         u.Key,
		Source:      SourceStore,
		Name:        u.FullName,
		Email:       u.Email,
		Staff:       u.Staff,
		Superuser:   u.Superuser,
		Groups:      u.Groups,
		Permissions: u.Permissions,
	}
}

// passwordIdentity is the Identity of a user who gave the password, whose
// version is the proof: it stays over a rehash of the same password.
func passwordIdentity(u tokenstore.User) *auth.Identity {
	id := Identity(u)
	id.Proof = "v" + strconv.FormatInt(u.PasswordVersion, 10)
	return id
}

// Recheck returns an identity that Authenticate returned as it is now, at the
// cost of one read of the user. It returns auth.ErrChanged if the password has
// to be verified again, since it changed or the name is another user's now, an
// *auth.Failure if the user is gone or inactive, and an *auth.Unavailable if
// the store does not answer.
func (d *Directory) Recheck(ctx context.Context, id *auth.Identity) (*auth.Identity, error) {
	return d.RecheckBeside(ctx, nil, id)
}

// RecheckBeside is Recheck for what AuthenticateBeside returned.
func (d *Directory) RecheckBeside(ctx context.Context, roster Roster, id *auth.Identity) (*auth.Identity, error) {
	now, err := d.current(ctx, roster, id)
	if err != nil {
		return nil, err
	}
	if !now.active {
		return nil, refused(&now.identity, errInactive)
	}
	if now.identity.Proof != id.Proof || now.identity.ID != id.ID {
		return nil, auth.ErrChanged
	}
	now.identity.Method = id.Method
	return &now.identity, nil
}

func (d *Directory) current(ctx context.Context, roster Roster, id *auth.Identity) (account, error) {
	user, configured := d.configured[id.ID]
	if configured != (id.Source == SourceConfig) {
		return account{}, auth.ErrChanged
	}
	if configured {
		return user, nil
	}
	if roster != nil {
		user, ok, err := listed(roster, id.ID)
		switch {
		case err != nil:
			return account{}, undecided(err)
		case ok != (id.Source == SourceHtpasswd):
			return account{}, auth.ErrChanged
		case ok:
			return user, nil
		}
	}
	stored, err := d.store.User(ctx, id.Key)
	if errors.Is(err, tokenstore.ErrNotFound) {
		return account{}, refused(nil, errNoUser)
	}
	if err != nil {
		return account{}, undecided(err)
	}
	return account{identity: *passwordIdentity(stored), active: stored.Active}, nil
}
