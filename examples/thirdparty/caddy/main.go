// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Command caddy is Caddy with rest_auth and with an authenticator of a third
// party. It is what `xcaddy build --with` makes of both modules. Try it with
//
//	:8080 {
//		rest_auth {
//			authenticate api_key_header {
//				key alice d9fb92e3bbe65be1f1aad4a82eef4567f7a1ebe2cd110c8049b9698be7a70c88
//			}
//			header_up -X-API-Key
//		}
//		respond "Hello, {http.auth.user.id}"
//	}
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/caddy-rest-auth/caddy-rest-auth"
	_ "github.com/caddy-rest-auth/caddy-rest-auth/examples/thirdparty"
)

func main() {
	caddycmd.Main()
}
