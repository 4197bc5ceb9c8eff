// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package authtoken is the API of rest_framework.authtoken: one token for each
// user, got for a name and a password, and the same one every time.
package authtoken

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/endpoints"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/issue"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/tokenapi"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func init() {
	caddy.RegisterModule(new(Endpoint))
}

// tokenDigits is how many hexadecimal digits a token of DRF has.
const tokenDigits = 40

// Endpoint serves obtain_auth_token of Django REST framework:
//
//	POST .  200 {"token": "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b"}
//
// The body has username and password, as JSON or as an HTML form. The answer
// is the user's one token, made when it is first asked for: the same on every
// call until it is revoked. It never ends by itself. Only its digest is stored;
// it is derived anew for each answer, from a key in Caddy's storage.
//
// `authenticate token` accepts the token elsewhere.
type Endpoint struct {
	// Makes the token of each new user at once, as a receiver of Django's
	// post_save signal would, so that it can be seen and managed before the user
	// has asked for it. New are the users who are added while Caddy runs, by
	// whatever way. Default: false; it is made when it is asked for.
	AutoCreate bool `json:"auto_create,omitempty"`

	issuer    *issue.Issuer
	directory directory
	logger    *zap.Logger
	stop      func()
}

// A directory knows who may log in by password.
type directory interface {
	Authenticate(ctx context.Context, name, password string) (*auth.Identity, error)
}

// CaddyModule returns the Caddy module information.
func (*Endpoint) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "rest_auth.endpoints.authtoken",
		New: func() caddy.Module { return new(Endpoint) },
	}
}

// Provision finds the store, which need not answer yet.
func (e *Endpoint) Provision(ctx caddy.Context) (err error) {
	e.logger = ctx.Logger()
	if e.issuer, err = issue.FromContext(ctx); err != nil {
		return err
	}
	if e.directory, err = users.FromContext(ctx); err != nil {
		return fmt.Errorf("loading the users: %w", err)
	}
	if e.AutoCreate {
		return e.followUsers(ctx)
	}
	return nil
}

// Cleanup ends what runs in the background.
func (e *Endpoint) Cleanup() error {
	if e.stop != nil {
		e.stop()
	}
	return nil
}

// Routes returns the mount itself. Sessions and Basic credentials that come
// along are looked at, as in Django, where bad ones are refused; whose token it
// is, the body alone decides.
func (e *Endpoint) Routes() []endpoints.Route {
	return []endpoints.Route{{
		Name:    "Obtain Auth Token",
		Actions: map[string]endpoints.Action{http.MethodPost: e.obtain, http.MethodOptions: describe},
		Access: endpoints.Access{
			Authenticators: []json.RawMessage{[]byte(`{"authenticator":"session"}`), []byte(`{"authenticator":"basic"}`)},
		},
	}}
}

func (e *Endpoint) obtain(w http.ResponseWriter, r *http.Request, _ *auth.Identity) error {
	data, err := drf.Decode(r)
	if err != nil {
		return err
	}
	id, err := tokenapi.Login(r.Context(), data, e.directory)
	if err != nil {
		return err
	}
	key, err := token(r.Context(), e.issuer, id.Key)
	if err != nil {
		return issue.StoreError(err)
	}
	return drf.Write(w, r, http.StatusOK, drf.Object{{Name: "token", Value: key}})
}

// description is the answer to OPTIONS. DRF's view has parsers in an order of
// its own, and a serializer that is described.
var description = drf.Object{
	{Name: "name", Value: "Obtain Auth Token"},
	{Name: "description", Value: ""},
	{Name: "renders", Value: []string{"application/json"}},
	{Name: "parses", Value: []string{"application/x-www-form-urlencoded", "multipart/form-data", "application/json"}},
	{Name: "actions", Value: drf.Object{{Name: http.MethodPost, Value: drf.Object{
		{Name: "username", Value: described("Username", true)},
		{Name: "password", Value: described("Password", true)},
		{Name: "token", Value: described("Token", false)},
	}}}},
}

func described(label string, asked bool) drf.Object {
	return drf.Object{
		{Name: "type", Value: "string"},
		{Name: "required", Value: asked},
		{Name: "read_only", Value: !asked},
		{Name: "label", Value: label},
	}
}

func describe(w http.ResponseWriter, r *http.Request, _ *auth.Identity) error {
	return drf.Write(w, r, http.StatusOK, description)
}

// token returns the one token of a user, made if there is none.
func token(ctx context.Context, issuer *issue.Issuer, userKey string) (key string, err error) {
	c := tokenstore.Credential{Kind: tokenstore.KindAuthtoken, UserKey: userKey}
	key, _, _, err = issuer.Derived(ctx, c, "", tokenDigits)
	return key, err
}

// UnmarshalCaddyfile sets up the endpoint from Caddyfile tokens. Syntax:
//
//	authtoken <path> {
//	    auto_create [on|off]
//	}
func (e *Endpoint) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	return tokenapi.Options{"auto_create": &e.AutoCreate}.Parse(d)
}

// Interface guards
var (
	_ endpoints.Endpoint    = (*Endpoint)(nil)
	_ caddy.Provisioner     = (*Endpoint)(nil)
	_ caddy.CleanerUpper    = (*Endpoint)(nil)
	_ caddyfile.Unmarshaler = (*Endpoint)(nil)
)
