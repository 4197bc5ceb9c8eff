// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package revocation

import (
	"fmt"

	"github.com/caddyserver/caddy/v2"
)

// A Provider is the app that owns a configuration's store.
type Provider interface {
	Revocations() *List
}

// FromContext returns the revoked families of the store of the configuration that
// ctx belongs to.
func FromContext(ctx caddy.Context) (*List, error) {
	app, err := ctx.App("rest_auth")
	if err != nil {
		return nil, err
	}
	provider, ok := app.(Provider)
	if !ok {
		return nil, fmt.Errorf("app rest_auth is a %T, which does not know what is revoked", app)
	}
	return provider.Revocations(), nil
}
