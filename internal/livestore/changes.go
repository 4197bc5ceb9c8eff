// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package livestore

import (
	"errors"
	"slices"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// everything is announced where what changed has no name.
var everything = []tokenstore.Change{{All: true}}

func changedUser(key string) []tokenstore.Change {
	return named(tokenstore.Change{UserKey: key})
}

// named returns the change if it names anything, and otherwise everything.
func named(change tokenstore.Change) []tokenstore.Change {
	if change == (tokenstore.Change{}) {
		return everything
	}
	return []tokenstore.Change{change}
}

// deleted is the change of a Delete: each record that went carries all of the
// names in the filter. A filter by kind or digests alone names none.
func deleted(f tokenstore.Filter) []tokenstore.Change {
	return named(tokenstore.Change{UserKey: f.UserKey, CredentialID: f.ID, Family: f.Family, ClientID: f.ClientID})
}

// created is the change of a Create: others of the user's records may have
// been evicted.
func created(c tokenstore.Credential, max int, evict bool, err error) []tokenstore.Change {
	if max <= 0 || !evict || refused(err) {
		return nil
	}
	return changedUser(c.UserKey)
}

// consumed is the change of a Consume. Where the record was used already its
// family went, and the driver may tell which.
func consumed(c tokenstore.Credential, err error) []tokenstore.Change {
	switch {
	case err == nil:
		return named(tokenstore.Change{CredentialID: c.ID})
	case refused(err):
		return nil
	case errors.Is(err, tokenstore.ErrReused):
		return named(tokenstore.Change{CredentialID: c.ID, Family: c.Family})
	default:
		return everything
	}
}

// rotated is the change of a Rotate, told by the successors: they belong to the
// user and the family of the record that was spent. The client, which may have
// issued a million others, is only named where nothing else is, and a family
// alone is no answer to reuse: only the store knows whose it was.
func rotated(next []tokenstore.Credential, won bool, err error) []tokenstore.Change {
	if refused(err) || err == nil && !won {
		return nil
	}
	var changes []tokenstore.Change
	for _, c := range next {
		change := tokenstore.Change{UserKey: c.UserKey, Family: c.Family}
		if err != nil && c.UserKey == "" {
			return everything
		}
		if change == (tokenstore.Change{}) {
			change.ClientID = c.ClientID
		}
		if change == (tokenstore.Change{}) {
			return everything
		}
		if !slices.Contains(changes, change) {
			changes = append(changes, change)
		}
	}
	if len(changes) == 0 {
		return everything
	}
	return changes
}

// transacted is the change of an InTx.
func transacted(err error) []tokenstore.Change {
	if refused(err) {
		return nil
	}
	return everything
}

// refused reports whether an error says that the store left all as it was.
// ErrReused does not: a family went. Nor does an error of any other kind, as of
// a context: the write may have been committed, or may be yet.
//
// It spares an announcement where a client could cause one of everything again
// and again. Deleting what is gone already is announced all the same: another
// caller may have committed that and not announced it yet, and this one will
// rely on it.
func refused(err error) bool {
	if err == nil || errors.Is(err, tokenstore.ErrUnavailable) || errors.Is(err, tokenstore.ErrReused) {
		return false
	}
	return slices.ContainsFunc([]error{
		tokenstore.ErrNotFound, tokenstore.ErrExists, tokenstore.ErrStale,
		tokenstore.ErrLimit, tokenstore.ErrTooLarge, errors.ErrUnsupported,
	}, func(target error) bool { return errors.Is(err, target) })
}
