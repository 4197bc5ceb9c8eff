// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package memory

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// copiedUser is a user that shares nothing with u.
func copiedUser(u tokenstore.User) tokenstore.User {
	u.Groups, u.Permissions, u.Inherited = slices.Clone(u.Groups), slices.Clone(u.Permissions), slices.Clone(u.Inherited)
	return u
}

// withGroups is a copy of a user with the permissions of the groups.
func (s *state) withGroups(u tokenstore.User) tokenstore.User {
	u = copiedUser(u)
	for _, group := range u.Groups {
		for _, p := range s.groups[group] {
			if _, own := slices.BinarySearch(u.Permissions, p); !own {
				u.Inherited = append(u.Inherited, p)
			}
		}
	}
	if len(u.Inherited) > 0 {
		u.Inherited = sorted(u.Inherited)
		u.Permissions = sorted(append(u.Permissions, u.Inherited...))
	}
	return u
}

// sorted sorts a list and drops doubles, in place.
func sorted(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// find reads a user by what the function returns as its key.
func (o ops) find(ctx context.Context, key func(*state) string) (u tokenstore.User, err error) {
	err = o.read(ctx, func(s *state) error {
		own, ok := s.people[key(s)]
		if !ok {
			return tokenstore.ErrNotFound
		}
		u = s.withGroups(own)
		return nil
	})
	return u, err
}

func (o ops) User(ctx context.Context, key string) (tokenstore.User, error) {
	return o.find(ctx, func(*state) string { return key })
}

func (o ops) UserByName(ctx context.Context, name string) (tokenstore.User, error) {
	return o.find(ctx, func(s *state) string { return s.names[name] })
}

func (o ops) UserByOrigin(ctx context.Context, system, id string) (tokenstore.User, error) {
	return o.find(ctx, func(s *state) string { return s.origins[origin{system, id}] })
}

func (o ops) PutUser(ctx context.Context, u tokenstore.User) (stored tokenstore.User, err error) {
	if u.Name == "" || slices.Contains(u.Groups, "") {
		return tokenstore.User{}, errors.New("storing a user or a group without a name")
	}
	if tooLong(append([]string{u.Key, u.Name, u.Origin, u.OriginID}, u.Groups...)...) {
		return tokenstore.User{}, tokenstore.ErrTooLarge
	}
	if tokenstore.IsForeign(u.Key) {
		return tokenstore.User{}, errors.New("storing a user of another source")
	}
	u = copiedUser(u)
	u.Permissions = slices.DeleteFunc(u.Permissions, func(p string) bool { return slices.Contains(u.Inherited, p) })
	u.Groups, u.Permissions, u.Inherited = sorted(u.Groups), sorted(u.Permissions), nil
	err = o.write(ctx, func(s *state) error {
		old, exists := s.people[u.Key]
		switch {
		case u.Version == 0 && exists:
			return tokenstore.ErrExists
		case u.Version != 0 && !exists:
			return tokenstore.ErrNotFound
		case u.Version != old.Version:
			return tokenstore.ErrStale
		}
		if u.Key == "" {
			u.Key = tokenstore.NewUserKey(time.Now())
		}
		if exists && u.PasswordVersion == old.PasswordVersion && u.PasswordHash != old.PasswordHash {
			u.PasswordVersion++
		}
		u.PasswordVersion = max(u.PasswordVersion, 1)
		u.Version = old.Version + 1
		if err := s.replace(old, u); err != nil {
			return err
		}
		for _, group := range u.Groups {
			if _, ok := s.groups[group]; !ok {
				put(s, s.groups, group, nil)
			}
		}
		stored = copiedUser(u)
		return nil
	})
	return stored, err
}

// replace stores a user under its names, in place of the old one's. A user has an
// origin if either part of it is not empty.
func (s *state) replace(old, u tokenstore.User) error {
	s.unname(old)
	from := origin{u.Origin, u.OriginID}
	if _, taken := s.names[u.Name]; taken {
		return tokenstore.ErrExists
	}
	if _, taken := s.origins[from]; taken {
		return tokenstore.ErrExists
	}
	put(s, s.names, u.Name, u.Key)
	if from != (origin{}) {
		put(s, s.origins, from, u.Key)
	}
	put(s, s.people, u.Key, u)
	s.changed(tokenstore.Change{UserKey: u.Key})
	return nil
}

func (s *state) unname(u tokenstore.User) {
	drop(s, s.names, u.Name)
	drop(s, s.origins, origin{u.Origin, u.OriginID})
}

func (o ops) Rehash(ctx context.Context, key, old, new string) error {
	return o.write(ctx, func(s *state) error {
		u, ok := s.people[key]
		if !ok {
			return tokenstore.ErrNotFound
		}
		if u.PasswordHash != old {
			return tokenstore.ErrStale
		}
		u.PasswordHash = new
		u.Version++
		put(s, s.people, key, u)
		s.changed(tokenstore.Change{UserKey: key})
		return nil
	})
}

func (o ops) DeleteUser(ctx context.Context, key string) error {
	return o.write(ctx, func(s *state) error {
		u, ok := s.people[key]
		if !ok {
			return tokenstore.ErrNotFound
		}
		for _, e := range s.selected(tokenstore.Filter{UserKey: key}) {
			s.revoke(e)
		}
		s.unname(u)
		drop(s, s.people, key)
		s.changed(tokenstore.Change{UserKey: key})
		return nil
	})
}
