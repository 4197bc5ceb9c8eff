// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package users

import "github.com/caddy-rest-auth/caddy-rest-auth/auth"

// A Roster has users with passwords and nothing else, as an htpasswd file.
type Roster interface {
	// Name tells its users from those of other rosters.
	Name() string

	// Find returns the hash of the user of that canonical name, and whether
	// there is such a user. An error says that this cannot be known now.
	Find(name string) (hash string, ok bool, err error)
}

// listed returns the user of the roster of that canonical name, if there is one.
func listed(roster Roster, name string) (account, bool, error) {
	hash, ok, err := roster.Find(name)
	if !ok || err != nil {
		return account{}, false, err
	}
	return account{
		identity: auth.Identity{
			ID:     name,
			Key:    SourceHtpasswd + ":" + roster.Name() + "|" + name,
			Source: SourceHtpasswd,
			Proof:  proofOf(hash),
		},
		hash:   hash,
		active: true,
	}, true, nil
}
