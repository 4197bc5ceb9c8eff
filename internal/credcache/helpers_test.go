// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package credcache

import (
	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func changeOf(id *auth.Identity) tokenstore.Change {
	return tokenstore.Change{UserKey: id.Key, CredentialID: id.Credential, Family: id.Family, ClientID: id.Client}
}
