// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// errForeign is why a user of another source has no session.
var errForeign = errors.New("sessions are for users of the store and of the configuration")

// Start logs the browser in as a user whom users.Directory.Authenticate has
// just returned: it ends the session that the request has, whoever's it is,
// creates another, and sets the session cookie and a new CSRF secret. The caller
// has called CSRF().Check.
//
// It returns an *auth.Failure if the user is gone meanwhile or could have no
// session, and an *auth.Unavailable if the store does not answer; then no cookie
// is set.
func (m *Manager) Start(w http.ResponseWriter, r *http.Request, user *auth.Identity, remember bool) (*Session, error) {
	return m.start(w, r, user, remember, nil)
}

func (m *Manager) start(w http.ResponseWriter, r *http.Request, user *auth.Identity, remember bool, login *Login) (*Session, error) {
	ctx := r.Context()
	record, err := m.newRecord(r, user, remember, login)
	if err != nil {
		return nil, err
	}
	if _, err := m.endKeys(ctx, r); err != nil {
		return nil, err
	}
	key := newKey()
	record.Digest = digestOf(key)
	if err := m.store.Create(ctx, record, 0, false); err != nil {
		return nil, storeError(err)
	}
	m.setCookie(w, r, key, m.kept(record.Created, record.Created), remember)
	m.csrf.Rotate(w, r)
	session := described(&record)
	session.User = identityOf(user, &record, login)
	return session, nil
}

func (m *Manager) newRecord(r *http.Request, user *auth.Identity, remember bool, login *Login) (tokenstore.Credential, error) {
	now := m.now().UTC().Truncate(time.Microsecond)
	address, _ := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string)
	record := tokenstore.Credential{
		ID:       tokenstore.NewCredentialID(),
		Kind:     tokenstore.KindSession,
		UserKey:  user.Key,
		Created:  now,
		LastUsed: now,
		Expires:  m.ends(now, now),
	}
	d := data{Closes: !remember, Address: address, Agent: cutAgent(r.UserAgent()), Login: login}
	if login != nil {
		record.Family = login.family()
	}
	switch user.Source {
	case users.SourceStore:
		if login == nil {
			record.PasswordVersion = users.PasswordVersion(user)
		}
		if record.PasswordVersion == 0 {
			// Somebody else than the password vouched for the user.
			stored, err := m.store.User(r.Context(), user.Key)
			if err != nil {
				return record, storeError(err)
			}
			record.PasswordVersion = stored.PasswordVersion
		}
	case users.SourceConfig:
		holder, err := m.users.Holder(&record, tokenstore.User{})
		if err != nil {
			return record, err
		}
		d.Proof = holder.Proof
	default:
		return record, &auth.Failure{Code: auth.CodeAuthenticationFailed, Err: errForeign}
	}
	record.Data = encodeData(d)
	return record, nil
}

// End logs the browser out: the session of the request is revoked, and the
// browser forgets its cookie. It returns how many sessions ended, an
// *auth.Unavailable if the store does not answer, and an *auth.Denial if the
// request has more keys than any browser sends: then the user is still logged in,
// and no cookie is cleared.
func (m *Manager) End(w http.ResponseWriter, r *http.Request) (int, error) {
	n, err := m.endKeys(r.Context(), r)
	if err != nil {
		return 0, err
	}
	m.cookie.Clear(w, r)
	return n, nil
}

// endKeys revokes the sessions whose keys the request has, those as well that
// are too many to be looked up: another host of the domain may have set some, and
// that must not keep one's own from ending.
func (m *Manager) endKeys(ctx context.Context, r *http.Request) (int, error) {
	keys, whole := m.firstKeys(r, maxEnds)
	switch {
	case !whole:
		return 0, &auth.Denial{Detail: "Too many cookies."}
	case len(keys) == 0:
		return 0, nil
	}
	digests := make([][]byte, len(keys))
	for i, key := range keys {
		digests[i] = digestOf(key)
	}
	n, err := m.store.Delete(ctx, tokenstore.Filter{Kind: tokenstore.KindSession}, digests...)
	if err != nil {
		return 0, &auth.Unavailable{Err: fmt.Errorf("ending a session: %w", err)}
	}
	return n, nil
}

// setCookie has the browser keep the session cookie until then, or until it
// closes.
func (m *Manager) setCookie(w http.ResponseWriter, r *http.Request, key string, until time.Time, remember bool) {
	var age time.Duration
	if remember {
		// Rounded up: the record decides, and a cookie of no age would be one
		// until the browser closes.
		age = max(until.Sub(m.now()).Round(time.Second), time.Second)
	}
	m.cookie.Set(w, r, key, age)
}

// storeError is what an error of the store means to a login.
func storeError(err error) error {
	if errors.Is(err, tokenstore.ErrNotFound) {
		return &auth.Failure{Code: auth.CodeAuthenticationFailed, Detail: "User inactive or deleted.", Err: err}
	}
	return &auth.Unavailable{Err: fmt.Errorf("creating a session: %w", err)}
}
