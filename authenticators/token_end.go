// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/knox"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// expiredToken is what durin says until the record is swept; the other kinds do
// not tell an expired token from one that never was.
const expiredToken = "The given token has expired."

var errTokenEnded = fmt.Errorf("token has expired: %w", tokenstore.ErrNotFound)

// beforeAnyEnd is a time at which every record that is still there lived, so that
// one look-up finds it and tells that it has ended since.
var beforeAnyEnd = time.Unix(1, 0)

func hasEnded(record *tokenstore.Credential, now time.Time) bool {
	return !record.Expires.IsZero() && !record.Expires.After(now)
}

// endedToken is the refusal of a token that has ended.
func endedToken(record *tokenstore.Credential) *auth.Failure {
	if record.Kind == tokenstore.KindDurin {
		return badToken(expiredToken, errTokenEnded)
	}
	return badToken(invalidToken, errTokenEnded)
}

// writtenBy is a time within which a store has written a batch of last uses. A
// token that would end before is put off at once: until it is written, whoever
// has to read the record takes the token for ended.
const writtenBy = 30 * time.Second

// touch remembers when the token was last used, and puts the end of one off that
// was issued so. The request does not depend on it, and the store may be
// read-only.
func (t *Token) touch(ctx context.Context, digest []byte, record *tokenstore.Credential, now time.Time) {
	ends, refreshes := refreshed(record, now)
	if !refreshes && now.Sub(record.LastUsed) < touchInterval {
		return
	}
	write := t.store.Touch
	if refreshes && record.Expires.Sub(now) < writtenBy {
		write = func(ctx context.Context, digest []byte, now, ends time.Time) error {
			return tokenstore.Extend(ctx, t.store, digest, now, ends)
		}
	}
	if err := write(ctx, digest, now, ends); err != nil {
		t.logger.Debug("remembering the last use of a token", zap.String("credential", record.ID), zap.Error(err))
		return
	}
	if refreshes {
		record.Expires = ends
	}
}

// refreshed returns the end of a token that is used now, if that puts it off.
func refreshed(record *tokenstore.Credential, now time.Time) (ends time.Time, ok bool) {
	if record.Kind != tokenstore.KindKnox || record.Expires.IsZero() {
		return time.Time{}, false
	}
	refresh, ok := knox.Decode(record.Data)
	if !ok {
		return time.Time{}, false
	}
	if ends, ok = refresh.Ends(record.Created, record.Expires, now); !ok {
		return time.Time{}, false
	}
	return ends, true
}
