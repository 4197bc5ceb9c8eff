// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"
	"errors"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/django"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// What a survey found of a record.
const (
	unknown = iota // to be looked at again
	settled        // the store has it as the dump does
	absent         // the store does not have it
)

// A survey is what was found out before the transaction, in which others wait:
// what is settled needs nothing of it, and what is absent no look. Somebody may
// change the store in between. A settled record is then as it would be if that had
// happened after the import, and an absent one that is there is met when it is
// created.
type survey struct {
	users   findings[django.User]
	tokens  findings[django.Token]
	settled map[string]int // tokens, by model
}

// maxPending bounds what of the dump is kept in memory for the transaction; if it
// is more, the dump is gone through again.
const maxPending = 20_000

// findings are what was found of the records of one kind.
type findings[T any] struct {
	states  []uint8 // in the order of the dump
	settled int
	pending []pending[T] // all but the settled, unless there are many
	size    int
	many    bool
}

type pending[T any] struct {
	record T
	state  uint8
}

// add notes what was found of the next record, which is of some size.
func (f *findings[T]) add(record T, state uint8, size int) {
	f.states = append(f.states, state)
	if state == settled {
		f.settled++
		return
	}
	if f.size += size; f.size > maxPending {
		f.many, f.pending = true, nil
	}
	if !f.many {
		f.pending = append(f.pending, pending[T]{record, state})
	}
}

// each calls use for every record that is not settled. All goes through the dump.
func (f *findings[T]) each(all func(func(T) error) error, use func(T, uint8) error) error {
	if !f.many {
		for _, p := range f.pending {
			if err := use(p.record, p.state); err != nil {
				return err
			}
		}
		return nil
	}
	unsettled := func(add func(pending[T]) error) error {
		n := 0
		return all(func(record T) error {
			state := f.states[n]
			n++
			if state == settled {
				return nil
			}
			return add(pending[T]{record, state})
		})
	}
	return ahead(unsettled, func(p pending[T]) error { return use(p.record, p.state) })
}

// survey looks for everything that the dump has.
func (i *importer) survey(ctx context.Context) (*survey, error) {
	found := &survey{settled: make(map[string]int)}
	deletions, err := i.store.Known(ctx, i.mark(markDeletions))
	if err != nil {
		return nil, err
	}
	if i.returning, err = i.store.Known(ctx, i.mark(markOrigin)); err != nil {
		return nil, err
	}
	marks := passwordMarks{importer: i}
	err = i.dump.EachUser(func(in django.User) error {
		state, err := i.surveyUser(ctx, in)
		if state == absent && deletions {
			state = unknown // it may have been deleted here
		}
		if err == nil && state == absent {
			err = marks.add(ctx, in)
		}
		found.users.add(in, state, 1+len(in.Groups)+len(in.Permissions))
		return err
	})
	if err == nil {
		err = marks.flush(ctx)
	}
	if err != nil {
		return nil, err
	}
	err = i.dump.EachToken(func(in django.Token) error {
		state, err := i.surveyToken(ctx, in)
		found.tokens.add(in, state, 1)
		if state == settled {
			found.settled[in.Model]++
		}
		return err
	})
	return found, err
}

func (i *importer) surveyUser(ctx context.Context, in django.User) (uint8, error) {
	if !i.returning {
		return absent, nil
	}
	stored, err := i.store.UserByOrigin(ctx, i.Origin, originID(in))
	if errors.Is(err, tokenstore.ErrNotFound) {
		return absent, nil
	}
	if err != nil {
		return unknown, err
	}
	u := stored
	u.Name = in.Name
	fill(&u, in)
	if i.Passwords {
		u.PasswordHash = in.Password // another one may be settled too: the update knows
	}
	if same(stored, u) {
		return settled, nil
	}
	return unknown, nil
}

func (i *importer) surveyToken(ctx context.Context, in django.Token) (uint8, error) {
	if in.Model == django.ModelBlacklisted {
		return i.surveyBlacklisted(ctx, in)
	}
	if !i.returning {
		return absent, nil
	}
	known, owner, err := i.store.Lookup(ctx, in.Digest, i.Now())
	switch {
	case err == nil, errors.Is(err, tokenstore.ErrInactive):
	case errors.Is(err, tokenstore.ErrNotFound):
		return absent, nil
	default:
		return unknown, err
	}
	same := owner.OriginID == in.UserID && i.dump.HasID(in.UserID)
	if in.UserID == "" {
		same = i.isNamed(owner, users.Canonical(in.UserName))
	}
	if owner.Origin == i.Origin && same && !prolonged(known, in) {
		return settled, nil
	}
	return unknown, nil
}

// isNamed reports whether a stored user of the origin is the one whom the dump
// calls by that name, and not one who had the name before.
func (i *importer) isNamed(u tokenstore.User, name string) bool {
	if i.dump.Natural {
		return u.Name == name && i.dump.HasName(name)
	}
	return i.dump.IsUser(u.OriginID, name)
}

// maxOwners bounds how many users of an import are remembered for their tokens.
const maxOwners = 200_000

// owners are the active users that this import created, for their tokens.
type owners map[string]tokenstore.User

func (o owners) add(u tokenstore.User, in django.User) {
	if !u.Active || len(o) >= maxOwners {
		return
	}
	brief := tokenstore.User{Key: u.Key, Name: u.Name, Active: true, PasswordVersion: u.PasswordVersion}
	o["name "+in.Name] = brief
	if in.ID != "" {
		o["id "+in.ID] = brief
	}
}

func (o owners) find(in django.Token) (tokenstore.User, bool) {
	key := "id " + in.UserID
	if in.UserID == "" {
		key = "name " + users.Canonical(in.UserName)
	}
	u, ok := o[key]
	return u, ok
}
