// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"
	"errors"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/issue"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// MaxGrace bounds how long a rotated token may go on being accepted.
const MaxGrace = 30 * 24 * time.Hour

// RotateToken issues a token in the place of another one, with its user, kind,
// label, scopes, client and expiry. The old one is accepted until the grace is
// over, and no longer than it would have been; without a grace it ends at once.
func (m *Manager) RotateToken(ctx context.Context, handle string, grace time.Duration) (IssuedToken, error) {
	if grace < 0 || grace > MaxGrace {
		return IssuedToken{}, invalid("grace", "must be between 0 and %s", MaxGrace)
	}
	transactor, ok := m.Store.(tokenstore.Transactor)
	if !ok {
		return IssuedToken{}, refuse(http.StatusNotImplemented, "this store cannot rotate tokens; create one and revoke the other")
	}
	var issued IssuedToken
	var next tokenstore.Credential
	err := transactor.InTx(ctx, func(store tokenstore.Store) (err error) {
		issued, next, err = m.rotate(ctx, store, handle, grace)
		return err
	})
	if refusal := (*Error)(nil); errors.As(err, &refusal) {
		return IssuedToken{}, refusal
	}
	if err != nil {
		return IssuedToken{}, storeError("rotating the token", err)
	}
	m.audit("token rotated", append(tokenFields(next, issued.User), zap.String("previous", handle), zap.Duration("grace", grace))...)
	return issued, nil
}

// rotate replaces the record in a transaction.
func (m *Manager) rotate(ctx context.Context, store tokenstore.Store, handle string, grace time.Duration) (IssuedToken, tokenstore.Credential, error) {
	now := m.Now()
	none := tokenstore.Credential{}
	old, err := findToken(ctx, store, handle)
	if err != nil {
		return IssuedToken{}, none, err
	}
	if err := checkKind(old.Kind); err != nil {
		return IssuedToken{}, none, refuse(http.StatusConflict, "'%s' is a %s, which is not rotated by hand", handle, old.Kind)
	}
	if issue.IsDerived(&old) {
		return IssuedToken{}, none, derivedRotation(&old)
	}
	if expired(old, now) {
		return IssuedToken{}, none, refuse(http.StatusConflict, "token '%s' has expired; create another", handle)
	}
	if grace > 0 && old.Origin != "" {
		return IssuedToken{}, none, invalid("grace", "token '%s' was imported, and ends at once when it is rotated; leave the grace out", handle)
	}
	owner, err := m.owner(ctx, store, old.UserKey)
	switch {
	case err != nil:
		return IssuedToken{}, none, err
	case old.UserKey != "" && owner.Key == "":
		return IssuedToken{}, none, refuse(http.StatusConflict, "the user of token '%s' is gone", handle)
	case old.UserKey != "" && !owner.Active:
		return IssuedToken{}, none, inactiveOwner(&owner)
	}

	secret, digest := newSecret()
	next := old
	next.Digest = digest
	next, kept, err := issue.Replace(ctx, store, old, next, grace, 0, now)
	if err != nil {
		return IssuedToken{}, none, storeError("rotating the token", err)
	}
	issued := IssuedToken{Secret: secret, Token: tokenOf(next, owner, now)}
	if grace > 0 {
		previous := tokenOf(kept, owner, now)
		issued.Previous = &previous
	}
	return issued, next, nil
}

// derivedRotation says how to get another of a token that follows from its record.
func derivedRotation(old *tokenstore.Credential) *Error {
	another := "revoke it, and the next answer to its user is another"
	if old.Kind == tokenstore.KindAuthtoken {
		another = "'token create --kind authtoken --reset' makes another"
	}
	return refuse(http.StatusConflict, "token '%s' is the same whenever its user asks for it; %s", old.ID, another)
}
