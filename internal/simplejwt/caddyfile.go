// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package simplejwt

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

// lines are the settings by the first words of their lines.
func (s *Settings) lines() map[string]any {
	return map[string]any{
		"access_token_lifetime":           &s.AccessTokenLifetime,
		"refresh_token_lifetime":          &s.RefreshTokenLifetime,
		"rotate_refresh_tokens":           &s.RotateRefreshTokens,
		"blacklist_after_rotation":        &s.BlacklistAfterRotation,
		"algorithm":                       &s.Algorithm,
		"signing_key":                     &s.SigningKey,
		"verifying_key":                   &s.VerifyingKey,
		"signing_key_lifetime":            &s.SigningKeyLifetime,
		"audience":                        &s.Audience,
		"issuer":                          &s.Issuer,
		"jwk_url":                         &s.JWKURL,
		"leeway":                          &s.Leeway,
		"auth_header_types":               &s.AuthHeaderTypes,
		"auth_header_name":                &s.AuthHeaderName,
		"user_id_field":                   &s.UserIDField,
		"user_id_claim":                   &s.UserIDClaim,
		"check_user_is_active":            &s.CheckUserIsActive,
		"auth_token_classes":              &s.AuthTokenClasses,
		"token_type_claim":                &s.TokenTypeClaim,
		"jti_claim":                       &s.JTIClaim,
		"sliding_token_refresh_exp_claim": &s.SlidingTokenRefreshExpClaim,
		"sliding_token_lifetime":          &s.SlidingTokenLifetime,
		"sliding_token_refresh_lifetime":  &s.SlidingTokenRefreshLifetime,
		"check_revoke_token":              &s.CheckRevokeToken,
		"revoke_token_claim":              &s.RevokeTokenClaim,
		"jwt_auth_cookie":                 &s.JWTAuthCookie,
		"jwt_auth_refresh_cookie":         &s.JWTAuthRefreshCookie,
		"jwt_auth_cookie_path":            &s.JWTAuthCookiePath,
		"jwt_auth_refresh_cookie_path":    &s.JWTAuthRefreshCookiePath,
		"jwt_auth_cookie_domain":          &s.JWTAuthCookieDomain,
		"jwt_auth_samesite":               &s.JWTAuthSameSite,
		"jwt_auth_secure":                 &s.JWTAuthSecure,
		"jwt_auth_httponly":               &s.JWTAuthHTTPOnly,
		"jwt_auth_return_expiration":      &s.JWTAuthReturnExpiration,
		"jwt_auth_cookie_use_csrf":        &s.JWTAuthCookieUseCSRF,
	}
}

// absent are settings of simplejwt that there is no place for here, and why.
var absent = map[string]string{ //nolint:gosec // no secrets
	"update_last_login":                "a user has no such field here; the log has every token that is issued",
	"json_encoder":                     "it is a Python class, and claims are plain JSON here",
	"user_authentication_rule":         "it is a Python function; active users log in, and `require` says who may do what",
	"on_login_success":                 "it is a Python function; the log has every token that is issued",
	"on_login_failed":                  "it is a Python function; Caddy's event auth_failed tells of every refusal",
	"token_user_class":                 "it is a Python class; `authenticate simplejwt` has `stateless`",
	"token_obtain_serializer":          serializer,
	"token_refresh_serializer":         serializer,
	"token_verify_serializer":          serializer,
	"token_blacklist_serializer":       serializer,
	"sliding_token_obtain_serializer":  serializer,
	"sliding_token_refresh_serializer": serializer,
	"auth_header_type":                 "it was removed from simplejwt, and is auth_header_types",
	"auth_token_class":                 "it was removed from simplejwt, and is auth_token_classes",
	"secret_key":                       "it was removed from simplejwt, and is signing_key",
	"token_backend_class":              "it was removed from simplejwt",
}

const serializer = "it is a Python class, and the answers are those of simplejwt's own"

