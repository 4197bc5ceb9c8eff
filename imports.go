// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

// The standard bundle: what `xcaddy build --with` this module gives.
import (
	_ "github.com/caddy-rest-auth/caddy-rest-auth/authenticators"
	_ "github.com/caddy-rest-auth/caddy-rest-auth/endpoints/authtoken"
	_ "github.com/caddy-rest-auth/caddy-rest-auth/endpoints/durin"
	_ "github.com/caddy-rest-auth/caddy-rest-auth/endpoints/knox"
	_ "github.com/caddy-rest-auth/caddy-rest-auth/endpoints/oidc"
	_ "github.com/caddy-rest-auth/caddy-rest-auth/endpoints/protectedresource"
	_ "github.com/caddy-rest-auth/caddy-rest-auth/endpoints/session"
	_ "github.com/caddy-rest-auth/caddy-rest-auth/endpoints/simplejwt"
	_ "github.com/caddy-rest-auth/caddy-rest-auth/endpoints/tokens"
	_ "github.com/caddy-rest-auth/caddy-rest-auth/endpoints/whoami"
	_ "github.com/caddy-rest-auth/caddy-rest-auth/permissions"
	_ "github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/memory"
	_ "github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/sqlite"
)
