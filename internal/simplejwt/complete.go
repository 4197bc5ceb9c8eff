// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package simplejwt

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"golang.org/x/net/http/httpguts"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/signing"
)

// Check reports a mistake in settings that nobody may be there to use. It leaves
// them as they are.
func (s *Settings) Check() error {
	complete := *s
	if err := complete.complete(nil); err != nil {
		return err
	}
	if complete.SigningKey == "" && complete.VerifyingKey == "" {
		return nil
	}
	_, err := parseGiven(&complete)
	return err
}

// complete fills what is not said from the defaults and resolves placeholders.
func (s *Settings) complete(defaults *Settings) error {
	if defaults != nil {
		s.inherit(defaults)
	}
	s.setDefaults()
	if err := s.resolve(); err != nil {
		return err
	}
	if err := s.check(); err != nil {
		return err
	}
	return s.checkKeyLifetime()
}

// checkKeyLifetime refuses a life of keys of which too many would verify.
func (s *Settings) checkKeyLifetime() error {
	if most := signing.MaxKeys(s.Algorithm); s.SigningKeyLifetime != 0 && s.keys() > most {
		return fmt.Errorf("signing_key_lifetime: so many keys would still verify while a token lives %s: %d, and at most %d of %s can",
			s.longest(), s.keys(), most, s.Algorithm)
	}
	return nil
}

// inherit takes over what s does not say. A key is taken over with its algorithm
// and with what it is to be verified by, or else not at all.
func (s *Settings) inherit(from *Settings) {
	if s.Algorithm == "" && s.SigningKey == "" && s.VerifyingKey == "" && s.JWKURL == "" {
		s.Algorithm, s.SigningKey, s.VerifyingKey, s.JWKURL, s.JWKFetch = from.Algorithm, from.SigningKey, from.VerifyingKey, from.JWKURL, from.JWKFetch
	}
	inherit(&s.AccessTokenLifetime, from.AccessTokenLifetime)
	inherit(&s.RefreshTokenLifetime, from.RefreshTokenLifetime)
	inherit(&s.RotateRefreshTokens, from.RotateRefreshTokens)
	inherit(&s.BlacklistAfterRotation, from.BlacklistAfterRotation)
	if s.SigningKey == "" {
		inherit(&s.SigningKeyLifetime, from.SigningKeyLifetime) // that of generated ones
	}
	inherit(&s.Issuer, from.Issuer)
	inherit(&s.Leeway, from.Leeway)
	inherit(&s.AuthHeaderName, from.AuthHeaderName)
	inherit(&s.UserIDField, from.UserIDField)
	inherit(&s.UserIDClaim, from.UserIDClaim)
	inherit(&s.CheckUserIsActive, from.CheckUserIsActive)
	inherit(&s.TokenTypeClaim, from.TokenTypeClaim)
	inherit(&s.JTIClaim, from.JTIClaim)
	inherit(&s.SlidingTokenRefreshExpClaim, from.SlidingTokenRefreshExpClaim)
	inherit(&s.SlidingTokenLifetime, from.SlidingTokenLifetime)
	inherit(&s.SlidingTokenRefreshLifetime, from.SlidingTokenRefreshLifetime)
	inherit(&s.CheckRevokeToken, from.CheckRevokeToken)
	inherit(&s.RevokeTokenClaim, from.RevokeTokenClaim)
	inherit(&s.JWTAuthCookie, from.JWTAuthCookie)
	inherit(&s.JWTAuthRefreshCookie, from.JWTAuthRefreshCookie)
	inherit(&s.JWTAuthCookiePath, from.JWTAuthCookiePath)
	inherit(&s.JWTAuthRefreshCookiePath, from.JWTAuthRefreshCookiePath)
	inherit(&s.JWTAuthCookieDomain, from.JWTAuthCookieDomain)
	inherit(&s.JWTAuthSameSite, from.JWTAuthSameSite)
	inherit(&s.JWTAuthSecure, from.JWTAuthSecure)
	inherit(&s.JWTAuthHTTPOnly, from.JWTAuthHTTPOnly)
	inherit(&s.JWTAuthReturnExpiration, from.JWTAuthReturnExpiration)
	inherit(&s.JWTAuthCookieUseCSRF, from.JWTAuthCookieUseCSRF)
	for list, of := range map[*[]string][]string{
		&s.Audience: from.Audience, &s.AuthHeaderTypes: from.AuthHeaderTypes, &s.AuthTokenClasses: from.AuthTokenClasses,
	} {
		if *list == nil {
			*list = slices.Clone(of)
		}
	}
}

