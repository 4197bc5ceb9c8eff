// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/django"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// Why a user of a dump is not imported, or not as the dump says.
const (
	noteOurs       = "there is a user of this name who was not imported from there; left as it is, and the dump's tokens of this user with it"
	noteConfigured = "the configuration has a user of this name; left out, and the dump's tokens of this user with it"
	noteOtherPK    = "the name was imported for another primary key, which the dump no longer has; left out; --prune removes the former"
	noteRename     = "the new name belongs to somebody else here; all else was updated"
)

// user creates or updates one user.
func (i *importer) user(ctx context.Context, in django.User, state uint8) error {
	if state == absent {
		return i.newUser(ctx, in)
	}
	stored, err := i.store.UserByOrigin(ctx, i.Origin, originID(in))
	if errors.Is(err, tokenstore.ErrNotFound) {
		return i.newUser(ctx, in)
	}
	if err != nil {
		return err
	}
	return i.update(ctx, in, stored, originID(in))
}

// originID is the primary key, or for a user without one the natural key as
// dumpdata writes it, which no primary key is mistaken for.
func originID(in django.User) string {
	if in.ID != "" {
		return in.ID
	}
	return naturalID(in.Name)
}

func naturalID(name string) string {
	key, err := json.Marshal([]string{name})
	if err != nil {
		return "[]" // no text fails to be JSON
	}
	return string(key)
}

// newUser creates a user of whom nothing is known under that origin.
func (i *importer) newUser(ctx context.Context, in django.User) error {
	id := originID(in)
	if i.Directory.Configured(in.Name) {
		i.report.Users.Skipped++
		i.note(in.Row, "user", in.Name, noteConfigured)
		return nil
	}
	u := tokenstore.User{Name: in.Name, Origin: i.Origin, OriginID: id}
	fill(&u, in)
	p := i.judge(in.Password)
	u.PasswordHash = p.hash
	stored, err := i.store.PutUser(ctx, u)
	if errors.Is(err, tokenstore.ErrExists) {
		stored, err = i.taken(ctx, in, u)
	}
	if err != nil || stored.Key == "" {
		return err
	}
	i.report.Users.Created++
	i.owners.add(stored, in)
	return i.tookPassword(ctx, in, id, p)
}

// taken finds out who has the origin or the name that a new user should have. It
// returns the user if it was added after all.
func (i *importer) taken(ctx context.Context, in django.User, u tokenstore.User) (tokenstore.User, error) {
	none := tokenstore.User{}
	stored, err := i.store.UserByOrigin(ctx, i.Origin, u.OriginID)
	if err == nil {
		return none, i.update(ctx, in, stored, u.OriginID)
	}
	if !errors.Is(err, tokenstore.ErrNotFound) {
		return none, err
	}
	holder, err := i.store.UserByName(ctx, in.Name)
	if err != nil {
		return none, err
	}
	switch {
	case holder.Origin != i.Origin:
		i.report.Users.Skipped++
		i.note(in.Row, "user", in.Name, noteOurs)
		return none, nil
	case in.ID == "":
		// The dump has no primary keys, and a former one had.
		return none, i.update(ctx, in, holder, holder.OriginID)
	case holder.OriginID == naturalID(holder.Name):
		return none, i.update(ctx, in, holder, in.ID)
	case !i.dump.HasID(holder.OriginID):
		i.report.Users.Skipped++
		i.note(in.Row, "user", in.Name, noteOtherPK)
		return none, nil
	}
	if err := i.makeWay(ctx, holder); err != nil {
		return none, err
	}
	return i.store.PutUser(ctx, u)
}

// makeWay gives a user, whose own row is still to come and says another name, one
// that nobody has meanwhile.
func (i *importer) makeWay(ctx context.Context, holder tokenstore.User) error {
	holder.Name = holder.Key
	_, err := i.store.PutUser(ctx, holder)
	return err
}

// update makes a stored user what the dump says.
func (i *importer) update(ctx context.Context, in django.User, stored tokenstore.User, id string) error {
	u := stored
	u.Name, u.OriginID = in.Name, id
	fill(&u, in)
	if err := i.changedPassword(ctx, in, &u); err != nil {
		return err
	}
	if same(stored, u) {
		i.report.Users.Unchanged++
		return nil
	}
	_, err := i.store.PutUser(ctx, u)
	if errors.Is(err, tokenstore.ErrExists) && u.Name != stored.Name {
		err = i.rename(ctx, in, u, stored.Name)
	}
	if err == nil {
		i.report.Users.Updated++
	}
	return err
}

// rename is an update to a name that another user has.
func (i *importer) rename(ctx context.Context, in django.User, u tokenstore.User, old string) error {
	holder, err := i.store.UserByName(ctx, u.Name)
	if err != nil {
		return err
	}
	if holder.Origin == i.Origin && i.dump.HasID(holder.OriginID) {
		if err := i.makeWay(ctx, holder); err != nil {
			return err
		}
	} else {
		i.note(in.Row, "user", in.Name, noteRename)
		u.Name = old
	}
	_, err = i.store.PutUser(ctx, u)
	return err
}

// fill sets what an import brings of a user, but for name and password.
func fill(u *tokenstore.User, in django.User) {
	u.Email, u.FullName = in.Email, in.FullName
	u.Active, u.Staff, u.Superuser = in.Active, in.Staff, in.Superuser
	u.Groups, u.Permissions, u.Inherited = in.Groups, in.Permissions, nil
}

// same reports whether an update would change nothing. Before was read with the
// permissions of its groups.
func same(before, after tokenstore.User) bool {
	own := slices.DeleteFunc(slices.Clone(before.Permissions), func(p string) bool { return slices.Contains(before.Inherited, p) })
	return before.Name == after.Name && before.OriginID == after.OriginID &&
		before.Email == after.Email && before.FullName == after.FullName && before.PasswordHash == after.PasswordHash &&
		before.Active == after.Active && before.Staff == after.Staff && before.Superuser == after.Superuser &&
		slices.Equal(before.Groups, after.Groups) && slices.Equal(own, after.Permissions)
}
