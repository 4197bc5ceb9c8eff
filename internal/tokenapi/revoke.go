// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package tokenapi

import (
	"context"
	"errors"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// errNobody is the cause of a refusal to end tokens. A filter selects by what is
// not empty: one without a user would end everybody's.
var errNobody = errors.New("the credential stands for no user")

// A Revoker ends records, as a tokenstore.Store does.
type Revoker interface {
	Delete(ctx context.Context, f tokenstore.Filter, digests ...[]byte) (int, error)
}

// Revoke ends the token of a user that has this handle, and reports whether
// there was one.
func Revoke(ctx context.Context, revoker Revoker, kind string, id *auth.Identity, handle string) (bool, error) {
	if handle == "" {
		return false, refuseNobody()
	}
	return revoke(ctx, revoker, id, tokenstore.Filter{ID: handle, Kind: kind})
}

// RevokeAll ends all tokens that a user has of a kind, or of a kind and client.
func RevokeAll(ctx context.Context, revoker Revoker, kind string, id *auth.Identity, client string) (bool, error) {
	return revoke(ctx, revoker, id, tokenstore.Filter{ClientID: client, Kind: kind})
}

func revoke(ctx context.Context, revoker Revoker, id *auth.Identity, which tokenstore.Filter) (bool, error) {
	if id.Key == "" {
		return false, refuseNobody()
	}
	which.UserKey = id.Key
	n, err := revoker.Delete(ctx, which)
	if err != nil {
		return false, &auth.Unavailable{Err: err}
	}
	return n > 0, nil
}

func refuseNobody() error {
	return &auth.Failure{Code: auth.CodeAuthenticationFailed, Detail: "Invalid token.", Err: errNobody}
}
