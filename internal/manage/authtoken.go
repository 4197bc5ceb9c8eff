// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"
	"errors"
	"net/http"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/issue"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// authtokenDigits is how many hexadecimal digits a token of DRF has.
const authtokenDigits = 40

// Authtoken shows the one token of a user, as drf_create_token of DRF does: the
// same that the endpoint authtoken answers, made if there is none. Reset ends
// what the user has of the kind first, imported tokens too.
func (m *Manager) Authtoken(ctx context.Context, in NewToken) (IssuedToken, error) {
	if in.Label != "" || len(in.Scopes) > 0 || in.Client != "" || in.Expires != nil {
		return IssuedToken{}, invalid("kind", "is authtoken: that is one token for all that a user does, "+
			"which has no label, scopes, client or end; one of the kind token has")
	}
	owner, err := m.authtokenUser(ctx, in.User)
	if err != nil {
		return IssuedToken{}, err
	}
	if in.Reset {
		filter := tokenstore.Filter{UserKey: owner.Key, Kind: tokenstore.KindAuthtoken}
		n, err := m.Store.Delete(ctx, filter)
		if err != nil {
			return IssuedToken{}, storeError("revoking the user's token", err)
		}
		m.audit("tokens revoked", zap.String("user", owner.Name), zap.String("user_key", owner.Key),
			zap.String("kind", filter.Kind), zap.Int("revoked", n))
	}
	c := tokenstore.Credential{Kind: tokenstore.KindAuthtoken, UserKey: owner.Key}
	secret, record, made, err := issue.New(m.Store, m.Keys).Derived(ctx, c, "", authtokenDigits)
	switch {
	case errors.Is(err, tokenstore.ErrNotFound):
		return IssuedToken{}, inactive(owner.Name)
	case err != nil:
		return IssuedToken{}, storeError("making the user's token", err)
	}
	if made {
		m.audit("token created", tokenFields(record, owner.Name)...)
	} else {
		m.audit("token shown", tokenFields(record, owner.Name)...)
	}
	return IssuedToken{Secret: secret, Existing: !made, Token: tokenOf(record, owner, m.Now())}, nil
}

// authtokenUser returns an active user of the store, or what stands for one of
// the configuration.
func (m *Manager) authtokenUser(ctx context.Context, name string) (tokenstore.User, error) {
	owner, configured := m.configuredUser(name)
	if !configured {
		var err error
		owner, err = m.findUser(ctx, name)
		if refusal, ok := errors.AsType[*Error](err); ok && refusal.Status == http.StatusNotFound {
			return owner, refuse(http.StatusNotFound, "Cannot create the Token: user %s does not exist", name)
		}
		if err != nil {
			return owner, err
		}
	}
	if !owner.Active {
		return owner, inactiveOwner(&owner)
	}
	return owner, nil
}

// configuredUser returns what stands for a user of the configuration among
// those of the store.
func (m *Manager) configuredUser(name string) (tokenstore.User, bool) {
	name = users.Canonical(name)
	if !m.Directory.Configured(name) {
		return tokenstore.User{}, false
	}
	return tokenstore.User{Key: configKey + name, Name: name, Active: m.Directory.Active(name)}, true
}
