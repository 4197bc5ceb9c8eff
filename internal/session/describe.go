// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package session

import "github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"

// Describe returns what a record of kind tokenstore.KindSession says, without
// its user, to those who manage the store itself.
func Describe(record *tokenstore.Credential) *Session { return described(record) }
