// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// errNoUser keeps a mistake of a caller from meaning everybody's sessions.
var errNoUser = errors.New("no user is named")

// List returns a page of the sessions of a user, oldest first, and where the
// next one begins; "" begins the first, and is returned after the last. A page
// may have fewer than n sessions, since those that ended are left out.
func (m *Manager) List(ctx context.Context, userKey, cursor string, n int) (page []*Session, next string, err error) {
	if userKey == "" {
		return nil, "", errNoUser
	}
	records, next, err := m.store.List(ctx, tokenstore.Filter{UserKey: userKey, Kind: tokenstore.KindSession}, cursor, n)
	if err != nil {
		return nil, "", listError(err)
	}
	now := m.now()
	for i := range records {
		session := described(&records[i])
		if session.Expires.IsZero() || now.Before(session.Expires) {
			page = append(page, session)
		}
	}
	return page, next, nil
}

// EndOne ends the session of a user that has this ID, and reports whether
// there was one.
func (m *Manager) EndOne(ctx context.Context, userKey, id string) (bool, error) {
	if userKey == "" || id == "" {
		return false, errNoUser
	}
	n, err := m.store.Delete(ctx, tokenstore.Filter{ID: id, UserKey: userKey, Kind: tokenstore.KindSession})
	if err != nil {
		return false, listError(err)
	}
	return n > 0, nil
}

// EndAll ends all sessions of a user but the one whose ID is except, which may
// be empty, and reports how many.
func (m *Manager) EndAll(ctx context.Context, userKey, except string) (ended int, err error) {
	if userKey == "" {
		return 0, errNoUser
	}
	all := tokenstore.Filter{UserKey: userKey, Kind: tokenstore.KindSession}
	if except == "" {
		if ended, err = m.store.Delete(ctx, all); err != nil {
			return 0, listError(err)
		}
		return ended, nil
	}
	var digests [][]byte
	for cursor := ""; ; {
		records, next, err := m.store.List(ctx, all, cursor, tokenstore.MaxPage)
		if err != nil {
			return 0, listError(err)
		}
		for i := range records {
			if records[i].ID != except {
				digests = append(digests, records[i].Digest)
			}
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	if len(digests) == 0 {
		return 0, nil
	}
	if ended, err = m.store.Delete(ctx, all, digests...); err != nil {
		return 0, listError(err)
	}
	return ended, nil
}

func listError(err error) error {
	if errors.Is(err, tokenstore.ErrCursor) {
		return err
	}
	return &auth.Unavailable{Err: fmt.Errorf("sessions: %w", err)}
}
