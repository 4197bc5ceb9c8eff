// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"slices"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const (
	profileColumns = `u.name, u.email, u.full_name, u.origin, u.origin_id, u.password_hash,
		u.password_version, u.version, u.flags, u.groups, u.permissions, u.inherited`
	userColumns = profileColumns + `, u.key`
)

// Flags of a user.
const (
	active = 1 << iota
	staff
	superuser
)

func flags(u tokenstore.User) int64 {
	return active*flag(u.Active) | staff*flag(u.Staff) | superuser*flag(u.Superuser)
}

const (
	userByKey    = `SELECT ` + userColumns + ` FROM users u WHERE u.key = ?`
	userByName   = `SELECT ` + userColumns + ` FROM users u WHERE u.name = ?`
	userByOrigin = `SELECT ` + userColumns + ` FROM users u
		WHERE u.origin = ? AND u.origin_id = ? AND (u.origin <> '' OR u.origin_id <> '')`
	listUsers = `SELECT ` + userColumns + ` FROM users u WHERE u.name > ? ORDER BY u.name LIMIT ?`
)

// userRow reads the columns of a user that are not its own fields.
type userRow struct {
	flags                          int64
	groups, permissions, inherited []byte
}

func (r *userRow) dest(u *tokenstore.User) []any {
	return []any{
		&u.Name, &u.Email, &u.FullName, &u.Origin, &u.OriginID, &u.PasswordHash,
		&u.PasswordVersion, &u.Version, &r.flags, &r.groups, &r.permissions, &r.inherited,
	}
}

// finish decodes the rest of the row, with the permissions of the groups or
// without.
func (r *userRow) finish(u *tokenstore.User, inherit bool) (err error) {
	u.Active, u.Staff, u.Superuser = r.flags&active != 0, r.flags&staff != 0, r.flags&superuser != 0
	if u.Groups, err = decodeList[string](r.groups); err != nil {
		return err
	}
	if u.Permissions, err = decodeList[string](r.permissions); err != nil || !inherit {
		return err
	}
	if u.Inherited, err = decodeList[string](r.inherited); err != nil {
		return err
	}
	if len(u.Inherited) > 0 {
		u.Permissions = sorted(slices.Concat(u.Permissions, u.Inherited))
	}
	return nil
}

func (c *Conn) user(ctx context.Context, inherit bool, query string, args ...any) (u tokenstore.User, err error) {
	var row userRow
	found, err := c.Row(ctx, query, args, append(row.dest(&u), &u.Key)...)
	if err == nil && !found {
		err = tokenstore.ErrNotFound
	}
	if err == nil {
		err = row.finish(&u, inherit)
	}
	if err != nil {
		return tokenstore.User{}, err
	}
	return u, nil
}

func (o Ops) user(ctx context.Context, query string, args ...any) (u tokenstore.User, err error) {
	err = o.Engine.Read(ctx, func(conn *Conn) (err error) {
		u, err = conn.user(ctx, true, query, args...)
		return err
	})
	return u, err
}

// User is tokenstore.Store's.
func (o Ops) User(ctx context.Context, key string) (tokenstore.User, error) {
	return o.user(ctx, userByKey, key)
}

// UserByName is tokenstore.Store's.
func (o Ops) UserByName(ctx context.Context, name string) (tokenstore.User, error) {
	return o.user(ctx, userByName, name)
}

// UserByOrigin is tokenstore.Store's.
func (o Ops) UserByOrigin(ctx context.Context, origin, id string) (tokenstore.User, error) {
	return o.user(ctx, userByOrigin, origin, id)
}
