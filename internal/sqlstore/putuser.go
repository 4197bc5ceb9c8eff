// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const (
	nameTaken = `SELECT count(*) FROM users u WHERE u.key <> ?
		AND (u.name = ? OR u.origin = ? AND u.origin_id = ? AND (u.origin <> '' OR u.origin_id <> ''))`
	addUser = `INSERT INTO users (name, email, full_name, origin, origin_id, password_hash, password_version, version,
			flags, groups, permissions, inherited, key)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
	replaceUser = `UPDATE users SET name = ?, email = ?, full_name = ?, origin = ?, origin_id = ?, password_hash = ?,
			password_version = ?, version = ?, flags = ?, groups = ?, permissions = ?, inherited = ?
		WHERE key = ?`
	rehash     = `UPDATE users SET password_hash = ?, version = version + 1 WHERE key = ? AND password_hash = ?`
	userExists = `SELECT count(*) FROM users WHERE key = ?`
	deleteUser = `DELETE FROM users WHERE key = ?`
	ofUser     = ` AND c.user_key = ? AND c.user_key <> ''`
)

// Users is tokenstore.Store's.
func (o Ops) Users(ctx context.Context, cursor string, n int) (page []tokenstore.User, next string, err error) {
	after, err := parseCursor(userCursors, cursor)
	if err != nil {
		return nil, "", err
	}
	n = clamp(n)
	err = o.Engine.Read(ctx, func(conn *Conn) error {
		page = nil
		return conn.Rows(ctx, listUsers, []any{after, n + 1}, func(scanner Scanner) error {
			var u tokenstore.User
			var row userRow
			if err := scanner.Scan(append(row.dest(&u), &u.Key)...); err != nil {
				return err
			}
			page = append(page, u)
			return row.finish(&page[len(page)-1], false)
		})
	})
	if err != nil {
		return nil, "", err
	}
	if len(page) > n {
		page = page[:n]
		next = newCursor(userCursors, page[n-1].Name)
	}
	return page, next, nil
}

// PutUser is tokenstore.Store's.
func (o Ops) PutUser(ctx context.Context, u tokenstore.User) (stored tokenstore.User, err error) {
	if u.Name == "" || slices.Contains(u.Groups, "") {
		return tokenstore.User{}, errors.New("storing a user or a group without a name")
	}
	own := slices.DeleteFunc(slices.Clone(u.Permissions), func(p string) bool { return slices.Contains(u.Inherited, p) })
	u.Groups, u.Permissions, u.Inherited = sorted(u.Groups), sorted(own), nil
	if err := within(append([]string{u.Key, u.Name, u.Origin, u.OriginID}, u.Groups...)...); err != nil {
		return tokenstore.User{}, err
	}
	if tokenstore.IsForeign(u.Key) {
		return tokenstore.User{}, errors.New("storing a user of another source")
	}
	created := u.Key == ""
	if created {
		u.Key = tokenstore.NewUserKey(time.Now())
	}
	err = o.Engine.Write(ctx, func(t *Tx) (err error) {
		stored, err = t.putUser(ctx, u, created)
		return err
	})
	if err != nil {
		return tokenstore.User{}, err
	}
	return stored, nil
}

// putUser stores u. Unnamed says that its key was made for it, so that nobody has
// it and a version cannot belong to it.
func (t *Tx) putUser(ctx context.Context, u tokenstore.User, unnamed bool) (tokenstore.User, error) {
	var old tokenstore.User
	exists := false
	if !unnamed {
		var err error
		old, err = t.user(ctx, false, userByKey, u.Key)
		if err != nil && !errors.Is(err, tokenstore.ErrNotFound) {
			return u, err
		}
		exists = err == nil
	}
	switch {
	case u.Version == 0 && exists:
		return u, tokenstore.ErrExists
	case u.Version != 0 && !exists:
		return u, tokenstore.ErrNotFound
	case u.Version != old.Version:
		return u, tokenstore.ErrStale
	}
	if exists && u.PasswordVersion == old.PasswordVersion && u.PasswordHash != old.PasswordHash {
		u.PasswordVersion++
	}
	u.PasswordVersion = max(u.PasswordVersion, 1)
	u.Version = old.Version + 1
	given, err := t.permissions(ctx, u.Groups)
	if err != nil {
		return u, err
	}
	fields := []any{
		u.Name, u.Email, u.FullName, u.Origin, u.OriginID, u.PasswordHash, u.PasswordVersion, u.Version, flags(u),
		encodeList(u.Groups), encodeList(u.Permissions), encodeList(inherit(u.Permissions, given)), u.Key,
	}
	if exists {
		err = t.replaceUser(ctx, old, u, fields)
	} else {
		err = t.addUser(ctx, fields)
	}
	if err != nil {
		return u, err
	}
	t.changed(tokenstore.Change{UserKey: u.Key})
	if slices.Equal(old.Groups, u.Groups) {
		return u, nil
	}
	for _, group := range u.Groups {
		if _, known := given[group]; known {
			continue
		}
		if _, err := t.Exec(ctx, addGroup, group, blob(nil)); err != nil {
			return u, err
		}
		t.learn(group, nil)
	}
	return u, t.enrol(ctx, u, !exists)
}

func (t *Tx) addUser(ctx context.Context, fields []any) error {
	n, err := t.Exec(ctx, addUser, fields...)
	if err == nil && n == 0 {
		return tokenstore.ErrExists
	}
	return err
}

func (t *Tx) replaceUser(ctx context.Context, old, u tokenstore.User, fields []any) error {
	if u.Name != old.Name || u.Origin != old.Origin || u.OriginID != old.OriginID {
		var taken int
		if _, err := t.Row(ctx, nameTaken, []any{u.Key, u.Name, u.Origin, u.OriginID}, &taken); err != nil {
			return err
		}
		if taken > 0 {
			return tokenstore.ErrExists
		}
	}
	_, err := t.Exec(ctx, replaceUser, fields...)
	return err
}

// Rehash is tokenstore.Store's.
func (o Ops) Rehash(ctx context.Context, key, old, new string) error {
	return o.Engine.Write(ctx, func(t *Tx) error {
		n, err := t.Exec(ctx, rehash, new, key, old)
		if err != nil {
			return err
		}
		if n > 0 {
			t.changed(tokenstore.Change{UserKey: key})
			return nil
		}
		var exists int
		if _, err := t.Row(ctx, userExists, []any{key}, &exists); err != nil {
			return err
		}
		if exists == 0 {
			return tokenstore.ErrNotFound
		}
		return tokenstore.ErrStale
	})
}

// DeleteUser is tokenstore.Store's.
func (o Ops) DeleteUser(ctx context.Context, key string) error {
	return o.Engine.Write(ctx, func(t *Tx) error {
		if _, err := t.revokeAll(ctx, tokenstore.Change{UserKey: key}, ofUser, key); err != nil {
			return err
		}
		if _, err := t.Exec(ctx, dropMemberships, key); err != nil {
			return err
		}
		n, err := t.Exec(ctx, deleteUser, key)
		if err == nil && n == 0 {
			return tokenstore.ErrNotFound
		}
		t.changed(tokenstore.Change{UserKey: key})
		return err
	})
}
