// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/django"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// Why a user of a dump is not imported, or not as the dump says.
const (
	noteOurs       = "there is a user of this name who was not imported from there; left as it is, and the dump's tokens of this user with it"
	noteConfigured = "the configuration has a user of this name; left out, and the dump's tokens of this user with it"
	noteOtherPK    = "the name was imported for another primary key, which the dump no longer has; left out; --prune removes the former"
	noteRename     = "the new name belongs to somebody else here; all else was updated"
	noteDeleted    = "the user was deleted here; left out, and the dump's tokens of this user with it; --deleted brings the user back"
	noteDisabled   = "the user was disabled here, and stays so until 'user enable'; all else was updated"
)

// user creates or updates one user.
func (i *importer) user(ctx context.Context, in django.User, state uint8) error {
	if state == absent {
		return i.newUser(ctx, in, true)
	}
	stored, err := i.store.UserByOrigin(ctx, i.Origin, originID(in))
	if errors.Is(err, tokenstore.ErrNotFound) {
		return i.returns(ctx, in)
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

// naturalID spells '<' as it is: six bytes for one could make an origin too long.
func naturalID(name string) string {
	var key strings.Builder
	encoder := json.NewEncoder(&key)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode([]string{name}); err != nil {
		return "[]" // no text fails to be JSON
	}
	return strings.TrimSuffix(key.String(), "\n")
}

// newUser creates a user of whom nothing is known under that origin. Marked says
// that the password is marked already.
func (i *importer) newUser(ctx context.Context, in django.User, marked bool) error {
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
	p.marked = p.marked && !marked
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
	if err := i.park(ctx, in, holder); err != nil {
		return none, err
	}
	return i.store.PutUser(ctx, u)
}

// update makes a stored user what the dump says.
func (i *importer) update(ctx context.Context, in django.User, stored tokenstore.User, id string) error {
	u := stored
	u.Name, u.OriginID = in.Name, id
	fill(&u, in)
	if u.Name != stored.Name && i.Directory.Configured(u.Name) {
		u.Name = stored.Name
		i.note(in.Row, "user", in.Name, noteRename)
	}
	if err := i.stayDisabled(ctx, in, stored, &u); err != nil {
		return err
	}
	if err := i.changedPassword(ctx, in, stored.OriginID, &u); err != nil {
		return err
	}
	if same(stored, u) {
		i.report.Users.Unchanged++
		return nil
	}
	_, err := i.store.PutUser(ctx, u)
	if errors.Is(err, tokenstore.ErrExists) && u.Name != stored.Name {
		err = i.rename(ctx, in, &u, stored.Name)
	}
	if err == nil {
		i.report.Users.Updated++
		i.arrived(u)
	}
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
