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

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
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

// describeToken adds the owner, whom owners spares to read again.
func (m *Manager) describeToken(ctx context.Context, c tokenstore.Credential, owners map[string]tokenstore.User) (Token, error) {
	owner, known := owners[c.UserKey]
	if name, configured := strings.CutPrefix(c.UserKey, users.SourceConfig+":"); configured {
		owner, _ = m.configuredUser(name)
	} else if !known && c.UserKey != "" {
		var err error
		owner, err = m.Store.User(ctx, c.UserKey)
		if err != nil && !errors.Is(err, tokenstore.ErrNotFound) {
			return Token{}, storeError("reading the token's user", err)
		}
		if owners != nil {
			owners[c.UserKey] = owner
		}
	}
	return tokenOf(c, owner, m.Now()), nil
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

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
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
