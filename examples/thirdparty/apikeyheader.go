// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package thirdparty is an authenticator as another project would write it:
// it imports package auth and Caddy, and nothing else. Folder caddy builds a
// Caddy that has it.
package thirdparty

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

func init() {
	caddy.RegisterModule(new(APIKeyHeader))
}

// APIKeyHeader accepts a key in a header of its own, as X-API-Key. Caddy's
// access log hides Authorization, but not this header: filter it there.
type APIKeyHeader struct {
	auth.UserPrefix

	// The header. Default: X-API-Key.
	Header string `json:"header,omitempty"`

	// The users, by the SHA-256 of their keys in lower-case hexadecimal. Keys
	// must be random: `openssl rand -hex 32`, and then `sha256sum`.
	Keys map[string]string `json:"keys,omitempty"`
}

// CaddyModule returns the Caddy module information.
func (*APIKeyHeader) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "rest_auth.authenticators.api_key_header",
		New: func() caddy.Module { return new(APIKeyHeader) },
	}
}

// Provision sets the default and refuses keys that nobody could present.
func (a *APIKeyHeader) Provision(caddy.Context) error {
	if a.Header == "" {
		a.Header = "X-API-Key"
	}
	for digest, user := range a.Keys {
		raw, err := hex.DecodeString(digest)
		if err != nil || len(raw) != sha256.Size || hex.EncodeToString(raw) != digest || user == "" {
			return fmt.Errorf("key of user %q: not a user and a SHA-256 in lower-case hexadecimal", user)
		}
	}
	return nil
}

// UserSource says that these users are not those of the store.
func (a *APIKeyHeader) UserSource() auth.Source { return a.Source("api_key_header") }

// Authenticate returns the user whose key the request carries.
func (a *APIKeyHeader) Authenticate(r *http.Request) (*auth.Identity, error) {
	lines := r.Header.Values(a.Header)
	if len(lines) == 0 {
		return nil, auth.ErrNoCredentials // the next authenticator is asked
	}
	digest := sha256.Sum256([]byte(lines[0]))
	user, ok := a.Keys[hex.EncodeToString(digest[:])]
	if !ok || len(lines) > 1 {
		return nil, &auth.Failure{Detail: "Invalid API key."} // nobody else is asked
	}
	return &auth.Identity{ID: user, Key: "api_key_header|" + user, Source: "api_key_header", Method: "api_key_header"}, nil
}

// UnmarshalCaddyfile sets up the authenticator from Caddyfile tokens. Syntax:
//
//	authenticate api_key_header [<header>] {
//	    key         <user> <sha256>
//	    user_prefix <text>|off
//	}
func (a *APIKeyHeader) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the name of the authenticator
	if d.NextArg() {
		a.Header = d.Val()
	}
	if d.NextArg() {
		return d.ArgErr()
	}
	for d.NextBlock(0) {
		switch d.Val() {
		case "key":
			var user, digest string
			if !d.AllArgs(&user, &digest) {
				return d.ArgErr()
			}
			if a.Keys == nil {
				a.Keys = make(map[string]string)
			}
			if _, taken := a.Keys[digest]; taken {
				return d.Errf("the key of user '%s' is given twice", user)
			}
			a.Keys[digest] = user
		case "user_prefix":
			if !d.AllArgs(&a.UserPrefix.UserPrefix) {
				return d.ArgErr()
			}
		default:
			return d.Errf("unrecognized subdirective '%s'", d.Val())
		}
	}
	return nil
}

// Interface guards
var (
	_ auth.Authenticator    = (*APIKeyHeader)(nil)
	_ auth.UserSource       = (*APIKeyHeader)(nil)
	_ caddy.Provisioner     = (*APIKeyHeader)(nil)
	_ caddyfile.Unmarshaler = (*APIKeyHeader)(nil)
)
