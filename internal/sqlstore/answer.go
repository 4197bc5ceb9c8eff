// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"errors"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

var answers = []error{
	tokenstore.ErrNotFound, tokenstore.ErrExists, tokenstore.ErrStale, tokenstore.ErrReused,
	tokenstore.ErrLimit, tokenstore.ErrTooLarge, tokenstore.ErrCursor,
}

// IsAnswer reports whether an error says something of the data, and nothing of
// the store.
func IsAnswer(err error) bool {
	for _, answer := range answers {
		if errors.Is(err, answer) {
			return true
		}
	}
	return false
}
