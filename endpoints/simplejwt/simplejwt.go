// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package simplejwt is the API of djangorestframework-simplejwt: JSON Web Tokens
// that authenticate for a few minutes, and refresh tokens that others are got for.
// The store has a record of each login, so that it can be listed and ended.
package simplejwt

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/endpoints"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/cookie"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/csrf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/issue"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/session"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/simplejwt"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/tokenapi"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func init() {
	caddy.RegisterModule(new(Endpoint))
}

// Endpoint serves the API of djangorestframework-simplejwt:
//
//	POST .                 200 {"refresh": …, "access": …}; a user name and a password are sent
//	POST refresh/          200 {"access": …}; a refresh token is sent
//	POST verify/           200 {}; any token is sent
//	POST blacklist/        200 {}; ends a refresh token, and the access tokens that came from it
//	POST sliding/          200 {"token": …}; where sliding tokens are accepted
//	POST sliding/refresh/  200 {"token": …}
//	POST logout/           200; where tokens are kept in cookies: ends them, and deletes the cookies
//	GET  jwks.json         200; the public keys, where tokens are not signed with a secret
//
// `authenticate simplejwt` accepts the tokens elsewhere. Both take what they do not
// say from `simplejwt` in the global options.
//
// Options are the settings of simplejwt, and those of dj-rest-auth that are about
// its cookies, in lower case.
type Endpoint struct {
	simplejwt.Settings

	// Where pairs are issued, below the mount, or `off`. Default: the mount itself.
	ObtainPath string `json:"obtain_path,omitempty"`

	// Where access tokens are got for a refresh token, or `off`.
	// Default: refresh/.
	RefreshPath string `json:"refresh_path,omitempty"`

	// Where tokens are verified, or `off`. Default: verify/.
	VerifyPath string `json:"verify_path,omitempty"`

	// Where refresh tokens are ended, or `off`. Default: blacklist/.
	BlacklistPath string `json:"blacklist_path,omitempty"`

	// Where sliding tokens are issued, or `off`. Default: sliding/ if
	// auth_token_classes has them, and otherwise off.
	SlidingPath string `json:"sliding_path,omitempty"`

	// Where sliding tokens are renewed, or `off`. Default: sliding/refresh/ if
	// they are issued, and otherwise off.
	SlidingRefreshPath string `json:"sliding_refresh_path,omitempty"`

	// Where browsers log out, or `off`. Default: logout/ if there are cookies, and
	// otherwise off.
	LogoutPath string `json:"logout_path,omitempty"`

	// Where the public keys are, or `off`. Default: jwks.json if there are any.
	JWKSPath string `json:"jwks_path,omitempty"`

	// What a login tells of the user, in this order: username, email, full_name,
	// is_staff, is_superuser, groups. Default: nothing.
	UserSerializer []string `json:"user_serializer,omitempty"`

	codec     *simplejwt.Codec
	issuer    *issue.Issuer
	store     tokenstore.Store
	directory tokenapi.Directory
	users     *users.Directory
	csrf      *csrf.Checker // nil where there are no cookies
	access    cookie.Cookie
	refreshed cookie.Cookie
	logger    *zap.Logger
	now       func() time.Time
}

// off is a path that is not served.
const off = "off"

// CaddyModule returns the Caddy module information.
func (*Endpoint) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "rest_auth.endpoints.simplejwt",
		New: func() caddy.Module { return new(Endpoint) },
	}
}

// Provision sets the defaults, reads the keys of the configuration, and finds the
// store, which need not answer yet.
func (e *Endpoint) Provision(ctx caddy.Context) (err error) {
	e.now, e.logger = time.Now, ctx.Logger()
	if err := tokenapi.CheckUserFields(e.UserSerializer); err != nil {
		return err
	}
	if e.codec, err = simplejwt.FromContext(ctx, &e.Settings); err != nil {
		return err
	}
	if !e.codec.Signs() {
		return errors.New("there is no signing_key: tokens of others are verified by `authenticate simplejwt`, and none are issued")
	}
	if e.issuer, e.directory, err = tokenapi.Load(ctx); err != nil {
		return err
	}
	if e.users, err = users.FromContext(ctx); err != nil {
		return fmt.Errorf("loading the users: %w", err)
	}
	e.store = e.issuer.Store()
	if e.AnyCookie() {
		if err := e.setUpCookies(ctx); err != nil {
			return err
		}
	}
	return e.choosePaths()
}

// setUpCookies prepares the cookies, and the CSRF check that sessions have.
func (e *Endpoint) setUpCookies(ctx caddy.Context) error {
	e.access, e.refreshed = e.AccessCookie(), e.RefreshCookie()
	for _, c := range []*cookie.Cookie{&e.access, &e.refreshed} {
		if c.Name == "" {
			continue
		}
		if err := c.Check(); err != nil {
			return fmt.Errorf("the cookie %s: %w", c.Name, err)
		}
	}
	sessions, err := session.FromContext(ctx, new(session.Settings))
	if err != nil {
		return err
	}
	e.csrf = sessions.CSRF()
	settings := sessions.Settings()
	names := []string{settings.Cookie, settings.CSRFCookie}
	for _, name := range []string{e.access.Name, e.refreshed.Name} {
		if name != "" && slices.Contains(names, name) {
			return fmt.Errorf("two cookies have the name %s", name)
		}
		names = append(names, name)
	}
	return nil
}

