// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func findToken(ctx context.Context, store tokenstore.Store, handle string) (tokenstore.Credential, error) {
	if handle == "" {
		return tokenstore.Credential{}, noToken(handle)
	}
	page, _, err := store.List(ctx, tokenstore.Filter{ID: handle}, "", 1)
	if err != nil {
		return tokenstore.Credential{}, storeError("reading the token", err)
	}
	if len(page) == 0 {
		return tokenstore.Credential{}, noToken(handle)
	}
	return page[0], nil
}

// noToken does not repeat what may be a secret that somebody took for a handle.
func noToken(handle string) *Error {
	if LooksSecret(handle) {
		handle = "…"
	}
	return &Error{Status: http.StatusNotFound, Text: "there is no token '" + handle + "'; a token is named by its handle, not by its secret", Err: tokenstore.ErrNotFound}
}

func inactive(user string) *Error {
	return refuse(http.StatusConflict, "user '%s' is disabled; enable it first", user)
}

// inactiveOwner says where the user is to be enabled.
func inactiveOwner(owner *tokenstore.User) *Error {
	if tokenstore.IsForeign(owner.Key) {
		return refuse(http.StatusConflict, "user '%s' is inactive in the configuration", owner.Name)
	}
	return inactive(owner.Name)
}

// describeToken adds the owner, whom owners spares to read again.
func (m *Manager) describeToken(ctx context.Context, c tokenstore.Credential, owners map[string]tokenstore.User) (Token, error) {
	owner, known := owners[c.UserKey]
	if !known {
		var err error
		if owner, err = m.owner(ctx, m.Store, c.UserKey); err != nil {
			return Token{}, err
		}
		if owners != nil {
			owners[c.UserKey] = owner
		}
	}
	return tokenOf(c, owner, m.Now()), nil
}

// owner returns the user of a key, who is in the store or the configuration. One
// who is gone, or none at all, is the zero user.
func (m *Manager) owner(ctx context.Context, store tokenstore.Store, key string) (tokenstore.User, error) {
	if name, configured := strings.CutPrefix(key, configKey); configured {
		owner, _ := m.configuredUser(name)
		return owner, nil
	}
	if key == "" {
		return tokenstore.User{}, nil
	}
	owner, err := store.User(ctx, key)
	if err != nil && !errors.Is(err, tokenstore.ErrNotFound) {
		return owner, storeError("reading the token's user", err)
	}
	return owner, nil
}

func tokenOf(c tokenstore.Credential, owner tokenstore.User, now time.Time) Token {
	t := Token{
		Handle: c.ID, Kind: c.Kind, User: owner.Name, UserKey: c.UserKey, Label: c.Label, Scopes: list(c.Scopes),
		Client: c.ClientID, Created: c.Created.UTC(), Expires: optional(c.Expires), LastUsed: optional(c.LastUsed), Origin: c.Origin,
		Status: StatusLive,
	}
	switch {
	case expired(c, now):
		t.Status = StatusExpired
	case c.UserKey != "" && !owner.Active:
		t.Status = StatusUserInactive
	case c.PasswordVersion > 0 && c.PasswordVersion != owner.PasswordVersion:
		t.Status = StatusPasswordChanged
	}
	return t
}

func expired(c tokenstore.Credential, now time.Time) bool {
	return !c.Expires.IsZero() && !c.Expires.After(now)
}

// lastMoment is the last one that JSON has a form for. What ends later, as an
// import may say, is said to end then.
var lastMoment = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	if t = t.UTC(); t.After(lastMoment) {
		t = lastMoment
	}
	return &t
}

// tokenFields are what the log says of a token.
func tokenFields(c tokenstore.Credential, user string) []zap.Field {
	fields := []zap.Field{zap.String("handle", c.ID), zap.String("kind", c.Kind), zap.String("user_key", c.UserKey)}
	if user != "" {
		fields = append(fields, zap.String("user", user))
	}
	if c.ClientID != "" {
		fields = append(fields, zap.String("client", c.ClientID))
	}
	if !c.Expires.IsZero() {
		fields = append(fields, zap.Time("expires", c.Expires))
	}
	return append(fields, zap.String("label", c.Label), zap.Strings("scopes", c.Scopes))
}
