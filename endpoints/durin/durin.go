// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package durin is the API of django-rest-durin: each user has one token for
// each API client, as the web site, the command line or the mobile app, which
// decides how long it lives.
package durin

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/endpoints"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/durin"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/issue"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/tokenapi"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func init() {
	caddy.RegisterModule(new(Endpoint))
}

// maxCharacters is what one HMAC-SHA256 spells in hexadecimal.
const maxCharacters = 64

// Endpoint serves the API of django-rest-durin:
//
//	POST   login/          200 {"expiry": …, "token": …}
//	POST   refresh/        200 {"expiry": …}
//	POST   logout/         204; ends the token that was sent
//	POST   logoutall/      204; ends all of the user's
//	GET    sessions/       200; the user's tokens, without the secrets
//	DELETE sessions/<id>   204; ends one of them
//	GET, POST, DELETE apiaccess/  the user's token for one API client
//
// A login takes `username`, `password` and the name of a `client`, which
// `caddy rest-auth client add` has made, and answers the same token until that
// ends. It asks for nothing else. The other paths take the tokens of this API;
// `authenticate` and `require` lines of the mount replace that for `sessions/`
// and `apiaccess/`. `authenticate token` accepts the tokens elsewhere.
//
// Options are durin's settings in lower case.
type Endpoint struct {
	// How many hexadecimal digits a token has, 32 to 64. Default: 64.
	TokenCharacterLength int `json:"token_character_length,omitempty"`

	// What a login tells of the user, in this order: username, email, full_name,
	// is_staff, is_superuser, groups. `username` alone is durin's own
	// UserSerializer. Default: nothing.
	UserSerializer []string `json:"user_serializer,omitempty"`

	// The word before the token in requests to this API; say it to
	// `authenticate token` too. Default: Token.
	AuthHeaderPrefix string `json:"auth_header_prefix,omitempty"`

	// How `login/` and `refresh/` write the end of a token, in UTC: "iso-8601", or
	// a format of Python's strftime. Default: "iso-8601".
	ExpiryDatetimeFormat string `json:"expiry_datetime_format,omitempty"`

	// Lets a login put off the end of the token that it answers again.
	// Default: false.
	RefreshTokenOnLogin bool `json:"refresh_token_on_login,omitempty"`

	// The API client whose tokens `apiaccess/` is about, which answers 404 without
	// one. Default: none.
	APIAccessClientName string `json:"api_access_client_name,omitempty"`

	// Leaves the tokens of that client out of `sessions/`. Default: false.
	APIAccessExcludeFromSessions bool `json:"api_access_exclude_from_sessions,omitempty"`

	// Lets a GET of `apiaccess/` show the token. Default: false.
	APIAccessResponseIncludeToken bool `json:"api_access_response_include_token,omitempty"`

	issuer    *issue.Issuer
	directory tokenapi.Directory
	logger    *zap.Logger
	mount     endpoints.Mount
	now       func() time.Time
}

// CaddyModule returns the Caddy module information.
func (*Endpoint) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "rest_auth.endpoints.durin",
		New: func() caddy.Module { return new(Endpoint) },
	}
}

// Provision sets the defaults, and finds the store, which need not answer yet.
func (e *Endpoint) Provision(ctx caddy.Context) (err error) {
	e.now = time.Now
	e.logger = ctx.Logger()
	if err := e.texts().Resolve(); err != nil {
		return err
	}
	if err := e.check(); err != nil {
		return err
	}
	e.issuer, e.directory, err = tokenapi.Load(ctx)
	return err
}

// Mount remembers where the API is, which one of its answers names.
func (e *Endpoint) Mount(at endpoints.Mount) error {
	e.mount = at
	return nil
}