// ParseLine parses the line that d stands at, if it is one of these, and
// reports whether it is:
//
//	access_token_lifetime           <duration>|<seconds>
//	refresh_token_lifetime          <duration>|<seconds>
//	rotate_refresh_tokens           [on|off]
//	blacklist_after_rotation        [on|off]
//	algorithm                       HS256|HS384|HS512|RS256|…|PS256|…|ES256|…|EdDSA
//	signing_key                     <secret>|<PEM>
//	verifying_key                   <PEM>
//	signing_key_lifetime            <duration>|<seconds>
//	audience                        <name...>
//	issuer                          <name>
//	jwk_url                         <url> {
//	    # the lines of outbound.Settings.ParseLine
//	}
//	leeway                          <duration>|<seconds>
//	auth_header_types               <word...>
//	auth_header_name                <name>
//	user_id_field                   id|username
//	user_id_claim                   <name>
//	check_user_is_active            [on|off]
//	auth_token_classes              access|sliding|refresh...
//	token_type_claim                <name>|none
//	jti_claim                       <name>|none
//	sliding_token_refresh_exp_claim <name>
//	sliding_token_lifetime          <duration>|<seconds>
//	sliding_token_refresh_lifetime  <duration>|<seconds>
//	check_revoke_token              [on|off]
//	revoke_token_claim              <name>
//	jwt_auth_cookie                 <name>
//	jwt_auth_refresh_cookie         <name>
//	jwt_auth_cookie_path            <path>
//	jwt_auth_refresh_cookie_path    <path>
//	jwt_auth_cookie_domain          <domain>
//	jwt_auth_samesite               Lax|Strict|None
//	jwt_auth_secure                 auto|on|off
//	jwt_auth_httponly               [on|off]
//	jwt_auth_return_expiration      [on|off]
//	jwt_auth_cookie_use_csrf        [on|off]
func (s *Settings) ParseLine(d *caddyfile.Dispenser) (known bool, err error) {
	name := d.Val()
	into, known := s.lines()[name]
	if !known {
		if reason, ok := absent[strings.ToLower(name)]; ok {
			return true, d.Errf("there is no '%s' here: %s", name, reason)
		}
		if ours := strings.ToLower(name); s.lines()[ours] != nil {
			return true, d.Errf("unrecognized subdirective '%s', which is '%s' here", name, ours)
		}
		return false, nil
	}
	if isSet(into) {
		return true, d.Errf("%s is given twice", name)
	}
	args := d.RemainingArgs()
	err = parseArgs(args, into)
	if duration, ok := into.(*caddy.Duration); ok && err == nil && *duration == 0 && name != "leeway" {
		err = errors.New("0 is no time at all")
	}
	if err != nil {
		// The words may be a key.
		return true, d.Errf("%s: %v", name, err)
	}
	if name == "jwk_url" {
		return true, s.parseFetch(d)
	}
	return true, nil
}

// parseFetch parses how the key set is fetched.
func (s *Settings) parseFetch(d *caddyfile.Dispenser) error {
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		if s.JWKFetch == nil {
			s.JWKFetch = new(outbound.Settings)
		}
		known, err := s.JWKFetch.ParseLine(d)
		if err != nil {
			return err
		}
		if !known {
			return d.Errf("unrecognized subdirective '%s'", d.Val())
		}
	}
	return nil
}

// ParseBlock parses the block of lines that follows, and nothing but these.
func (s *Settings) ParseBlock(d *caddyfile.Dispenser) error {
	if d.NextArg() {
		return d.ArgErr()
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		known, err := s.ParseLine(d)
		if err != nil {
			return err
		}
		if !known {
			return Unrecognized(d)
		}
	}
	return s.CheckLines(d)
}

// CheckLines refuses at the end of a block what can be told without the values of
// placeholders and without what is inherited.
func (s *Settings) CheckLines(d *caddyfile.Dispenser) error {
	known := *s
	for _, text := range known.texts() {
		if strings.Contains(*text, "{") {
			*text = ""
		}
	}
	known.setDefaults()
	if err := known.check(); err != nil {
		return d.WrapErr(err)
	}
	return nil
}

// Unrecognized is the error for a line that is none of the settings', which says
// how a setting of Django's is called here.
func Unrecognized(d *caddyfile.Dispenser) error {
	ours := strings.ToLower(d.Val())
	if _, known := new(Settings).lines()[ours]; known {
		return d.Errf("unrecognized subdirective '%s', which is '%s' here", d.Val(), ours)
	}
	return d.Errf("unrecognized subdirective '%s'", d.Val())
}

func isSet(into any) bool {
	switch into := into.(type) {
	case *string:
		return *into != ""
	case *[]string:
		return *into != nil
	case **bool:
		return *into != nil
	case *caddy.Duration:
		return *into != 0
	}
	return false
}

func parseArgs(args []string, into any) error {
	switch into := into.(type) {
	case *string:
		if len(args) != 1 || args[0] == "" {
			return fmt.Errorf("expected one word, not %d", len(args))
		}
		*into = args[0]
	case *[]string:
		if len(args) == 0 {
			return fmt.Errorf("expected some words")
		}
		*into = args
	case **bool:
		on := len(args) == 0 || args[0] == "on"
		if len(args) > 1 || len(args) == 1 && args[0] != "on" && args[0] != "off" {
			return fmt.Errorf("expected on or off, not %q", args)
		}
		*into = &on
	case *caddy.Duration:
		if len(args) != 1 {
			return fmt.Errorf("expected a duration, as 5m or 1d, or a number of seconds")
		}
		return parseDuration(args[0], into)
	}
	return nil
}

// parseDuration parses a duration as Caddy writes it, or a number of seconds.
func parseDuration(text string, into *caddy.Duration) error {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n >= 0 && n <= math.MaxInt64/int64(time.Second) {
		*into = caddy.Duration(time.Duration(n) * time.Second)
		return nil
	}
	duration, err := caddy.ParseDuration(text)
	if err != nil || duration < 0 {
		return fmt.Errorf("'%s' is not a duration, as 5m or 1d, or a number of seconds", text)
	}
	*into = caddy.Duration(duration)
	return nil
}
