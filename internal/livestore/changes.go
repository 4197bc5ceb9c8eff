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
func created(c tokenstore.Credential, max int, evict bool) []tokenstore.Change {
	if max <= 0 || !evict {
		return nil
	}
	return changedUser(c.UserKey)
}

// consumed is the change of a Consume. Where the record was used already its
// family went.
func consumed(c tokenstore.Credential, err error) []tokenstore.Change {
	change := tokenstore.Change{Family: c.Family}
	if err == nil {
		change.CredentialID = c.ID
	}
	return named(change)
}

// rotated is the change of a Rotate, told by the successors: they belong to the
// user and the family of the record that was spent. The client, which may have
// issued a million others, is only named where nothing else is.
func rotated(next []tokenstore.Credential) []tokenstore.Change {
	var changes []tokenstore.Change
	for _, c := range next {
		change := tokenstore.Change{UserKey: c.UserKey, Family: c.Family}
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

// refused reports whether an error says that the store left all as it was.
// ErrReused does not: a family went.
func refused(err error) bool {
	if err == nil || errors.Is(err, tokenstore.ErrUnavailable) || errors.Is(err, tokenstore.ErrReused) {
		return false
	}
	return slices.ContainsFunc([]error{
		tokenstore.ErrNotFound, tokenstore.ErrExists, tokenstore.ErrStale,
		tokenstore.ErrLimit, tokenstore.ErrTooLarge, errors.ErrUnsupported,
	}, func(target error) bool { return errors.Is(err, target) })
}
