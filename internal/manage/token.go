// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"
	"errors"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// What keeps a token from being accepted, if anything does.
const (
	StatusLive            = "live"
	StatusExpired         = "expired"
	StatusUserInactive    = "user_inactive"
	StatusPasswordChanged = "password_changed"
)

// A Token is what the API says of a token: neither the secret nor its digest.
type Token struct {
	Handle   string     `json:"handle"`
	Kind     string     `json:"kind"`
	User     string     `json:"user,omitempty"`
	UserKey  string     `json:"user_key,omitempty"`
	Label    string     `json:"label,omitempty"`
	Scopes   []string   `json:"scopes"`
	Client   string     `json:"client,omitempty"`
	Created  time.Time  `json:"created"`
	Expires  *time.Time `json:"expires,omitempty"`   // none: never
	LastUsed *time.Time `json:"last_used,omitempty"` // none: never; accurate to a minute
	Origin   string     `json:"origin,omitempty"`
	Status   string     `json:"status"`
}

// An IssuedToken is a token with its secret, which nothing shows again unless
// its kind is authtoken.
type IssuedToken struct {
	Secret string `json:"token"`
	Token

	// Existing says that the token was there before.
	Existing bool `json:"existing,omitempty"`

	// Previous is what a rotation replaced. It is accepted until it expires.
	Previous *Token `json:"previous,omitempty"`
}

// NewToken is a token to create.
type NewToken struct {
	User    string     `json:"user"`
	Kind    string     `json:"kind,omitempty"` // default: token
	Label   string     `json:"label,omitempty"`
	Scopes  []string   `json:"scopes,omitempty"`
	Client  string     `json:"client,omitempty"`
	Expires *time.Time `json:"expires,omitempty"` // default: never

	// Reset ends the tokens that the user has of the kind, which is authtoken.
	Reset bool `json:"reset,omitempty"`
}

// TokenFilter selects tokens by all of its non-empty fields. User is a name.
type TokenFilter struct{ User, Kind, Client string }

// mostReads bounds how often one page of a list reads the store to find what
// belongs there.
const mostReads = 100

// ListTokens returns a page of tokens, oldest first, expired ones included. The
// store keeps sessions beside them, which are left out: among very many of those
// a page may be short, or empty, and not be the last.
func (m *Manager) ListTokens(ctx context.Context, f TokenFilter, cursor string, limit int) ([]Token, string, error) {
	filter, err := m.filter(ctx, f)
	if err != nil {
		return nil, "", err
	}
	tokens := []Token{}
	owners := make(map[string]tokenstore.User)
	for reads := 1; ; reads++ {
		page, next, err := m.Store.List(ctx, filter, cursor, limit-len(tokens))
		if err != nil {
			return nil, "", storeError("listing tokens", err)
		}
		for _, c := range page {
			if !managed(c.Kind) {
				continue
			}
			t, err := m.describeToken(ctx, c, owners)
			if err != nil {
				return nil, "", err
			}
			tokens = append(tokens, t)
		}
		if next == "" || len(tokens) >= limit || reads == mostReads {
			return tokens, next, nil
		}
		cursor = next
	}
}

// ShowToken returns the token of that handle.
func (m *Manager) ShowToken(ctx context.Context, handle string) (Token, error) {
	c, err := findToken(ctx, m.Store, handle)
	if err != nil {
		return Token{}, err
	}
	return m.describeToken(ctx, c, nil)
}

// CreateToken issues a token to an active user. One of the kind
// authtoken is the user's one, and may be there already.
func (m *Manager) CreateToken(ctx context.Context, in NewToken) (IssuedToken, error) {
	now := m.Now()
	switch {
	case in.User == "":
		return IssuedToken{}, invalid("user", "must name the user who will own the token")
	case in.Kind == tokenstore.KindAuthtoken:
		return m.Authtoken(ctx, in)
	case in.Reset:
		return IssuedToken{}, invalid("reset", "is for tokens of the kind authtoken")
	}
	c := tokenstore.Credential{ID: tokenstore.NewCredentialID(), Kind: in.Kind, Label: in.Label, ClientID: in.Client, Created: now}
	if c.Kind == "" {
		c.Kind = tokenstore.KindToken
	}
	if err := checkKind(c.Kind); err != nil {
		return IssuedToken{}, err
	}
	if err := checkText("label", in.Label, 0, maxLabel); err != nil {
		return IssuedToken{}, err
	}
	if err := checkText("client", in.Client, 0, maxClient); err != nil {
		return IssuedToken{}, err
	}
	if in.Expires != nil {
		if !in.Expires.After(now) {
			return IssuedToken{}, invalid("expires", "must be in the future")
		}
		c.Expires = *in.Expires
	}
	if c.Kind == tokenstore.KindDurin {
		if err := m.forClient(ctx, &c); err != nil {
			return IssuedToken{}, err
		}
	}
	var err error
	if c.Scopes, err = checkScopes(in.Scopes); err != nil {
		return IssuedToken{}, err
	}
	u, configured := m.configuredUser(in.User)
	if !configured {
		u, err = m.findUser(ctx, in.User)
	} else if !u.Active {
		err = inactiveOwner(&u)
	}
	if err != nil {
		return IssuedToken{}, err
	}
	c.UserKey, c.Slot = u.Key, slot(c.Kind, u.Key, c.ClientID)

	secret, digest := newSecret()
	c.Digest = digest
	switch err := m.Store.Create(ctx, c, 0, false); {
	case errors.Is(err, tokenstore.ErrNotFound):
		return IssuedToken{}, inactive(u.Name)
	case errors.Is(err, tokenstore.ErrExists):
		return IssuedToken{}, refuse(http.StatusConflict,
			"user '%s' has a token of kind %s already, and may have one only; revoke or rotate it", u.Name, c.Kind)
	case err != nil:
		return IssuedToken{}, storeError("creating the token", err)
	}
	m.audit("token created", tokenFields(c, u.Name)...)
	return IssuedToken{Secret: secret, Token: tokenOf(c, u, now)}, nil
}

