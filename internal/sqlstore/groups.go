// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"bytes"
	"context"
	"errors"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const (
	addGroup    = `INSERT INTO groups (name, permissions) VALUES (?, ?) ON CONFLICT (name) DO NOTHING`
	putGroup    = `INSERT INTO groups (name, permissions) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET permissions = excluded.permissions`
	getGroup    = `SELECT permissions FROM groups WHERE name = ?`
	getGroups   = `SELECT name, permissions FROM groups WHERE name IN `
	listGroups  = `SELECT name, permissions FROM groups ORDER BY name`
	deleteGroup = `DELETE FROM groups WHERE name = ?`
	dropMembers = `DELETE FROM memberships WHERE group_name = ?`
)

// PutGroup is tokenstore.Store's.
func (o Ops) PutGroup(ctx context.Context, g tokenstore.Group) error {
	if g.Name == "" {
		return errors.New("storing a group without a name")
	}
	if err := within(g.Name); err != nil {
		return err
	}
	permissions := sorted(g.Permissions)
	encoded := encodeList(permissions)
	return o.Engine.Write(ctx, func(t *Tx) error {
		var old []byte
		exists, err := t.Row(ctx, getGroup, []any{g.Name}, &old)
		if err != nil || exists && bytes.Equal(old, encoded) {
			return err
		}
		t.unlearn(g.Name)
		if _, err := t.Exec(ctx, putGroup, g.Name, encoded); err != nil || !exists {
			return err // a group that is new has no members
		}
		return t.regroup(ctx, g.Name, false)
	})
}

// DeleteGroup is tokenstore.Store's.
func (o Ops) DeleteGroup(ctx context.Context, name string) error {
	return o.Engine.Write(ctx, func(t *Tx) error {
		t.unlearn(name)
		if err := t.regroup(ctx, name, true); err != nil {
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
		groups = nil
		return conn.Rows(ctx, listGroups, nil, func(row Scanner) error {
			var g tokenstore.Group
			var permissions []byte
			if err := row.Scan(&g.Name, &permissions); err != nil {
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
