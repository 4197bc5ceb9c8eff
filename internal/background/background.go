// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package background begins work when a configuration is started, which
// provisioning must not: a configuration that is only validated asks no other
// server, and one that fails to load leaves nothing behind.
package background

import (
	"fmt"

	"github.com/caddyserver/caddy/v2"
)

// A Provider is the app that is started with its configuration.
type Provider interface {
	// OnStart has f called when the app starts, or at once if it was started.
	// f must not block, and its work ends by its owner's cleanup.
	OnStart(f func())
}

// FromContext returns what begins the work of the configuration that ctx
// belongs to.
func FromContext(ctx caddy.Context) (Provider, error) {
	app, err := ctx.App("rest_auth")
	if err != nil {
		return nil, err
	}
	provider, ok := app.(Provider)
	if !ok {
		return nil, fmt.Errorf("app rest_auth is a %T, which starts nothing", app)
	}
	return provider, nil
}