// RevokeToken ends the token of that handle at once.
func (m *Manager) RevokeToken(ctx context.Context, handle string) error {
	c, err := findToken(ctx, m.Store, handle)
	if err != nil {
		return err
	}
	if c.Kind == tokenstore.KindRefresh && c.Family != "" {
		err = m.endLogin(ctx, c)
	} else {
		var n int
		if n, err = m.Store.Delete(ctx, tokenstore.Filter{ID: c.ID}); err == nil && n == 0 {
			return noToken(handle)
		}
	}
	if err != nil {
		return storeError("revoking the token", err)
	}
	m.audit("token revoked", tokenFields(c, "")...)
	return nil
}

// RevokeTokens ends everything that was issued to the user, or all of a kind
// or client of it, and reports how many went.
func (m *Manager) RevokeTokens(ctx context.Context, f TokenFilter) (int, error) {
	if f.User == "" {
		return 0, invalid("user", "must name the user whose tokens end")
	}
	filter, err := m.filter(ctx, f)
	if err != nil {
		return 0, err
	}
	logins, err := m.endLogins(ctx, filter)
	if err != nil {
		return 0, storeError("revoking the tokens", err)
	}
	n, err := m.Store.Delete(ctx, filter)
	if err != nil {
		return 0, storeError("revoking the tokens", err)
	}
	n += logins
	m.audit("tokens revoked", zap.String("user", f.User), zap.String("user_key", filter.UserKey),
		zap.String("kind", f.Kind), zap.String("client", f.Client), zap.Int("revoked", n))
	return n, nil
}

func (m *Manager) filter(ctx context.Context, f TokenFilter) (tokenstore.Filter, error) {
	filter := tokenstore.Filter{Kind: f.Kind, ClientID: f.Client}
	if f.Kind != "" && !managed(f.Kind) {
		return filter, checkKind(f.Kind)
	}
	if u, ok := m.configuredUser(f.User); ok {
		filter.UserKey = u.Key
	} else if f.User != "" {
		u, err := m.findUser(ctx, f.User)
		if refusal, ok := errors.AsType[*Error](err); ok && refusal.Status == http.StatusNotFound {
			return m.departed(ctx, filter, f.User, refusal)
		}
		if err != nil {
			return filter, err
		}
		filter.UserKey = u.Key
	}
	return filter, nil
}

// managed reports whether records of a kind are tokens. Sessions are not.
func managed(kind string) bool {
	return tokenstore.IsRequestKind(kind) || kind == tokenstore.KindRefresh
}

// departed selects what is left of a user whom the configuration had once: it
// would be accepted again if it ever had one of that name. A user who left
// nothing is unknown.
func (m *Manager) departed(ctx context.Context, filter tokenstore.Filter, name string, unknown *Error) (tokenstore.Filter, error) {
	filter.UserKey = configKey + users.Canonical(name)
	left, _, err := m.Store.List(ctx, tokenstore.Filter{UserKey: filter.UserKey}, "", 1)
	if err != nil {
		return filter, storeError("reading the user's tokens", err)
	}
	if len(left) == 0 {
		return filter, unknown
	}
	return filter, nil
}

// slot holds the kinds of which one user, or one client of it, has one only.
func slot(kind, userKey, client string) string {
	switch kind {
	case tokenstore.KindAuthtoken:
		return kind + ":" + userKey
	case tokenstore.KindDurin:
		return kind + ":" + userKey + ":" + client
	}
	return ""
}
