// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package accesstoken

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/federation"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

const (
	defaultLeeway = 30 * time.Second
	maxLeeway     = time.Minute
)

// Words of the option optional: claims that a token may do without.
const (
	optionalExp = "exp"
	optionalAud = "aud"
	optionalIss = "iss"
)

// Issuer says whose tokens are accepted, by which keys they are verified, and
// who the users are.
type Issuer struct {
	// The issuer, exactly as its tokens say in `iss`. Without any of the options
	// that say where its keys are, they are found by OpenID Connect discovery at
	// this URL. Default: none, which takes `optional iss`.
	Issuer string `json:"issuer,omitempty"`

	// For whom a token has to be, of which its `aud` has to name one. A token
	// that was issued for another API is not accepted. Default: none, which
	// takes `optional aud`.
	Audience []string `json:"audience,omitempty"`

	Keys

	// The algorithms that signatures may have, of RS256, RS384, RS512, PS256,
	// PS384, PS512, ES256, ES384, ES512, EdDSA, HS256, HS384 and HS512. A key
	// is never used for an algorithm that is not its own, whatever a token says.
	// Default: all that the keys are for.
	Algorithms []string `json:"algorithms,omitempty"`

	// The types of tokens that are accepted, as `at+jwt` of RFC 9068, compared
	// with `typ` of the header. Default: any but those that are known to be no
	// access tokens.
	Types []string `json:"typ,omitempty"`

	// Which of the claims exp, aud and iss a token may do without. What it does
	// say still has to be right. A token without exp is good until its key is
	// gone. Default: none.
	Optional []string `json:"optional,omitempty"`

	// By how much the issuer's clock may differ, at most a minute. Default: 30s.
	Leeway *caddy.Duration `json:"leeway,omitempty"`

	// Refuses tokens that are valid for longer than this from `iat` on.
	// Default: none; what the issuer says counts.
	MaxLifetime caddy.Duration `json:"max_lifetime,omitempty"`

	federation.Mapping
	federation.Accounts
	outbound.Settings
}

// Inherit takes what the issuer does not say itself from another one: all but
// who it is and where its keys are.
func (i *Issuer) Inherit(from *Issuer) {
	i.Audience = orList(i.Audience, from.Audience)
	i.Algorithms = orList(i.Algorithms, from.Algorithms)
	i.Types = orList(i.Types, from.Types)
	i.Optional = orList(i.Optional, from.Optional)
	if i.Leeway == nil {
		i.Leeway = from.Leeway
	}
	if i.MaxLifetime == 0 {
		i.MaxLifetime = from.MaxLifetime
	}
	i.Mapping.Inherit(&from.Mapping)
	i.Accounts.Inherit(&from.Accounts)
	i.AllowInternal = orList(i.AllowInternal, from.AllowInternal)
	i.AllowHTTP = i.AllowHTTP || from.AllowHTTP
	if i.CAFile == "" {
		i.CAFile = from.CAFile
	}
	if i.Timeout == 0 {
		i.Timeout = from.Timeout
	}
}

// Resolve replaces placeholders, and reports a mistake in the options.
func (i *Issuer) Resolve() error {
	for _, option := range []struct {
		name string
		list *[]string
	}{{"audience", &i.Audience}, {"algorithms", &i.Algorithms}, {"typ", &i.Types}} {
		if err := resolveList(option.name, option.list); err != nil {
			return err
		}
	}
	if err := resolve("issuer", &i.Issuer); err != nil {
		return err
	}
	if err := i.resolveKeys(); err != nil {
		return err
	}
	if err := i.Settings.Resolve(); err != nil {
		return err
	}
	return i.Check()
}

// Check reports a mistake in options whose placeholders were replaced.
func (i *Issuer) Check() error {
	for _, claim := range i.Optional {
		if claim != optionalExp && claim != optionalAud && claim != optionalIss {
			return fmt.Errorf("optional: unknown word '%s', expected some of exp, aud and iss", claim)
		}
	}
	if i.Issuer == "" && !i.optional(optionalIss) {
		return errors.New("no issuer: say whose tokens are accepted, or `optional iss`")
	}
	if err := checkIssuer(i.Issuer); err != nil {
		return err
	}
	if len(i.Audience) == 0 && !i.optional(optionalAud) {
		return errors.New("no audience: say for whom tokens have to be, or `optional aud`")
	}
	if slices.Contains(i.Audience, "") {
		return errors.New("audience: is empty")
	}
	if err := i.checkKeys(i.Issuer); err != nil {
		return err
	}
	if err := checkAlgorithms(i.Algorithms, i.secret()); err != nil {
		return err
	}
	if leeway := i.leeway(); leeway < 0 || leeway > maxLeeway {
		return fmt.Errorf("leeway: %v is not between 0s and %v", leeway, maxLeeway)
	}
	if i.MaxLifetime < 0 {
		return errors.New("max_lifetime: is below zero")
	}
	if err := i.Mapping.Check(); err != nil {
		return err
	}
	if err := i.Accounts.Check(); err != nil {
		return err
	}
	return i.Settings.Check()
}

func (i *Issuer) optional(claim string) bool { return slices.Contains(i.Optional, claim) }

func (i *Issuer) leeway() time.Duration {
	if i.Leeway == nil {
		return defaultLeeway
	}
	return time.Duration(*i.Leeway)
}

// checkIssuer refuses names that could be taken for those of other sources of
// users, or end a line.
func checkIssuer(issuer string) error {
	switch {
	case strings.ContainsFunc(issuer, func(r rune) bool { return unicode.IsControl(r) || r == '|' || r == ' ' }):
		return fmt.Errorf("issuer: %q has a character that no issuer has", issuer)
	case len(issuer) > 512:
		return errors.New("issuer: is longer than 512 bytes")
	}
	for _, ours := range []string{"store", "config", "htpasswd", "provider", "entra", "jwt"} {
		if issuer == ours || strings.HasPrefix(issuer, ours+":") {
			return fmt.Errorf("issuer: '%s' is a name that other users have", issuer)
		}
	}
	return nil
}

var (
	signatures = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
	macs       = []string{"HS256", "HS384", "HS512"}
)

func checkAlgorithms(algorithms []string, secret bool) error {
	for _, algorithm := range algorithms {
		isSignature, isMAC := slices.Contains(signatures, algorithm), slices.Contains(macs, algorithm)
		switch {
		case !isSignature && !isMAC:
			return fmt.Errorf("algorithms: '%s' is not one of %v and %v", algorithm, signatures, macs)
		case isMAC && !secret:
			return fmt.Errorf("algorithms: %s is for a secret, and a public key is none", algorithm)
		case isSignature && secret:
			return fmt.Errorf("algorithms: %s is for a public key, and a secret is none", algorithm)
		}
	}
	return nil
}

func resolve(name string, field *string) error {
	value, err := caddy.NewReplacer().ReplaceOrErr(*field, true, true)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	*field = value
	return nil
}

func resolveList(name string, list *[]string) error {
	*list = slices.Clone(*list) // may be another issuer's
	for i := range *list {
		if err := resolve(name, &(*list)[i]); err != nil {
			return err
		}
	}
	return nil
}

func orList(list, otherwise []string) []string {
	if len(list) == 0 {
		return otherwise
	}
	return list
}
