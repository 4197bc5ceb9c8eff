// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package users

import (
	"math"
	"strconv"
	"strings"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// configPrefix begins the keys of the users of a configuration.
const configPrefix = SourceConfig + ":"

// Holder returns whom a record was issued to, as it was looked up together with
// its user: a new identity without what belongs to the credential, or an empty
// one if the record stands for no user. It returns an *auth.Failure if that user
// is not there any more or is inactive.
func (d *Directory) Holder(record *tokenstore.Credential, user tokenstore.User) (*auth.Identity, error) {
	name, configured := strings.CutPrefix(record.UserKey, configPrefix)
	switch {
	case record.UserKey == "":
		return new(auth.Identity), nil
	case configured:
		holder, ok := d.configured[name]
		if !ok {
			return nil, refused(nil, errNoUser)
		}
		// The directory keeps its own: the caller fills in the credential's.
		id := holder.identity
		if !holder.active {
			return nil, refused(&id, errInactive)
		}
		return &id, nil
	// A record whose user is missing must not pass for one without a user.
	case record.UserKey != user.Key:
		return nil, refused(nil, errNoUser)
	case !user.Active:
		return nil, refused(Identity(user), tokenstore.ErrInactive)
	}
	return Identity(user), nil
}

// PasswordVersion returns which password of the user an identity that
// Authenticate returned was proved by, for the PasswordVersion of a record. It
// is 0 for users who are not of the store.
func PasswordVersion(id *auth.Identity) int64 {
	if id.Source != SourceStore {
		return 0
	}
	version, err := strconv.ParseInt(strings.TrimPrefix(id.Proof, "v"), 10, 64)
	if err != nil || version < 1 {
		// A version that no password has: the record is dead, not bound to none.
		return math.MaxInt64
	}
	return version
}
