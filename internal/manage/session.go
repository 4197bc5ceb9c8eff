// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/session"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// A Session is what the API says of a browser that is logged in.
type Session struct {
	Handle    string     `json:"handle"`
	User      string     `json:"user"`
	UserKey   string     `json:"user_key"`
	Created   time.Time  `json:"created"`
	LastUsed  *time.Time `json:"last_used,omitempty"` // none: never; accurate to a minute
	Expires   *time.Time `json:"expires,omitempty"`   // none: never
	Remember  bool       `json:"remember"`            // the browser keeps it when it closes
	Address   string     `json:"address,omitempty"`   // of the login, as is the next
	UserAgent string     `json:"user_agent,omitempty"`
	Origin    string     `json:"origin,omitempty"`
	Provider  string     `json:"provider,omitempty"` // where the user has logged in; none: here
	Status    string     `json:"status"`
}

// ListSessions returns a page of the sessions of a user, or of all users if the
// name is empty, oldest first, expired ones included.
func (m *Manager) ListSessions(ctx context.Context, user, cursor string, limit int) ([]Session, string, error) {
	filter, err := m.sessionsOf(ctx, user)
	if err != nil {
		return nil, "", err
	}
	page, next, err := m.Store.List(ctx, filter, cursor, limit)
	if err != nil {
		return nil, "", storeError("listing sessions", err)
	}
	sessions := make([]Session, len(page))
	owners := make(map[string]tokenstore.User)
	for i := range page {
		if sessions[i], err = m.describeSession(ctx, &page[i], owners); err != nil {
			return nil, "", err
		}
	}
	return sessions, next, nil
}

// EndSession logs the browser out whose session has that handle, at once.
func (m *Manager) EndSession(ctx context.Context, handle string) error {
	n, err := m.Store.Delete(ctx, tokenstore.Filter{ID: handle, Kind: tokenstore.KindSession})
	if err != nil {
		return storeError("ending the session", err)
	}
	if n == 0 {
		if LooksSecret(handle) {
			handle = "…"
		}
		return refuse(http.StatusNotFound, "there is no session '%s'; a session is named by its handle, not by what is in its cookie", handle)
	}
	m.audit("session ended", zap.String("handle", handle))
	return nil
}

// EndSessions logs all browsers of a user out, or those of all users if the name
// is empty, and reports how many sessions ended.
func (m *Manager) EndSessions(ctx context.Context, user string) (int, error) {
	filter, err := m.sessionsOf(ctx, user)
	if err != nil {
		return 0, err
	}
	n, err := m.Store.Delete(ctx, filter)
	if err != nil {
		return 0, storeError("ending the sessions", err)
	}
	m.audit("sessions ended", zap.String("user", user), zap.String("user_key", filter.UserKey), zap.Int("ended", n))
	return n, nil
}

// sessionsOf selects the sessions of a user, of the store or of the
// configuration.
func (m *Manager) sessionsOf(ctx context.Context, user string) (tokenstore.Filter, error) {
	filter := tokenstore.Filter{Kind: tokenstore.KindSession}
	if user == "" {
		return filter, nil
	}
	if name := users.Canonical(user); m.Directory.Configured(name) {
		filter.UserKey = configKey + name
		return filter, nil
	}
	u, err := m.findUser(ctx, user)
	if err != nil {
		return filter, err
	}
	filter.UserKey = u.Key
	return filter, nil
}

// configKey begins the keys of users of the configuration.
const configKey = users.SourceConfig + ":"

func (m *Manager) describeSession(ctx context.Context, c *tokenstore.Credential, owners map[string]tokenstore.User) (Session, error) {
	token, err := m.describeToken(ctx, *c, owners)
	if err != nil {
		return Session{}, err
	}
	said := session.Describe(c)
	s := Session{
		Handle: token.Handle, User: token.User, UserKey: token.UserKey, Created: token.Created, LastUsed: token.LastUsed,
		Expires: token.Expires, Remember: said.Remember, Address: said.Address, UserAgent: said.Agent, Origin: token.Origin, Status: token.Status,
	}
	if said.Login != nil {
		s.Provider = said.Login.Provider
	}
	// The store has no record of users of the configuration.
	if name, ok := strings.CutPrefix(c.UserKey, configKey); ok {
		s.User = name
	}
	return s, nil
}
