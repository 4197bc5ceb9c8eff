// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// Method is the method of identities that a session proves.
const Method = "session"

// touchInterval is how old a session's last use may be.
const touchInterval = time.Minute

// Causes of requests without a session, for who asks why. They wrap
// auth.ErrNoCredentials.
var (
	ErrNone      = fmt.Errorf("%w: no live session", auth.ErrNoCredentials)
	ErrAmbiguous = fmt.Errorf("%w: live sessions of two users", auth.ErrNoCredentials)
	ErrTooMany   = fmt.Errorf("%w: more session cookies than are looked up", auth.ErrNoCredentials)
)

// found is a live session with what it takes to renew its cookie.
type found struct {
	*Session
	key    string
	digest []byte
}

// Of returns the session of the request. It returns auth.ErrNoCredentials, or
// an error that wraps it, if there is none that is alive: unknown, expired or
// ended, its user inactive, the password changed since. It returns an
// *auth.Unavailable if the store does not answer. It sets no cookie, and does
// not count as use.
//
// A browser can have several cookies of the name. Those that are no live session
// are ignored; live sessions of two users are nobody's, since one of them may
// be an attacker's who could set a cookie for this domain.
func (m *Manager) Of(r *http.Request) (*Session, error) {
	f, err := m.find(r.Context(), r)
	if err != nil {
		return nil, err
	}
	return f.Session, nil
}

func (m *Manager) find(ctx context.Context, r *http.Request) (found, error) {
	keys, whole := m.firstKeys(r, maxKeys)
	switch {
	case !whole:
		return found{}, ErrTooMany
	case len(keys) == 0:
		return found{}, auth.ErrNoCredentials
	}
	var first found
	for _, key := range keys {
		f, err := m.lookup(ctx, key)
		switch {
		case errors.Is(err, tokenstore.ErrNotFound):
		case err != nil:
			return found{}, &auth.Unavailable{Err: fmt.Errorf("looking up a session: %w", err)}
		case first.Session == nil:
			first = f
		case first.User.Key != f.User.Key:
			return found{}, ErrAmbiguous
		}
	}
	if first.Session == nil {
		return found{}, ErrNone
	}
	return first, nil
}

// lookup returns the live session of a key, or an error that wraps
// tokenstore.ErrNotFound.
func (m *Manager) lookup(ctx context.Context, key string) (found, error) {
	now := m.now()
	digest := digestOf(key)
	record, user, err := m.store.Lookup(ctx, digest, now)
	if err != nil {
		return found{}, err
	}
	if record.Kind != tokenstore.KindSession || record.UserKey == "" {
		return found{}, tokenstore.ErrNotFound
	}
	holder, err := m.users.Holder(&record, user)
	if err != nil {
		return found{}, tokenstore.ErrNotFound
	}
	// Whoever the configuration calls by that name is somebody else.
	if holder.Source == users.SourceStore && m.users.Configured(holder.ID) {
		return found{}, tokenstore.ErrNotFound
	}
	// A record with a version was compared with its user's by the store.
	if record.PasswordVersion == 0 && holder.Proof != "" && holder.Proof != dataOf(&record).Proof {
		return found{}, tokenstore.ErrNotFound
	}
	// Timeouts may be shorter now than when the record was written.
	used := record.LastUsed
	if used.IsZero() {
		used = record.Created
	}
	record.Expires = m.bound(record.Expires, record.Created, used)
	if !record.Expires.IsZero() && !now.Before(record.Expires) {
		return found{}, tokenstore.ErrNotFound
	}
	session := described(&record)
	session.User = identityOf(holder, &record, session.Login)
	return found{session, key, digest}, nil
}

// identityOf returns a user as a session proves it.
func identityOf(user *auth.Identity, record *tokenstore.Credential, login *Login) *auth.Identity {
	id := *user
	id.Method = Method
	id.Credential = record.ID
	id.Client = record.ClientID
	id.Family = record.Family
	id.Scopes = record.Scopes
	id.Expires = record.Expires
	id.Proof = ""
	if login != nil {
		login.add(&id)
	}
	return &id
}

// touch remembers that the session is used, at most once a minute, and reports
// whether it lives longer for it. The request does not depend on it.
func (m *Manager) touch(ctx context.Context, f *found) (renewed bool) {
	now := m.now()
	if now.Sub(f.LastUsed) < touchInterval {
		return false
	}
	var expires time.Time
	if m.slides() || m.settings.IdleTimeout > 0 {
		expires = m.ends(f.Created, now)
	}
	if err := m.store.Touch(ctx, f.digest, now, expires); err != nil {
		m.logger.Debug("remembering the last use of a session", zap.String("credential", f.ID), zap.Error(err))
		return false
	}
	if !expires.After(f.Expires) {
		return false
	}
	f.LastUsed, f.Expires, f.User.Expires = now, expires, expires
	return m.slides() && f.Remember
}
