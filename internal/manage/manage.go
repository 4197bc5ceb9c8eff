// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package manage is what an operator may do to users, groups, tokens and the
// store, and the JSON API of it.
//
// The admin API of a running Caddy and the command line, online and offline,
// all pass through Handle, so that every door has the same checks, and every
// change leaves one line in the log. A secret is in one answer only: that of
// the request which made it.
package manage

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/loginthrottle"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/serverkey"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/signing"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// A Manager carries out what operators ask for. It keeps nothing between two
// calls and costs nothing to make.
type Manager struct {
	// Store is what is managed. Everyone who caches what it holds must learn of
	// changes from it.
	Store tokenstore.Store

	// Place names the store for people, as its driver's Identifier.
	Place string

	// Directory knows the users of the configuration, who are not in the store
	// and whose names it must not hold.
	Directory Directory

	// Hasher hashes new passwords.
	Hasher Hasher

	// Guesses tells what counted guesses mean. A nil one has the defaults.
	Guesses *loginthrottle.Throttle

	// Keys are the server's, which the tokens of kind authtoken are derived from.
	Keys *serverkey.Keys

	// Signing has the keys that tokens are signed with.
	Signing *signing.Keys

	// Log gets one line at INFO for every change.
	Log *zap.Logger

	// Now is the clock.
	Now func() time.Time
}

// A Directory knows the users of the configuration.
type Directory interface {
	Configured(name string) bool
	Active(name string) bool // of one who is configured
	Names() []string
}

// A Hasher makes the hash that is stored for a password.
type Hasher interface {
	Hash(ctx context.Context, password string) (string, error)
}

// audit records a change. Values are fields, never part of the message, so that
// no name can forge a line.
func (m *Manager) audit(action string, fields ...zap.Field) {
	m.Log.Info("changed by an operator", append([]zap.Field{zap.String("action", action)}, fields...)...)
}
