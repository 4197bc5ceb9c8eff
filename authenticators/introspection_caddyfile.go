// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/bearer"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/possession"
)

const (
	defaultCacheTTL = time.Minute
	maxCacheTTL     = time.Hour

	defaultIntrospectionLeeway = 30 * time.Second
	maxIntrospectionLeeway     = time.Minute
)

// resolve replaces placeholders, sets defaults, and reports a mistake.
func (i *Introspection) resolve() (err error) {
	if err := i.Settings.Resolve(); err != nil {
		return err
	}
	if err := i.Settings.Check(); err != nil {
		return err
	}
	if err := i.Server.Resolve(i.Settings); err != nil {
		return err
	}
	if err := i.Sources.Resolve(); err != nil {
		return err
	}
	if err := i.Challenger.Resolve(); err != nil {
		return err
	}
	if err := i.Mapping.Check(); err != nil {
		return err
	}
	i.DPoPAlgs = possession.Algorithms
	i.Audience = slices.Clone(i.Audience)
	for n := range i.Audience {
		audience, err := caddy.NewReplacer().ReplaceOrErr(i.Audience[n], true, true)
		if err != nil {
			return fmt.Errorf("audience: %w", err)
		}
		if i.Audience[n] = audience; audience == "" {
			return errors.New("audience: is empty")
		}
	}
	for _, claim := range i.Optional {
		if !slices.Contains(optionalMembers, claim) {
			return fmt.Errorf("optional: unknown word '%s', expected some of exp, aud and iss", claim)
		}
	}
	if len(i.Audience) == 0 && !slices.Contains(i.Optional, "aud") {
		return errors.New("no audience: say for whom tokens have to be, or `optional aud`")
	}
	if i.Scope, err = bearer.ResolveScopes(i.Scope); err != nil {
		return fmt.Errorf("scope: %w", err)
	}
	if i.CacheTTL != nil && (*i.CacheTTL < 0 || time.Duration(*i.CacheTTL) > maxCacheTTL) {
		return fmt.Errorf("cache_ttl: %v is not between 0s and %v", time.Duration(*i.CacheTTL), maxCacheTTL)
	}
	leeway := defaultIntrospectionLeeway
	if i.Leeway != nil {
		leeway = time.Duration(*i.Leeway)
	}
	if leeway < 0 || leeway > maxIntrospectionLeeway {
		return fmt.Errorf("leeway: %v is not between 0s and %v", leeway, maxIntrospectionLeeway)
	}
	// The issuer is compared beside the rules, since it may be none of ours to know.
	i.rules = jose.Rules{Audiences: i.Audience, Optional: append([]string{"iss"}, i.Optional...), Leeway: leeway}
	return nil
}

var optionalMembers = []string{"exp", "aud", "iss"}

func (i *Introspection) ttl() time.Duration {
	if i.CacheTTL == nil {
		return defaultCacheTTL
	}
	return time.Duration(*i.CacheTTL)
}

// UnmarshalCaddyfile sets up the authenticator from Caddyfile tokens. Syntax:
//
//	authenticate introspection [<url>] {
//	    # the lines of introspection.Server.ParseLine, and
//	    audience  <audience...>
//	    optional  exp|aud|iss...
//	    scope     <scope...>
//	    leeway    <duration>
//	    cache_ttl <duration>
//	    # the lines of federation.Mapping, federation.Accounts, outbound.Settings,
//	    # bearer.Sources and bearer.Challenger
//	}
func (i *Introspection) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the name of the authenticator
	if d.NextArg() {
		if i.Endpoint = d.Val(); i.Endpoint == "" || d.NextArg() {
			return d.ArgErr()
		}
	}
	for d.NextBlock(0) {
		known, err := i.parseLine(d)
		if err != nil {
			return err
		}
		if !known {
			return d.Errf("unrecognized subdirective '%s'", d.Val())
		}
	}
	return nil
}

func (i *Introspection) parseLine(d *caddyfile.Dispenser) (known bool, err error) {
	switch d.Val() {
	case "audience":
		return true, parseWords(d, &i.Audience)
	case "scope":
		return true, parseWords(d, &i.Scope)
	case "optional":
		if err := parseWords(d, &i.Optional); err != nil {
			return true, err
		}
		for _, claim := range i.Optional {
			if !slices.Contains(optionalMembers, claim) {
				return true, d.Errf("optional: unknown word '%s', expected some of exp, aud and iss", claim)
			}
		}
		return true, nil
	case "leeway":
		return true, parseShort(d, &i.Leeway, maxIntrospectionLeeway)
	case "cache_ttl":
		return true, parseShort(d, &i.CacheTTL, maxCacheTTL)
	}
	for _, parse := range []func(*caddyfile.Dispenser) (bool, error){
		i.Server.ParseLine, i.Mapping.ParseLine, i.Accounts.ParseLine, i.Settings.ParseLine,
		i.Sources.ParseLine, i.Challenger.ParseLine,
	} {
		if known, err := parse(d); known || err != nil {
			return true, err
		}
	}
	return false, nil
}

func parseWords(d *caddyfile.Dispenser, into *[]string) error {
	word := d.Val()
	if *into != nil {
		return d.Errf("%s is given twice", word)
	}
	words := d.RemainingArgs()
	if len(words) == 0 || slices.Contains(words, "") {
		return d.ArgErr()
	}
	*into = words
	return nil
}

// parseShort parses a duration that has a bound.
func parseShort(d *caddyfile.Dispenser, into **caddy.Duration, most time.Duration) error {
	word := d.Val()
	if *into != nil {
		return d.Errf("%s is given twice", word)
	}
	var text string
	if !d.AllArgs(&text) {
		return d.ArgErr()
	}
	duration, err := caddy.ParseDuration(text)
	if err != nil || duration < 0 || duration > most {
		return d.Errf("%s: '%s' is not a duration between 0s and %v", word, text, most)
	}
	*into = (*caddy.Duration)(&duration)
	return nil
}

var _ caddyfile.Unmarshaler = (*Introspection)(nil)
