// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"slices"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const (
	memberPage = `SELECT u.key, u.groups, u.permissions
		FROM memberships m JOIN users u ON u.key = m.user_key WHERE m.group_name = ? AND m.user_key > ? ORDER BY m.user_key LIMIT ?`
	regroupAll = `UPDATE users SET groups = ?, inherited = ? WHERE key IN `
	memberKeys = `SELECT m.user_key FROM memberships m WHERE m.group_name = ? LIMIT ?`

	addMemberships  = `INSERT INTO memberships (group_name, user_key) VALUES `
	dropMemberships = `DELETE FROM memberships WHERE user_key = ?`
)

// membersAtOnce is how many members are read before they are changed.
const membersAtOnce = 10_000

// atOnce are the numbers of users that one statement changes.
var atOnce = []int{1, maxRows, 16 * maxRows}

// A sort is what the inheritance of a user follows from, encoded. Many members of a
// group are alike in it.
type sort struct{ groups, permissions string }

// regroup stores anew what the members of a group inherit, and takes them out of
// it if they leave.
func (t *Tx) regroup(ctx context.Context, group string, leave bool) error {
	if err := t.reportMembers(ctx, group); err != nil {
		return err
	}
	for after := ""; ; {
		alike := make(map[sort][]any)
		n := 0
		err := t.Rows(ctx, memberPage, []any{group, after, membersAtOnce}, func(row Scanner) error {
			var groups, permissions []byte
			if err := row.Scan(&after, &groups, &permissions); err != nil {
				return err
			}
			of := sort{string(groups), string(permissions)}
			alike[of] = append(alike[of], after)
			n++
			return nil
		})
		if err != nil {
			return err
		}
		for of, keys := range alike {
			groups, inherited, err := t.regrouped(ctx, of, group, leave)
			if err != nil {
				return err
			}
			if err := t.setGroups(ctx, groups, inherited, keys); err != nil {
				return err
			}
		}
		if n < membersAtOnce {
			return nil
		}
	}
}

// setGroups stores the same for several users. Who is named twice is changed once,
// so that few sizes of a statement suffice.
func (t *Tx) setGroups(ctx context.Context, groups, inherited []byte, keys []any) error {
	for some := range slices.Chunk(keys, atOnce[len(atOnce)-1]) {
		size := atOnce[0]
		for _, size = range atOnce {
			if size >= len(some) {
				break
			}
		}
		args := append(make([]any, 0, 2+size), groups, inherited)
		args = append(args, some...)
		for len(args) < 2+size {
			args = append(args, some[0])
		}
		if _, err := t.Exec(ctx, regroupAll+tuple(size), args...); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tx) reportMembers(ctx context.Context, group string) error {
	return t.Rows(ctx, memberKeys, []any{group, MaxReported + 1}, func(row Scanner) error {
		var key string
		err := row.Scan(&key)
		t.changed(tokenstore.Change{UserKey: key})
		return err
	})
}

// regrouped returns the groups of a sort of members, without one that it leaves, and what
// they give.
func (t *Tx) regrouped(ctx context.Context, of sort, group string, leave bool) (groups, inherited []byte, err error) {
	names, err := decodeList[string]([]byte(of.groups))
	if err != nil {
		return nil, nil, err
	}
	own, err := decodeList[string]([]byte(of.permissions))
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
