// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const (
	addGroup    = `INSERT INTO groups (name, permissions) VALUES (?, ?) ON CONFLICT (name) DO NOTHING`
	putGroup    = `INSERT INTO groups (name, permissions) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET permissions = excluded.permissions`
	getGroup    = `SELECT permissions FROM groups WHERE name = ?`
	listGroups  = `SELECT name, permissions FROM groups ORDER BY name`
	deleteGroup = `DELETE FROM groups WHERE name = ?`

	members         = `SELECT ` + userColumns + ` FROM memberships m JOIN users u ON u.key = m.user_key WHERE m.group_name = ?`
	addMembership   = `INSERT INTO memberships (group_name, user_key) VALUES (?, ?)`
	dropMemberships = `DELETE FROM memberships WHERE user_key = ?`
	dropMembers     = `DELETE FROM memberships WHERE group_name = ?`
	setGroups       = `UPDATE users SET groups = ?, inherited = ? WHERE key = ?`
)

// PutGroup is tokenstore.Store's.
func (o Ops) PutGroup(ctx context.Context, g tokenstore.Group) error {
	if g.Name == "" {
		return errors.New("storing a group without a name")
	}
	return o.Engine.Write(ctx, func(t *Tx) error {
		if _, err := t.Exec(ctx, putGroup, g.Name, encodeList(sorted(g.Permissions))); err != nil {
			return err
		}
		return t.regroup(ctx, g.Name, func(tokenstore.User) []string { return nil })
	})
}

// DeleteGroup is tokenstore.Store's.
func (o Ops) DeleteGroup(ctx context.Context, name string) error {
	return o.Engine.Write(ctx, func(t *Tx) error {
		err := t.regroup(ctx, name, func(u tokenstore.User) []string { return []string{name} })
		if err != nil {
			return err
		}
		if _, err := t.Exec(ctx, dropMembers, name); err != nil {
			return err
		}
		n, err := t.Exec(ctx, deleteGroup, name)
		if err == nil && n == 0 {
			return tokenstore.ErrNotFound
		}
		return err
	})
}

// Groups is tokenstore.Store's.
func (o Ops) Groups(ctx context.Context) (groups []tokenstore.Group, err error) {
	err = o.Engine.Read(ctx, func(conn *Conn) error {
		return conn.Rows(ctx, listGroups, nil, func(rows *sql.Rows) error {
			var g tokenstore.Group
			var permissions []byte
			if err := rows.Scan(&g.Name, &permissions); err != nil {
				return err
			}
			g.Permissions, err = decodeList[string](permissions)
			groups = append(groups, g)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return groups, nil
}

// regroup takes the members of a group out of the groups that leave names, and
// stores anew what they inherit from the others.
func (t *Tx) regroup(ctx context.Context, group string, leave func(tokenstore.User) []string) error {
	var users []tokenstore.User
	err := t.Rows(ctx, members, []any{group}, func(rows *sql.Rows) error {
		var u tokenstore.User
		var row userRow
		if err := rows.Scan(append(row.dest(&u), &u.Key)...); err != nil {
			return err
		}
		users = append(users, u)
		return row.finish(&users[len(users)-1], false)
	})
	if err != nil {
		return err
	}
	for _, u := range users {
		left := leave(u)
		u.Groups = slices.DeleteFunc(u.Groups, func(name string) bool { return slices.Contains(left, name) })
		inherited, err := t.inherited(ctx, u)
		if err != nil {
			return err
		}
		if _, err := t.Exec(ctx, setGroups, encodeList(u.Groups), encodeList(inherited), u.Key); err != nil {
			return err
		}
		t.changed(tokenstore.Change{UserKey: u.Key})
	}
	return nil
}

// inherited returns what the user's groups give and the user does not have.
func (t *Tx) inherited(ctx context.Context, u tokenstore.User) ([]string, error) {
	var all []string
	for _, group := range u.Groups {
		var encoded []byte
		if _, err := t.Row(ctx, getGroup, []any{group}, &encoded); err != nil {
			return nil, err
		}
		permissions, err := decodeList[string](encoded)
		if err != nil {
			return nil, err
		}
		for _, p := range permissions {
			if _, own := slices.BinarySearch(u.Permissions, p); !own {
				all = append(all, p)
			}
		}
	}
	return sorted(all), nil
}