// choosePaths sets the paths that are not given.
func (e *Endpoint) choosePaths() error {
	for _, path := range []struct {
		name   string
		value  *string
		served bool
		usual  string
	}{
		{"refresh_path", &e.RefreshPath, true, "refresh/"},
		{"verify_path", &e.VerifyPath, true, "verify/"},
		{"blacklist_path", &e.BlacklistPath, true, "blacklist/"},
		{"sliding_path", &e.SlidingPath, slices.Contains(e.AuthTokenClasses, simplejwt.Sliding), "sliding/"},
		{"sliding_refresh_path", &e.SlidingRefreshPath, slices.Contains(e.AuthTokenClasses, simplejwt.Sliding), "sliding/refresh/"},
		{"logout_path", &e.LogoutPath, e.AnyCookie(), "logout/"},
		{"jwks_path", &e.JWKSPath, e.codec.Publishes(), "jwks.json"},
	} {
		if *path.value == "" {
			*path.value = off
			if path.served {
				*path.value = path.usual
			}
		}
	}
	if e.JWKSPath != off && !e.codec.Publishes() {
		return fmt.Errorf("jwks_path: there are no public keys: tokens are signed with %s", e.Algorithm)
	}
	return nil
}

// Routes returns the API. Nobody is asked who they are: what is sent says it.
func (e *Endpoint) Routes() []endpoints.Route {
	var routes []endpoints.Route
	for _, route := range []struct {
		path, name, method string
		action             endpoints.Action
	}{
		{e.ObtainPath, "Token Obtain Pair", http.MethodPost, e.obtain},
		{e.RefreshPath, "Token Refresh", http.MethodPost, e.refresh},
		{e.VerifyPath, "Token Verify", http.MethodPost, e.verify},
		{e.BlacklistPath, "Token Blacklist", http.MethodPost, e.blacklist},
		{e.SlidingPath, "Token Obtain Sliding", http.MethodPost, e.obtainSliding},
		{e.SlidingRefreshPath, "Token Refresh Sliding", http.MethodPost, e.refreshSliding},
		{e.LogoutPath, "Logout", http.MethodPost, e.logout},
		{e.JWKSPath, "Key Set", http.MethodGet, e.jwks},
	} {
		if route.path == off {
			continue
		}
		routes = append(routes, endpoints.Route{
			Path: route.path, Name: route.name, Access: tokenapi.Open(),
			Actions: map[string]endpoints.Action{route.method: route.action},
			// Who wants a key set may ask for it by a media type of its own.
			Pages: route.method == http.MethodGet,
		})
	}
	return routes
}

// Cleanup releases the keys.
func (e *Endpoint) Cleanup() error {
	if e.codec == nil {
		return nil
	}
	return e.codec.Close()
}

// UnmarshalCaddyfile sets up the endpoint from Caddyfile tokens. Syntax:
//
//	simplejwt <path> {
//	    # the lines of simplejwt.Settings.ParseLine, and
//	    obtain_path          <path>|off
//	    refresh_path         <path>|off
//	    verify_path          <path>|off
//	    blacklist_path       <path>|off
//	    sliding_path         <path>|off
//	    sliding_refresh_path <path>|off
//	    logout_path          <path>|off
//	    jwks_path            <path>|off
//	    user_serializer      <field...>
//	}
func (e *Endpoint) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the name of the endpoint
	if d.NextArg() {
		return d.ArgErr()
	}
	for d.NextBlock(0) {
		known, err := e.ParseLine(d)
		if err == nil && !known {
			err = e.parseOwn(d)
		}
		if err != nil {
			return err
		}
	}
	if err := tokenapi.CheckUserFields(e.UserSerializer); err != nil {
		return d.WrapErr(err)
	}
	return e.CheckLines(d)
}

func (e *Endpoint) parseOwn(d *caddyfile.Dispenser) error {
	name := d.Val()
	if name == "user_serializer" {
		if e.UserSerializer != nil {
			return d.Errf("%s is given twice", name)
		}
		if e.UserSerializer = d.RemainingArgs(); len(e.UserSerializer) == 0 {
			return d.ArgErr()
		}
		return nil
	}
	path, ok := map[string]*string{
		"obtain_path": &e.ObtainPath, "refresh_path": &e.RefreshPath, "verify_path": &e.VerifyPath, "blacklist_path": &e.BlacklistPath,
		"sliding_path": &e.SlidingPath, "sliding_refresh_path": &e.SlidingRefreshPath, "logout_path": &e.LogoutPath, "jwks_path": &e.JWKSPath,
	}[name]
	if !ok {
		return simplejwt.Unrecognized(d)
	}
	if *path != "" {
		return d.Errf("%s is given twice", name)
	}
	if !d.AllArgs(path) || *path == "" {
		return d.ArgErr()
	}
	return nil
}

// Interface guards
var (
	_ endpoints.Endpoint    = (*Endpoint)(nil)
	_ caddy.Provisioner     = (*Endpoint)(nil)
	_ caddy.CleanerUpper    = (*Endpoint)(nil)
	_ caddyfile.Unmarshaler = (*Endpoint)(nil)
)
