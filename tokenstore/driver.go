// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package tokenstore

import (
	"context"
	"fmt"
	"io"

	"github.com/caddyserver/caddy/v2"
)

// A Driver is a guest of rest_auth.token_stores: it says where a store is, and
// opens it. Provisioning a driver does no input or output, so that a store
// which is slow or absent cannot keep Caddy from starting.
type Driver interface {
	// Identifier names the place of the data. Drivers with the same one share
	// an open store, over reloads too. It holds no secret: commands, logs and
	// the admin API show it.
	Identifier() string

	// Open opens the store for serving, creating it on first use. It is called
	// again, later, after it returned an error.
	Open(ctx context.Context) (Store, error)

	// OpenExisting opens the store for a command. It never creates anything,
	// and returns an error wrapping fs.ErrNotExist if there is no store.
	OpenExisting(ctx context.Context) (Store, error)
}

// A Checker is a Driver that can examine a store that is not open, without
// changing it. Check returns nil for a store in order and for none at all,
// and ErrNewerSchema if a newer program has used it.
type Checker interface {
	Check(ctx context.Context) error
}

// An Initializer is a Driver with a store to create by hand. With force it also
// replaces what says that another store belongs there.
type Initializer interface {
	Init(ctx context.Context, force bool) error
}

// A Backuper is a Store that can write a consistent copy of itself while it is
// used.
type Backuper interface {
	Backup(ctx context.Context, w io.Writer) error
}

// A Verifier is a Store that can examine its own integrity. It returns one
// line per problem.
type Verifier interface {
	Verify(ctx context.Context) (problems []string, err error)
}

// A Provider is the app that owns a configuration's store.
type Provider interface {
	TokenStore() Store
}

// FromContext returns the store of the configuration that ctx belongs to. The
// store opens in the background and at its first use; it stays valid until the
// configuration is cleaned up.
func FromContext(ctx caddy.Context) (Store, error) {
	app, err := ctx.App("rest_auth")
	if err != nil {
		return nil, err
	}
	provider, ok := app.(Provider)
	if !ok {
		return nil, fmt.Errorf("app rest_auth is a %T, which has no store", app)
	}
	return provider.TokenStore(), nil
}
