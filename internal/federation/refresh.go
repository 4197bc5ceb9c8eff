// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package federation

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// Refresh writes to the store which full name and e-mail address the issuer says
// that its user has now, if that is a user whom issuer and subject name: others'
// are the operator's. What the issuer does not say stays. It is for logins; a
// token is not worth a write.
//
// Nobody is kept out because it fails.
func (a *Accounts) Refresh(ctx context.Context, id, stated *auth.Identity) {
	name, email := or(stated.Name, id.Name), or(stated.Email, id.Email)
	if a.Link != linkSubject || id.Source != users.SourceStore || auth.DryRun(ctx) || name == id.Name && email == id.Email {
		return
	}
	user, err := a.store.User(ctx, id.Key)
	if err == nil {
		user.FullName, user.Email = name, email
		_, err = a.store.PutUser(ctx, user)
	}
	switch {
	case err == nil:
		id.Name, id.Email = name, email
	case errors.Is(err, tokenstore.ErrStale), errors.Is(err, tokenstore.ErrNotFound):
		// Somebody else writes the user at this moment, and may well disable it.
	default:
		a.logger.Warn("the name and the address of a user are not refreshed", zap.String("user_key", id.Key), zap.Error(err))
	}
}
