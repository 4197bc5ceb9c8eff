// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package whoami tells a caller what the site knows of it.
package whoami

import (
	"encoding/json"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/endpoints"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/tokenapi"
)

func init() {
	caddy.RegisterModule(new(Endpoint))
}

// Endpoint tells who the caller is, by which authenticator, with which scopes,
// and until when:
//
//	GET .  200 {"authenticated": true, "user": {…}, "method": "token", …}
//
// Who may ask is up to the `authenticate` and `require` lines of the mount.
// Default: whom the site's own authenticators know, and nobody else.
type Endpoint struct{}

// CaddyModule returns the Caddy module information.
func (*Endpoint) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "rest_auth.endpoints.whoami",
		New: func() caddy.Module { return new(Endpoint) },
	}
}

// Routes returns the mount itself.
func (e *Endpoint) Routes() []endpoints.Route {
	return []endpoints.Route{{
		Name:    "Who Am I",
		Actions: map[string]endpoints.Action{http.MethodGet: e.tell},
		Access: endpoints.Access{
			SiteDefaults: true,
			Permissions:  []json.RawMessage{tokenapi.Authenticated},
		},
	}}
}

func (*Endpoint) tell(w http.ResponseWriter, r *http.Request, id *auth.Identity) error {
	return drf.Write(w, r, http.StatusOK, describe(id))
}

// describe returns the answer, in which names are never left out, so that a
// client needs no case for their absence.
func describe(id *auth.Identity) drf.Object {
	var user, expires any
	if id.HasUser() {
		user = drf.Object{
			{Name: "username", Value: id.ID},
			{Name: "full_name", Value: id.Name},
			{Name: "email", Value: id.Email},
			{Name: "is_staff", Value: id.Staff},
			{Name: "is_superuser", Value: id.Superuser},
			{Name: "groups", Value: list(id.Groups)},
			{Name: "permissions", Value: list(id.Permissions)},
		}
	}
	if !id.Expires.IsZero() {
		expires = drf.Timestamp(id.Expires)
	}
	return drf.Object{
		{Name: "authenticated", Value: id.Authenticated()},
		{Name: "user", Value: user},
		{Name: "method", Value: textOrNull(id.Method)},
		{Name: "credential", Value: textOrNull(id.Credential)},
		{Name: "client", Value: textOrNull(id.Client)},
		{Name: "scopes", Value: list(id.Scopes)},
		{Name: "expires", Value: expires},
	}
}

// list is never null.
func list(texts []string) []string {
	if texts == nil {
		return []string{}
	}
	return texts
}

func textOrNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// UnmarshalCaddyfile sets up the endpoint from Caddyfile tokens. Syntax:
//
//	whoami <path>
func (*Endpoint) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	return tokenapi.Options{}.Parse(d)
}

// Interface guards
var (
	_ endpoints.Endpoint    = (*Endpoint)(nil)
	_ caddyfile.Unmarshaler = (*Endpoint)(nil)
)
