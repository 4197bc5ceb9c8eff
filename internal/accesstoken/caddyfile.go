// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package accesstoken

import (
	"slices"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// ParseLine parses the line that d stands at, if it is one of these, and
// reports whether it is:
//
//	audience     <audience...>
//	jwks_url     <url>
//	jwks_file    <file>
//	key_file     <file>
//	key          <pem>
//	secret       <secret>
//	secret_file  <file>
//	algorithms   <algorithm...>
//	typ          <type...>
//	optional     exp|aud|iss...
//	leeway       <duration>
//	max_lifetime <duration>
//
// and the lines of federation.Mapping, federation.Accounts and outbound.Settings.
func (i *Issuer) ParseLine(d *caddyfile.Dispenser) (known bool, err error) {
	switch d.Val() {
	case "audience":
		return true, parseWords(d, &i.Audience)
	case "jwks_url":
		return true, parseText(d, &i.JWKSURL)
	case "jwks_file":
		return true, parseText(d, &i.JWKSFile)
	case "key_file":
		return true, parseText(d, &i.KeyFile)
	case "key":
		return true, parseText(d, &i.Key)
	case "secret":
		return true, parseText(d, &i.Secret)
	case "secret_file":
		return true, parseText(d, &i.SecretFile)
	case "algorithms":
		return true, parseWords(d, &i.Algorithms)
	case "typ":
		return true, parseWords(d, &i.Types)
	case "optional":
		if err := parseWords(d, &i.Optional); err != nil {
			return true, err
		}
		for _, claim := range i.Optional {
			if !slices.Contains([]string{optionalExp, optionalAud, optionalIss}, claim) {
				return true, d.Errf("optional: unknown word '%s', expected some of exp, aud and iss", claim)
			}
		}
		return true, nil
	case "leeway":
		if i.Leeway != nil {
			return true, d.Err("leeway is given twice")
		}
		i.Leeway = new(caddy.Duration)
		return true, parseDuration(d, i.Leeway, 0)
	case "max_lifetime":
		if i.MaxLifetime != 0 {
			return true, d.Err("max_lifetime is given twice")
		}
		return true, parseDuration(d, &i.MaxLifetime, time.Second)
	}
	for _, parse := range []func(*caddyfile.Dispenser) (bool, error){
		i.Mapping.ParseLine, i.Accounts.ParseLine, i.Settings.ParseLine,
	} {
		if known, err := parse(d); known || err != nil {
			return known, err
		}
	}
	return false, nil
}

func parseText(d *caddyfile.Dispenser, into *string) error {
	word := d.Val()
	if *into != "" {
		return d.Errf("%s is given twice", word)
	}
	if !d.AllArgs(into) || *into == "" {
		return d.ArgErr()
	}
	return nil
}

func parseWords(d *caddyfile.Dispenser, into *[]string) error {
	word := d.Val()
	if len(*into) > 0 {
		return d.Errf("%s is given twice", word)
	}
	words := d.RemainingArgs()
	if len(words) == 0 || slices.Contains(words, "") {
		return d.ArgErr()
	}
	*into = words
	return nil
}

func parseDuration(d *caddyfile.Dispenser, into *caddy.Duration, least time.Duration) error {
	word := d.Val()
	var text string
	if !d.AllArgs(&text) {
		return d.ArgErr()
	}
	duration, err := caddy.ParseDuration(text)
	if err != nil || duration < least {
		return d.Errf("%s: '%s' is not a duration of %v or more", word, text, least)
	}
	*into = caddy.Duration(duration)
	return nil
}
