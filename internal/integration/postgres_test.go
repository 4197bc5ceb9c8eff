// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

// The goldens know the drivers that are not in the standard bundle.
import _ "github.com/caddy-rest-auth/caddy-rest-auth/tokenstore/postgres"
