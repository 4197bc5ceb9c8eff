// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/django"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// What operators decide of users who were imported outlives the next import: who
// is shut out here in an emergency must not come back with what a schedule runs.
// Such decisions are marked before they are carried out, so that none is without
// its mark.
const (
	markDisabled    = "disabled"     // by the user's key
	markDeleted     = "deleted"      // by its primary key
	markDeletedName = "deleted name" // for dumps without primary keys
	markDeletions   = "deletions"    // that there are any
)

// markDeletion notes that an operator deletes the user.
func (m *Manager) markDeletion(ctx context.Context, u tokenstore.User) error {
	if u.Origin == "" {
		return nil
	}
	for _, parts := range [][]string{{markDeletions}, {markDeleted, u.OriginID}, {markDeletedName, u.Name}} {
		if _, err := m.Store.Remember(ctx, markOf(u.Origin, parts...), forever); err != nil {
			return err
		}
	}
	return nil
}

// markDisabling notes that an operator disables the user.
func (m *Manager) markDisabling(ctx context.Context, u tokenstore.User) error {
	if u.Origin == "" {
		return nil
	}
	_, err := m.Store.Remember(ctx, markOf(u.Origin, markDisabled, u.Key), forever)
	return err
}

// unmarkDisabling notes that an operator has enabled the user.
func (m *Manager) unmarkDisabling(ctx context.Context, u tokenstore.User) error {
	if u.Origin == "" {
		return nil
	}
	return m.Store.Forget(ctx, markOf(u.Origin, markDisabled, u.Key))
}

// deletionMarks are those of which any says that the user was deleted here. One
// that was imported without a primary key is known by its name.
func (i *importer) deletionMarks(in django.User) []string {
	if in.ID == "" {
		return []string{i.mark(markDeletedName, in.Name)}
	}
	return []string{i.mark(markDeleted, in.ID), i.mark(markDeleted, naturalID(in.Name))}
}

// wasDeleted reports whether an operator deleted the user.
func (i *importer) wasDeleted(ctx context.Context, in django.User) (bool, error) {
	for _, mark := range i.deletionMarks(in) {
		if known, err := i.store.Known(ctx, mark); err != nil || known {
			return known, err
		}
	}
	return false, nil
}

// returns is newUser of one who may have been here before.
func (i *importer) returns(ctx context.Context, in django.User) error {
	deleted, err := i.wasDeleted(ctx, in)
	switch {
	case err != nil:
		return err
	case !deleted:
		return i.newUser(ctx, in, false)
	case !i.Deleted:
		i.report.Users.Skipped++
		i.note(in.Row, "user", in.Name, noteDeleted)
		return nil
	}
	for _, mark := range i.deletionMarks(in) {
		if err := i.store.Forget(ctx, mark); err != nil {
			return err
		}
	}
	return i.newUser(ctx, in, false)
}

// stayDisabled keeps a user inactive whom an operator disabled.
func (i *importer) stayDisabled(ctx context.Context, in django.User, stored tokenstore.User, u *tokenstore.User) error {
	if stored.Active || !u.Active {
		return nil
	}
	disabled, err := i.store.Known(ctx, i.mark(markDisabled, stored.Key))
	if err == nil && disabled {
		u.Active = false
		i.note(in.Row, "user", in.Name, noteDisabled)
	}
	return err
}
