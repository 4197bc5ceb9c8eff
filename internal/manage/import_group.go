// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"
	"slices"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/django"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// A group has no origin, and people may give it permissions that the project
// knows nothing of. So an import marks every permission that it adds, and takes
// away only what it once added.
const (
	markGroup      = "group"
	markPermission = "group permission"
)

// What an operator should know of a group.
const (
	noteOwnGroup = "there was a group of this name that was not imported from there: the users of the dump who are in it are in that one, and whoever is in that one has its permissions"
	noteOthersIn = "stays, though the dump does not have it, since users are in it who were not imported from there"
)

func (i *importer) groups(ctx context.Context) error {
	stored, err := i.store.Groups(ctx)
	if err != nil {
		return err
	}
	known := make(map[string][]string, len(stored))
	for _, g := range stored {
		known[g.Name] = g.Permissions
	}
	err = i.dump.EachGroup(func(g django.Group) error {
		has, exists := known[g.Name]
		if exists {
			imported, err := i.store.Known(ctx, i.mark(markGroup, g.Name))
			if err != nil {
				return err
			}
			if !imported {
				i.note(g.Row, "group", g.Name, noteOwnGroup)
			}
		}
		return i.group(ctx, g.Name, has, exists, g.Permissions)
	})
	if err != nil || !i.Prune || i.dump.Groups == 0 {
		return err
	}
	for _, g := range stored {
		if i.dump.HasGroup(g.Name) {
			continue
		}
		if err := i.pruneGroup(ctx, g); err != nil {
			return err
		}
	}
	return nil
}

// group gives a group what the dump says.
func (i *importer) group(ctx context.Context, name string, has []string, exists bool, want []string) error {
	next, err := i.withoutImported(ctx, name, has, want)
	if err != nil {
		return err
	}
	for _, p := range want {
		if slices.Contains(has, p) {
			continue
		}
		next = append(next, p)
		if err := i.remember(ctx, i.mark(markPermission, name, p)); err != nil {
			return err
		}
	}
	next = sortedSet(next)
	switch {
	case !exists:
		i.report.Groups.Created++
		if err := i.remember(ctx, i.mark(markGroup, name)); err != nil {
			return err
		}
	case slices.Equal(next, sortedSet(has)):
		i.report.Groups.Unchanged++
		return nil
	default:
		i.report.Groups.Updated++
	}
	return i.store.PutGroup(ctx, tokenstore.Group{Name: name, Permissions: next})
}

// withoutImported returns what a group has, less what imports of this origin
// gave it and the dump no longer does.
func (i *importer) withoutImported(ctx context.Context, name string, has, want []string) ([]string, error) {
	var kept []string
	for _, p := range has {
		if !slices.Contains(want, p) {
			mark := i.mark(markPermission, name, p)
			imported, err := i.store.Known(ctx, mark)
			if err != nil {
				return nil, err
			}
			if imported {
				if err := i.store.Forget(ctx, mark); err != nil {
					return nil, err
				}
				continue
			}
		}
		kept = append(kept, p)
	}
	return kept, nil
}

// pruneGroup takes from a group that the dump no longer has what imports gave
// it. If they made it and nothing is left, it goes.
func (i *importer) pruneGroup(ctx context.Context, g tokenstore.Group) error {
	kept, err := i.withoutImported(ctx, g.Name, g.Permissions, nil)
	if err != nil {
		return err
	}
	mark := i.mark(markGroup, g.Name)
	imported, err := i.store.Known(ctx, mark)
	if err != nil {
		return err
	}
	if imported && len(kept) == 0 && i.others[g.Name] {
		imported = false
		i.note(0, "group", g.Name, noteOthersIn)
	}
	switch {
	case imported && len(kept) == 0:
		i.report.Groups.Removed++
		if err := i.store.Forget(ctx, mark); err != nil {
			return err
		}
		return i.store.DeleteGroup(ctx, g.Name)
	case len(kept) < len(g.Permissions):
		i.report.Groups.Updated++
		return i.store.PutGroup(ctx, tokenstore.Group{Name: g.Name, Permissions: kept})
	}
	return nil
}