func (s *Settings) setDefaults() {
	inherit(&s.AccessTokenLifetime, caddy.Duration(defaultAccess))
	inherit(&s.RefreshTokenLifetime, caddy.Duration(defaultRefresh))
	inherit(&s.SlidingTokenLifetime, caddy.Duration(defaultAccess))
	inherit(&s.SlidingTokenRefreshLifetime, caddy.Duration(defaultRefresh))
	inherit(&s.Algorithm, defaultAlgorithm)
	inherit(&s.AuthHeaderName, defaultHeader)
	inherit(&s.UserIDField, defaultUserIDField)
	inherit(&s.UserIDClaim, defaultUserIDClaim)
	inherit(&s.TokenTypeClaim, defaultTypeClaim)
	inherit(&s.JTIClaim, defaultIDClaim)
	inherit(&s.SlidingTokenRefreshExpClaim, defaultRefreshExpClaim)
	inherit(&s.RevokeTokenClaim, defaultRevokeTokenClaim)
	inherit(&s.JWTAuthCookiePath, "/")
	inherit(&s.JWTAuthRefreshCookiePath, "/")
	inherit(&s.JWTAuthSameSite, "Lax")
	inherit(&s.JWTAuthSecure, "auto")
	for option, on := range map[**bool]bool{
		&s.RotateRefreshTokens: false, &s.BlacklistAfterRotation: true, &s.CheckUserIsActive: true, &s.CheckRevokeToken: false,
		&s.JWTAuthHTTPOnly: true, &s.JWTAuthReturnExpiration: false, &s.JWTAuthCookieUseCSRF: true,
	} {
		inherit(option, &on)
	}
	if len(s.AuthHeaderTypes) == 0 {
		s.AuthHeaderTypes = []string{defaultHeaderType}
	}
	if len(s.AuthTokenClasses) == 0 {
		s.AuthTokenClasses = []string{Access}
	}
}

func inherit[T comparable](into *T, value T) {
	var nothing T
	if *into == nothing {
		*into = value
	}
}

// texts are the options that may have placeholders, by name.
func (s *Settings) texts() map[string]*string {
	texts := map[string]*string{
		"algorithm": &s.Algorithm, "signing_key": &s.SigningKey, "verifying_key": &s.VerifyingKey, "issuer": &s.Issuer,
		"jwk_url": &s.JWKURL, "auth_header_name": &s.AuthHeaderName, "user_id_claim": &s.UserIDClaim,
		"jwt_auth_cookie": &s.JWTAuthCookie, "jwt_auth_refresh_cookie": &s.JWTAuthRefreshCookie,
		"jwt_auth_cookie_path": &s.JWTAuthCookiePath, "jwt_auth_refresh_cookie_path": &s.JWTAuthRefreshCookiePath,
		"jwt_auth_cookie_domain": &s.JWTAuthCookieDomain,
	}
	s.Audience = slices.Clone(s.Audience)
	for i := range s.Audience {
		texts[fmt.Sprintf("audience %d", i+1)] = &s.Audience[i]
	}
	return texts
}

func (s *Settings) resolve() error {
	replacer := caddy.NewReplacer()
	for name, text := range s.texts() {
		value, err := replacer.ReplaceOrErr(*text, true, true)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		*text = value
	}
	if s.JWKFetch != nil {
		fetch := *s.JWKFetch
		if err := fetch.Resolve(); err != nil {
			return fmt.Errorf("jwk_fetch: %w", err)
		}
		s.JWKFetch = &fetch
	}
	return nil
}

