// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"context"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/django"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/revocation"
)

// surveyBlacklisted looks whether a blacklisted token is revoked here.
func (i *importer) surveyBlacklisted(ctx context.Context, in django.Token) (uint8, error) {
	revoked, err := i.store.Revoked(ctx, revocation.JWT(in.Issuer, in.JTI))
	if err != nil {
		return unknown, err
	}
	if revoked {
		return settled, nil
	}
	return absent, nil
}

// blacklisted revokes a token by its jti, so that it makes no difference whether it
// is imported, has been used here, or comes with an older dump after this one.
func (i *importer) blacklisted(ctx context.Context, in django.Token) error {
	err := i.revokeSingle(ctx, i.store, revocation.JWT(in.Issuer, in.JTI), in.Expires.Add(afterEnd))
	if err == nil {
		i.report.BlacklistedTokens.Created++
	}
	return err
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
