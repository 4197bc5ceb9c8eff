// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package knox

import (
	"errors"
	"fmt"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/knox"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/tokenapi"
)

// texts are the options that may have placeholders.
func (e *Endpoint) texts() tokenapi.Texts {
	return tokenapi.Texts{
		"auth_header_prefix": &e.AuthHeaderPrefix, "token_prefix": &e.TokenPrefix, "expiry_datetime_format": &e.ExpiryDatetimeFormat,
	}
}

// precheck is check for options whose placeholders have no values yet.
func (e *Endpoint) precheck() error {
	known := *e
	known.texts().Blank()
	return known.check()
}

// check sets the defaults and refuses what has no meaning.
func (e *Endpoint) check() error {
	settings := tokenapi.Settings{
		CharactersName: "auth_token_character_length", Characters: &e.AuthTokenCharacterLength, MaxCharacters: maxCharacters,
		AuthHeaderPrefix: &e.AuthHeaderPrefix, ExpiryDatetimeFormat: e.ExpiryDatetimeFormat, UserSerializer: e.UserSerializer,
	}
	if err := settings.Check(); err != nil {
		return err
	}
	if len(e.TokenPrefix) > maxPrefix {
		return fmt.Errorf("token_prefix: '%s' is longer than %d characters", e.TokenPrefix, maxPrefix)
	}
	if err := tokenapi.CheckWord("token_prefix", e.TokenPrefix); err != nil {
		return err
	}
	if err := e.checkLimit(); err != nil {
		return err
	}
	return e.checkTimes()
}

func (e *Endpoint) checkLimit() error {
	switch {
	case e.TokenLimitPerUser < 0 || e.TokenLimitPerUser > maxLimit:
		return fmt.Errorf("token_limit_per_user: %d is not from 1 to %d", e.TokenLimitPerUser, maxLimit)
	case e.TokenLimit == "":
		e.TokenLimit = limitDeny
	case e.TokenLimit != limitDeny && e.TokenLimit != limitEvict:
		return fmt.Errorf("token_limit: unknown word '%s', expected one of %v", e.TokenLimit, []string{limitDeny, limitEvict})
	case e.TokenLimitPerUser == 0:
		return errors.New("token_limit: there is no token_limit_per_user")
	}
	return nil
}

// checkTimes refuses a refresh that would never happen.
func (e *Endpoint) checkTimes() error {
	for name, option := range map[string]*caddy.Duration{
		"token_ttl": e.TokenTTL, "auto_refresh_max_ttl": e.AutoRefreshMaxTTL, "min_refresh_interval": e.MinRefreshInterval,
	} {
		if option != nil && *option < 0 {
			return fmt.Errorf("%s: %s is negative", name, time.Duration(*option))
		}
		// A bare number is seconds in a Caddyfile, and nanoseconds in JSON.
		if option != nil && *option > 0 && time.Duration(*option) < time.Second {
			return fmt.Errorf("%s: %s is shorter than a second", name, time.Duration(*option))
		}
	}
	e.ttl = tokenapi.Lifetime(e.TokenTTL, defaultTTL)
	if !e.AutoRefresh {
		return nil
	}
	refresh := knox.Refresh{
		TTL:         e.ttl,
		MaxTTL:      tokenapi.Lifetime(e.AutoRefreshMaxTTL, 0),
		MinInterval: tokenapi.Lifetime(e.MinRefreshInterval, defaultInterval),
	}
	switch {
	case e.ttl == 0:
		return errors.New("auto_refresh: tokens that never end are not refreshed; give a token_ttl")
	case e.ttl < minRefreshed:
		return fmt.Errorf("auto_refresh: token_ttl (%s) is below %s, and uses within a minute count as one", e.ttl, minRefreshed)
	case refresh.MinInterval >= e.ttl:
		return fmt.Errorf("auto_refresh: no token would be refreshed, since min_refresh_interval (%s) is not below token_ttl (%s)", refresh.MinInterval, e.ttl)
	case refresh.MaxTTL > 0 && refresh.MaxTTL <= e.ttl:
		return fmt.Errorf("auto_refresh: no token would be refreshed, since auto_refresh_max_ttl (%s) is not above token_ttl (%s)", refresh.MaxTTL, e.ttl)
	}
	e.data = knox.Encode(refresh)
	return nil
}
