// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/django"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// A parking is why a user lost the name to another one before its own new name
// was known to be free, as where two swap theirs.
type parking struct {
	row    int // whose name it is now
	pk     string
	holder string // primary key of the user who lost it
}

// rename is an update to a name that another user has.
func (i *importer) rename(ctx context.Context, in django.User, u *tokenstore.User, old string) error {
	holder, err := i.store.UserByName(ctx, u.Name)
	if err != nil {
		return err
	}
	if holder.Origin == i.Origin && i.dump.HasID(holder.OriginID) {
		if err := i.park(ctx, in, holder); err != nil {
			return err
		}
	} else {
		i.note(in.Row, "user", in.Name, noteRename)
		u.Name = old
	}
	_, err = i.store.PutUser(ctx, *u)
	return err
}

// park gives a user, whose own row says another name, one that nobody has
// meanwhile: its key.
func (i *importer) park(ctx context.Context, in django.User, holder tokenstore.User) error {
	holder.Name = holder.Key
	if _, err := i.store.PutUser(ctx, holder); err != nil {
		return err
	}
	i.parked[holder.Key] = parking{row: in.Row, pk: in.ID, holder: holder.OriginID}
	return nil
}

// arrived notes that a user has a name that people gave it.
func (i *importer) arrived(u tokenstore.User) {
	if u.Name != u.Key {
		delete(i.parked, u.Key)
	}
}

// unparked refuses a dump that leaves somebody without a name.
func (i *importer) unparked() error {
	if len(i.parked) == 0 {
		return nil
	}
	problems := new(django.BadDumpError)
	for _, p := range slices.SortedFunc(maps.Values(i.parked), func(a, b parking) int { return a.row - b.row }) {
		if problems.More = len(problems.List) == maxNotes; problems.More {
			break
		}
		problems.List = append(problems.List, django.Problem{
			Row: p.row, Model: i.userModel(), PK: p.pk,
			Text: fmt.Sprintf("the name is that of user %s here, whose own new name belongs to somebody else; rename one of them, there or here", p.holder),
		})
	}
	return &Error{Status: http.StatusBadRequest, Text: problems.Error() + "; nothing was imported", Err: problems}
}
