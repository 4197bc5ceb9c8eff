// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package memory

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func (o ops) PutGroup(ctx context.Context, g tokenstore.Group) error {
	if g.Name == "" {
		return errors.New("storing a group without a name")
	}
	if tooLong(g.Name) {
		return tokenstore.ErrTooLarge
	}
	permissions := sorted(slices.Clone(g.Permissions))
	return o.write(ctx, func(s *state) error {
		old, exists := s.groups[g.Name]
		if exists && slices.Equal(old, permissions) {
			return nil
		}
		put(s, s.groups, g.Name, permissions)
		if !exists {
			return nil // it has no members
		}
		for key, u := range s.people {
			if slices.Contains(u.Groups, g.Name) {
				s.changed(tokenstore.Change{UserKey: key})
			}
		}
		return nil
	})
}

func (o ops) Groups(ctx context.Context) (groups []tokenstore.Group, err error) {
	err = o.read(ctx, func(s *state) error {
		for _, name := range slices.Sorted(maps.Keys(s.groups)) {
			groups = append(groups, tokenstore.Group{Name: name, Permissions: slices.Clone(s.groups[name])})
		}
		return nil
	})
	return groups, err
}

func (o ops) DeleteGroup(ctx context.Context, name string) error {
	return o.write(ctx, func(s *state) error {
		if _, ok := s.groups[name]; !ok {
			return tokenstore.ErrNotFound
		}
		drop(s, s.groups, name)
		for key, u := range s.people {
			if i := slices.Index(u.Groups, name); i >= 0 {
				u = copiedUser(u)
				u.Groups = slices.Delete(u.Groups, i, i+1)
				put(s, s.people, key, u)
				s.changed(tokenstore.Change{UserKey: key})
			}
		}
		return nil
	})
}
