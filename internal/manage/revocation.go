// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/issue"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/revocation"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

const (
	// maxClaim is more than any token has that is accepted.
	maxClaim = 16 << 10

	// afterEnd is how long a revocation outlives its token, whose end may be
	// judged with some leeway and by another clock.
	afterEnd = 24 * time.Hour

	// accessLife is how long the access tokens are taken to live at most that a
	// refresh token was given.
	accessLife = 400 * 24 * time.Hour
)

// A Revocation says of a JSON Web Token that it is revoked. The token itself is
// not needed for that.
type Revocation struct {
	Issuer string     `json:"issuer"` // its iss; empty if it has none
	JTI    string     `json:"jti"`
	Until  *time.Time `json:"until,omitempty"` // when it would have ended; none: the revocation is kept for good
}

// RevokeJWT ends a token that carries all that is known of it, at once.
func (m *Manager) RevokeJWT(ctx context.Context, in Revocation) (Revocation, error) {
	switch {
	case in.JTI == "":
		return Revocation{}, invalid("jti", "must not be empty")
	case LooksJWT(in.JTI) || strings.HasPrefix(in.JTI, issue.DefaultPrefix):
		return Revocation{}, invalid("jti", "is a whole token, which is a secret; its jti is one of its claims")
	case len(in.JTI) > maxClaim:
		return Revocation{}, invalid("jti", "must not be longer than %d bytes", maxClaim)
	case len(in.Issuer) > maxClaim:
		return Revocation{}, invalid("issuer", "must not be longer than %d bytes", maxClaim)
	}
	var until time.Time
	if in.Until != nil {
		until = in.Until.Add(afterEnd)
	}
	family := revocation.JWT(in.Issuer, in.JTI)
	if err := m.revokeSingle(ctx, m.Store, family, until); err != nil {
		return Revocation{}, storeError("revoking the token", err)
	}
	fields := []zap.Field{zap.String("issuer", in.Issuer), zap.String("jti", in.JTI)}
	if in.Until != nil {
		fields = append(fields, zap.Time("until", *in.Until))
	}
	m.audit("token revoked by jti", fields...)
	return in, nil
}

// revokeSingle ends a token that is in a family by itself. If it is a project's that
// was refreshed here, it has a record, and the access tokens that it was given are in
// that family, too.
func (m *Manager) revokeSingle(ctx context.Context, store tokenstore.Store, family string, until time.Time) error {
	known, _, err := store.List(ctx, tokenstore.Filter{Family: family}, "", 1)
	if err != nil {
		return err
	}
	if len(known) > 0 && !until.IsZero() {
		until = m.lastAccess(tokenstore.Credential{Expires: until})
	}
	return store.Revoke(ctx, family, until)
}

// LooksJWT reports whether a text may be a JSON Web Token, and so a secret.
func LooksJWT(text string) bool {
	return strings.HasPrefix(text, "eyJ") && strings.Count(text, ".") >= 2
}

// endLogins ends the logins whose refresh tokens a filter selects, and reports how
// many these were.
func (m *Manager) endLogins(ctx context.Context, filter tokenstore.Filter) (n int, err error) {
	if filter.Kind != "" && filter.Kind != tokenstore.KindRefresh {
		return 0, nil
	}
	filter.Kind = tokenstore.KindRefresh
	for cursor := ""; ; {
		page, next, err := m.Store.List(ctx, filter, cursor, tokenstore.MaxPage)
		if err != nil {
			return 0, err
		}
		for _, c := range page {
			if c.Family == "" {
				continue
			}
			if err := m.endLogin(ctx, c); err != nil {
				return 0, err
			}
			n++
		}
		if next == "" {
			return n, nil
		}
		cursor = next
	}
}

// endLogin ends a refresh token and the access tokens that it was given. These are
// no records, but name the family that they are in.
func (m *Manager) endLogin(ctx context.Context, c tokenstore.Credential) error {
	return m.Store.Revoke(ctx, c.Family, m.lastAccess(c))
}

// lastAccess is when the last access token has ended that a refresh token was given.
func (m *Manager) lastAccess(c tokenstore.Credential) time.Time {
	last := m.Now()
	if c.Expires.After(last) {
		last = c.Expires
	}
	return last.Add(accessLife)
}

func (c *call) postRevocation(string) error {
	var in struct {
		Revocation
		Until *string `json:"until"`
	}
	if err := c.body(&in); err != nil {
		return err
	}
	if in.Until != nil {
		at, err := time.Parse(time.RFC3339, *in.Until)
		if err != nil {
			return invalid("until", "must be a time as 2027-01-31T00:00:00Z")
		}
		in.Revocation.Until = &at
	}
	done, err := c.RevokeJWT(c.r.Context(), in.Revocation)
	if err != nil {
		return err
	}
	writeJSON(c.w, http.StatusCreated, done)
	return nil
}
