// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package postgres

import (
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/storetest"
)

func TestSuite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) tokenstore.Store { return openStore(t, newDriver(t)) })
}
