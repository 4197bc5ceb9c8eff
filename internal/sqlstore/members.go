// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"slices"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const (
	// What a user inherits follows from its groups and its own permissions. Many
	// members of a group are alike in both.
	alikes = `SELECT DISTINCT u.groups, u.permissions
		FROM memberships m JOIN users u ON u.key = m.user_key WHERE m.group_name = ? LIMIT ?`
	regroupAlike = `UPDATE users SET groups = ?, inherited = ? WHERE groups = ? AND permissions = ?
		AND key IN (SELECT m.user_key FROM memberships m WHERE m.group_name = ?)`

	memberPage = `SELECT u.key, u.groups, u.permissions
		FROM memberships m JOIN users u ON u.key = m.user_key WHERE m.group_name = ? AND m.user_key > ? ORDER BY m.user_key LIMIT ?`
	regroupOne = `UPDATE users SET groups = ?, inherited = ? WHERE key = ?`
	memberKeys = `SELECT m.user_key FROM memberships m WHERE m.group_name = ? LIMIT ?`

	addMemberships  = `INSERT INTO memberships (group_name, user_key) VALUES `
	dropMemberships = `DELETE FROM memberships WHERE user_key = ?`
)

const (
	// maxAlikes is up to how many sorts of members one statement for each is
	// less work than one for each member.
	maxAlikes = 16

	// membersAtOnce is how many members are read before they are changed.
	membersAtOnce = 1000
)

// member is what the inheritance of a user follows from, encoded.
type member struct {
	key                 string
	groups, permissions []byte
}

// regroup stores anew what the members of a group inherit, and takes them out of
// it if they leave.
func (t *Tx) regroup(ctx context.Context, group string, leave bool) error {
	if err := t.reportMembers(ctx, group); err != nil {
		return err
	}
	sorts, err := t.members(ctx, alikes, []any{group, maxAlikes + 1}, false)
	if err != nil {
		return err
	}
	if len(sorts) <= maxAlikes {
		for _, m := range sorts {
			groups, inherited, err := t.regrouped(ctx, m, group, leave)
			if err != nil {
				return err
			}
			if _, err := t.Exec(ctx, regroupAlike, groups, inherited, blob(m.groups), blob(m.permissions), group); err != nil {
				return err
			}
		}
		return nil
	}
	for after := ""; ; {
		page, err := t.members(ctx, memberPage, []any{group, after, membersAtOnce}, true)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, m := range page {
			groups, inherited, err := t.regrouped(ctx, m, group, leave)
			if err != nil {
				return err
			}
			if _, err := t.Exec(ctx, regroupOne, groups, inherited, m.key); err != nil {
				return err
			}
		}
		after = page[len(page)-1].key
	}
}

func (t *Tx) reportMembers(ctx context.Context, group string) error {
	return t.Rows(ctx, memberKeys, []any{group, MaxReported + 1}, func(row Scanner) error {
		var key string
		err := row.Scan(&key)
		t.changed(tokenstore.Change{UserKey: key})
		return err
	})
}

func (t *Tx) members(ctx context.Context, query string, args []any, keyed bool) (found []member, err error) {
	err = t.Rows(ctx, query, args, func(row Scanner) error {
		var m member
		dest := []any{&m.groups, &m.permissions}
		if keyed {
			dest = append([]any{&m.key}, dest...)
		}
		err := row.Scan(dest...)
		found = append(found, m)
		return err
	})
	return found, err
}

// regrouped returns the groups of a member, without one that it leaves, and what
// they give.
func (t *Tx) regrouped(ctx context.Context, m member, group string, leave bool) (groups, inherited []byte, err error) {
	names, err := decodeList[string](m.groups)
	if err != nil {
		return nil, nil, err
	}
	own, err := decodeList[string](m.permissions)
	if err != nil {
		return nil, nil, err
	}
	if leave {
		names = slices.DeleteFunc(names, func(name string) bool { return name == group })
	}
	given, err := t.permissions(ctx, names)
	if err != nil {
		return nil, nil, err
	}
	return encodeList(names), encodeList(inherit(own, given)), nil
}

// inherit returns what groups give and a user, whose own permissions are sorted,
// does not have.
func inherit(own []string, given map[string][]string) []string {
	var all []string
	for _, permissions := range given {
		for _, p := range permissions {
			if _, has := slices.BinarySearch(own, p); !has {
				all = append(all, p)
			}
		}
	}
	return sorted(all)
}

// enrol makes the memberships of the user those that it names. Fresh says that it
// has none yet.
func (t *Tx) enrol(ctx context.Context, u tokenstore.User, fresh bool) error {
	if !fresh {
		if _, err := t.Exec(ctx, dropMemberships, u.Key); err != nil {
			return err
		}
	}
	for some := range slices.Chunk(u.Groups, maxRows) {
		args := make([]any, 0, 2*maxRows)
		for _, group := range some {
			args = append(args, group, u.Key)
		}
		if _, err := t.Exec(ctx, addMemberships+tuples(len(some)), args...); err != nil {
			return err
		}
	}
	return nil
}
