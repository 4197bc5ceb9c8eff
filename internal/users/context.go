// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package users

import (
	"fmt"

	"github.com/caddyserver/caddy/v2"
)

// A Provider is the app that owns a configuration's users.
type Provider interface {
	UserDirectory() *Directory
}

// FromContext returns the users of the configuration that ctx belongs to.
func FromContext(ctx caddy.Context) (*Directory, error) {
	app, err := ctx.App("rest_auth")
	if err != nil {
		return nil, err
	}
	provider, ok := app.(Provider)
	if !ok {
		return nil, fmt.Errorf("app rest_auth is a %T, which has no users", app)
	}
	return provider.UserDirectory(), nil
}
