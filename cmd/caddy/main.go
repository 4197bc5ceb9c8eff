// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Command caddy is Caddy with its standard modules and this one, for
// development, CI and a first look. Deployments build theirs with xcaddy.
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/caddy-rest-auth/caddy-rest-auth"
	_ "github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/postgres"
)

func main() {
	caddycmd.Main()
}
