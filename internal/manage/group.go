// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// A Group is what the API says of a group.
type Group struct {
	Name        string   `json:"name"`
	Permissions []string `json:"permissions"`
}

// GroupChange is what a group is replaced by.
type GroupChange struct {
	Permissions []string `json:"permissions"`
}

// ListGroups returns all groups by name.
func (m *Manager) ListGroups(ctx context.Context) ([]Group, error) {
	stored, err := m.Store.Groups(ctx)
	if err != nil {
		return nil, storeError("listing groups", err)
	}
	groups := make([]Group, len(stored))
	for i, g := range stored {
		groups[i] = Group{Name: g.Name, Permissions: list(g.Permissions)}
	}
	return groups, nil
}

// SetGroup creates the group or replaces its permissions, and with them those
// of its members, at once.
func (m *Manager) SetGroup(ctx context.Context, name string, in GroupChange) (Group, error) {
	if in.Permissions == nil {
		return Group{}, invalid("permissions", "must be given; an empty list is none")
	}
	permissions, err := checkPermissions(in.Permissions)
	if err != nil {
		return Group{}, err
	}
	if _, err := checkGroups("name", []string{name}); err != nil {
		// A name that an import brought stays manageable.
		known, listErr := m.Store.Groups(ctx)
		if listErr != nil || !slices.ContainsFunc(known, func(g tokenstore.Group) bool { return g.Name == name }) {
			return Group{}, err
		}
	}
	if err := m.Store.PutGroup(ctx, tokenstore.Group{Name: name, Permissions: permissions}); err != nil {
		return Group{}, storeError("storing the group", err)
	}
	m.audit("group set", zap.String("group", name), zap.Strings("permissions", permissions))
	return Group{Name: name, Permissions: list(permissions)}, nil
}

// DeleteGroup removes the group, and from its members what it gave them.
func (m *Manager) DeleteGroup(ctx context.Context, name string) error {
	err := m.Store.DeleteGroup(ctx, name)
	if errors.Is(err, tokenstore.ErrNotFound) {
		return refuse(http.StatusNotFound, "there is no group '%s'", name)
	}
	if err != nil {
		return storeError("deleting the group", err)
	}
	m.audit("group deleted", zap.String("group", name))
	return nil
}
