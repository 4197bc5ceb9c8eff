// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package knox is the API of django-rest-knox: tokens for as many devices as a
// user has, each of which ends by itself, at a logout, or with all the others.
package knox

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-rest-auth/caddy-rest-auth/endpoints"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/issue"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/tokenapi"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func init() {
	caddy.RegisterModule(new(Endpoint))
}

// What a user gets who has as many tokens as allowed.
const (
	limitDeny  = "deny"
	limitEvict = "evict"
)

const (
	defaultTTL      = 10 * time.Hour
	defaultInterval = time.Minute

	maxCharacters = 256
	maxPrefix     = 10
	maxLimit      = 1_000_000

	// minRefreshed is the shortest life that uses can prolong: they are noticed
	// once a minute, as long as a verified token is remembered.
	minRefreshed = 2 * time.Minute
)

// Endpoint serves the API of django-rest-knox:
//
//	POST login/      200 {"expiry": …, "token": …}
//	POST logout/     204; ends the token that was sent
//	POST logoutall/  204; ends all of the user's
//
// A login makes a new token, whoever asks for it being known by a session or by
// HTTP Basic unless the mount says otherwise. The logouts take the tokens of
// this API alone. `authenticate token` accepts the tokens elsewhere.
//
// Options are knox's settings in lower case.
type Endpoint struct {
	// How many hexadecimal digits a token has, 32 to 256. Default: 64.
	AuthTokenCharacterLength int `json:"auth_token_character_length,omitempty"`

	// How long a token lives; 0 is for ever. Default: 10h.
	TokenTTL *caddy.Duration `json:"token_ttl,omitempty"`

	// What a login tells of the user, in this order: username, email, full_name,
	// is_staff, is_superuser, groups. `username` alone is knox's own
	// UserSerializer. Default: nothing.
	UserSerializer []string `json:"user_serializer,omitempty"`

	// How many live tokens a user may have. Default: any number.
	TokenLimitPerUser int `json:"token_limit_per_user,omitempty"`

	// What one more login does. With "deny", as in knox, it is refused with 403;
	// with "evict" the oldest token ends. Default: "deny".
	TokenLimit string `json:"token_limit,omitempty"`

	// Puts the end of a token off whenever it is used, to token_ttl from then on.
	// Holds for the tokens that are issued while it is set. Default: false.
	AutoRefresh bool `json:"auto_refresh,omitempty"`

	// How old a token may become by that. Default: any age.
	AutoRefreshMaxTTL *caddy.Duration `json:"auto_refresh_max_ttl,omitempty"`

	// What the end of a token must gain to be put off. Uses within a minute
	// count as one in any case. Default: 60s.
	MinRefreshInterval *caddy.Duration `json:"min_refresh_interval,omitempty"`

	// The word before the token in the requests to logout/ and logoutall/; say
	// it to `authenticate token` too. Default: Token.
	AuthHeaderPrefix string `json:"auth_header_prefix,omitempty"`

	// How the end of a token is written, in UTC: "iso-8601", or a format of
	// Python's strftime. Default: "iso-8601".
	ExpiryDatetimeFormat string `json:"expiry_datetime_format,omitempty"`

	// What every token begins with, up to 10 characters. Default: nothing.
	TokenPrefix string `json:"token_prefix,omitempty"`

	// Takes the user name and password of a login from its body, as the login of
	// knox's documentation for projects that have token authentication alone.
	// Nothing else is asked then: `authenticate` and `require` lines of the mount
	// would have no effect, and are an error. Default: false.
	BodyLogin bool `json:"body_login,omitempty"`

	issuer    *issue.Issuer
	directory tokenapi.Directory
	ttl       time.Duration
	data      []byte // of every record
	now       func() time.Time
}

// CaddyModule returns the Caddy module information.
func (*Endpoint) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "rest_auth.endpoints.knox",
		New: func() caddy.Module { return new(Endpoint) },
	}
}

// Provision sets the defaults, and finds the store, which need not answer yet.
func (e *Endpoint) Provision(ctx caddy.Context) (err error) {
	e.now = time.Now
	if err := e.texts().Resolve(); err != nil {
		return err
	}
	if err := e.check(); err != nil {
		return err
	}
	e.issuer, e.directory, err = tokenapi.Load(ctx)
	return err
}

// Routes returns the API.
func (e *Endpoint) Routes() []endpoints.Route {
	own := tokenapi.Own(tokenstore.KindKnox, e.AuthHeaderPrefix)
	login := endpoints.Route{
		Path: "login/", Name: "Login",
		Actions: map[string]endpoints.Action{http.MethodPost: e.login},
		Access: endpoints.Access{
			Authenticators: []json.RawMessage{[]byte(`{"authenticator":"session"}`), []byte(`{"authenticator":"basic"}`)},
			Permissions:    []json.RawMessage{tokenapi.Authenticated},
		},
	}
	if e.BodyLogin {
		login.Actions[http.MethodPost] = e.bodyLogin
		login.Access = tokenapi.Open()
	}
	return []endpoints.Route{
		login,
		{Path: "logout/", Name: "Logout", Actions: map[string]endpoints.Action{http.MethodPost: e.logout}, Access: own},
		{Path: "logoutall/", Name: "Logout All", Actions: map[string]endpoints.Action{http.MethodPost: e.logoutAll}, Access: own},
	}
}

// UnmarshalCaddyfile sets up the endpoint from Caddyfile tokens. Syntax:
//
//	knox <path> {
//	    auth_token_character_length <number>
//	    token_ttl                   <duration>|none
//	    user_serializer             <field...>
//	    token_limit_per_user        <number> [deny|evict]
//	    auto_refresh                [on|off]
//	    auto_refresh_max_ttl        <duration>|none
//	    min_refresh_interval        <duration>
//	    auth_header_prefix          <word>
//	    expiry_datetime_format      <format>
//	    token_prefix                <text>
//	    body_login                  [on|off]
//	}
func (e *Endpoint) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	return tokenapi.Options{
		"auth_token_character_length": &e.AuthTokenCharacterLength,
		"token_ttl":                   &e.TokenTTL,
		"user_serializer":             &e.UserSerializer,
		"token_limit_per_user":        e.parseLimit,
		"auto_refresh":                &e.AutoRefresh,
		"auto_refresh_max_ttl":        &e.AutoRefreshMaxTTL,
		"min_refresh_interval":        e.parseInterval,
		"auth_header_prefix":          &e.AuthHeaderPrefix,
		"expiry_datetime_format":      &e.ExpiryDatetimeFormat,
		"token_prefix":                &e.TokenPrefix,
		"body_login":                  &e.BodyLogin,
	}.Parse(d, e.precheck)
}

func (e *Endpoint) parseLimit(args []string) (err error) {
	if len(args) < 1 || len(args) > 2 {
		return errors.New("expected a number, and perhaps deny or evict")
	}
	if len(args) == 2 {
		e.TokenLimit = args[1]
	}
	e.TokenLimitPerUser, err = tokenapi.ParseNumber(args[0])
	return err
}

// parseInterval takes 0, by which every use puts the end off.
func (e *Endpoint) parseInterval(args []string) (err error) {
	if len(args) != 1 {
		return errors.New("expected a duration")
	}
	e.MinRefreshInterval, err = tokenapi.ParseDuration(args[0])
	return err
}

// Interface guards
var (
	_ endpoints.Endpoint    = (*Endpoint)(nil)
	_ caddy.Provisioner     = (*Endpoint)(nil)
	_ caddyfile.Unmarshaler = (*Endpoint)(nil)
)