// Routes returns the API.
func (e *Endpoint) Routes() []endpoints.Route {
	own := tokenapi.Own(tokenstore.KindDurin, e.AuthHeaderPrefix)
	bearer := tokenapi.Bearer(tokenstore.KindDurin, e.AuthHeaderPrefix)
	post := func(action endpoints.Action) map[string]endpoints.Action {
		return map[string]endpoints.Action{http.MethodPost: action}
	}
	return []endpoints.Route{
		{Path: "login/", Name: "Login", Actions: post(e.login), Access: tokenapi.Open()},
		{Path: "refresh/", Name: "Refresh", Actions: post(e.refresh), Access: own},
		{Path: "logout/", Name: "Logout", Actions: post(e.logout), Access: own},
		{Path: "logoutall/", Name: "Logout All", Actions: post(e.logoutAll), Access: own},
		{
			Path: "sessions/", Name: "Token Sessions List", Access: bearer,
			Actions: map[string]endpoints.Action{http.MethodGet: e.listSessions},
		},
		{
			Path: "sessions/{id}/", Name: "Token Sessions Instance", Access: bearer,
			Actions: map[string]endpoints.Action{http.MethodDelete: e.endSession},
		},
		{
			Path: "apiaccess/", Name: "Api Access Token", Access: bearer,
			Actions: map[string]endpoints.Action{
				http.MethodGet: e.showAPIAccess, http.MethodPost: e.createAPIAccess, http.MethodDelete: e.deleteAPIAccess,
			},
		},
	}
}

// texts are the options that may have placeholders.
func (e *Endpoint) texts() tokenapi.Texts {
	return tokenapi.Texts{
		"auth_header_prefix": &e.AuthHeaderPrefix, "expiry_datetime_format": &e.ExpiryDatetimeFormat,
		"api_access_client_name": &e.APIAccessClientName,
	}
}

// precheck is check for options whose placeholders have no values yet.
func (e *Endpoint) precheck() error {
	known := *e
	if strings.Contains(known.APIAccessClientName, "{") {
		known.APIAccessClientName = "a name"
	}
	known.texts().Blank()
	return known.check()
}

// check sets the defaults and refuses what has no meaning.
func (e *Endpoint) check() error {
	if utf8.RuneCountInString(e.APIAccessClientName) > durin.MaxName {
		return fmt.Errorf("api_access_client_name: '%s' is longer than %d characters", e.APIAccessClientName, durin.MaxName)
	}
	if e.APIAccessClientName == "" && (e.APIAccessExcludeFromSessions || e.APIAccessResponseIncludeToken) {
		return errors.New("there are options of apiaccess/, but no api_access_client_name")
	}
	return tokenapi.Settings{
		CharactersName: "token_character_length", Characters: &e.TokenCharacterLength, MaxCharacters: maxCharacters,
		AuthHeaderPrefix: &e.AuthHeaderPrefix, ExpiryDatetimeFormat: e.ExpiryDatetimeFormat, UserSerializer: e.UserSerializer,
	}.Check()
}

// UnmarshalCaddyfile sets up the endpoint from Caddyfile tokens. Syntax:
//
//	durin <path> {
//	    token_character_length            <number>
//	    user_serializer                   <field...>
//	    auth_header_prefix                <word>
//	    expiry_datetime_format            <format>
//	    refresh_token_on_login            [on|off]
//	    api_access_client_name            <name>
//	    api_access_exclude_from_sessions  [on|off]
//	    api_access_response_include_token [on|off]
//	}
func (e *Endpoint) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	return tokenapi.Options{
		"token_character_length":            &e.TokenCharacterLength,
		"user_serializer":                   &e.UserSerializer,
		"auth_header_prefix":                &e.AuthHeaderPrefix,
		"expiry_datetime_format":            &e.ExpiryDatetimeFormat,
		"refresh_token_on_login":            &e.RefreshTokenOnLogin,
		"api_access_client_name":            &e.APIAccessClientName,
		"api_access_exclude_from_sessions":  &e.APIAccessExcludeFromSessions,
		"api_access_response_include_token": &e.APIAccessResponseIncludeToken,
	}.Parse(d, e.precheck)
}

// Interface guards
var (
	_ endpoints.Endpoint    = (*Endpoint)(nil)
	_ endpoints.Mounter     = (*Endpoint)(nil)
	_ caddy.Provisioner     = (*Endpoint)(nil)
	_ caddyfile.Unmarshaler = (*Endpoint)(nil)
)