func (s *Settings) check() error {
	for name, lifetime := range map[string]caddy.Duration{
		"access_token_lifetime": s.AccessTokenLifetime, "refresh_token_lifetime": s.RefreshTokenLifetime,
		"sliding_token_lifetime": s.SlidingTokenLifetime, "sliding_token_refresh_lifetime": s.SlidingTokenRefreshLifetime,
	} {
		// A bare number is seconds in a Caddyfile, and nanoseconds in JSON.
		if time.Duration(lifetime) < time.Second {
			return fmt.Errorf("%s: %s is shorter than a second", name, time.Duration(lifetime))
		}
	}
	if s.Leeway < 0 || s.Leeway > caddy.Duration(time.Hour) {
		return fmt.Errorf("leeway: %s is not from 0 to 1h", time.Duration(s.Leeway))
	}
	if s.SigningKeyLifetime != 0 && s.SigningKeyLifetime < caddy.Duration(minKeyLife) {
		return fmt.Errorf("signing_key_lifetime: %s is shorter than %s", time.Duration(s.SigningKeyLifetime), minKeyLife)
	}
	if s.SigningKeyLifetime != 0 && s.SigningKey != "" {
		return errors.New("signing_key_lifetime: a signing_key that is given is not replaced")
	}
	if err := signing.CheckAlgorithm(s.Algorithm); err != nil {
		return fmt.Errorf("algorithm: %w", err)
	}
	if s.JWKURL != "" {
		if err := outbound.CheckURL(s.JWKURL, *s.fetch()); err != nil {
			return fmt.Errorf("jwk_url: %w", err)
		}
	}
	if s.UserIDField != FieldID && s.UserIDField != FieldUsername {
		return fmt.Errorf("user_id_field: unknown word '%s', expected id or username", s.UserIDField)
	}
	return errors.Join(s.checkClaims(), s.checkHeader(), s.checkClasses())
}

// keys is how many a ring has at most: those of tokens that live, the one that signs,
// and the next.
func (s *Settings) keys() int {
	return int(s.longest()/time.Duration(s.SigningKeyLifetime)) + 3
}

// minKeyLife leaves time for the others to learn of the next key.
const minKeyLife = time.Hour

func (s *Settings) fetch() *outbound.Settings {
	if s.JWKFetch == nil {
		return new(outbound.Settings)
	}
	return s.JWKFetch
}

// checkClaims refuses two meanings of one name.
func (s *Settings) checkClaims() error {
	meaning := map[string]string{"exp": "exp", "iat": "iat", "nbf": "nbf", "aud": "aud", "iss": "iss", SessionClaim: SessionClaim}
	for _, option := range [][2]string{
		{"token_type_claim", s.TokenTypeClaim},
		{"jti_claim", s.JTIClaim},
		{"user_id_claim", s.UserIDClaim},
		{"sliding_token_refresh_exp_claim", s.SlidingTokenRefreshExpClaim},
		{"revoke_token_claim", s.RevokeTokenClaim},
	} {
		name, claim := option[0], option[1]
		if claim == None && (name == "token_type_claim" || name == "jti_claim") {
			continue
		}
		if other, taken := meaning[claim]; taken {
			return fmt.Errorf("%s: the claim '%s' is taken, by %s", name, claim, other)
		}
		meaning[claim] = name
	}
	return nil
}

func (s *Settings) checkHeader() error {
	name := s.AuthHeaderName
	if django, ok := strings.CutPrefix(name, "HTTP_"); ok {
		name = strings.ReplaceAll(django, "_", "-")
	}
	if !httpguts.ValidHeaderFieldName(name) {
		return fmt.Errorf("auth_header_name: '%s' is not the name of a header", s.AuthHeaderName)
	}
	s.AuthHeaderName = http.CanonicalHeaderKey(name)
	for _, word := range s.AuthHeaderTypes {
		if !httpguts.ValidHeaderFieldName(word) {
			return fmt.Errorf("auth_header_types: '%s' is not one word", word)
		}
	}
	return nil
}

func (s *Settings) checkClasses() error {
	s.AuthTokenClasses = slices.Clone(s.AuthTokenClasses)
	for i, class := range s.AuthTokenClasses {
		kind := strings.ToLower(strings.TrimSuffix(class[strings.LastIndexByte(class, '.')+1:], "Token"))
		if kind != Access && kind != Refresh && kind != Sliding {
			return fmt.Errorf("auth_token_classes: unknown word '%s', expected some of access, sliding, refresh", class)
		}
		if slices.Contains(s.AuthTokenClasses[:i], kind) {
			return fmt.Errorf("auth_token_classes: '%s' is given twice", class)
		}
		s.AuthTokenClasses[i] = kind
	}
	return nil
}

// numericDate reads seconds since 1970, with decimals or not.
func numericDate(raw json.RawMessage) (time.Time, error) {
	var seconds float64
	if err := json.Unmarshal(raw, &seconds); err != nil || len(raw) == 0 || raw[0] < '0' || raw[0] > '9' || seconds > maxDate {
		return time.Time{}, errors.New("not a date")
	}
	whole := int64(seconds)
	return time.Unix(whole, int64((seconds-float64(whole))*1e9)), nil
}

// maxDate is the end of the year 9999.
const maxDate = 253402300799
