// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package tokens

import (
	"strconv"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// UnmarshalCaddyfile sets up the endpoint from Caddyfile tokens. Syntax:
//
//	tokens <path> {
//	    prefix         <text>
//	    scopes         <scope...>
//	    default_ttl    <duration>
//	    max_ttl        <duration>
//	    limit_per_user <n>
//	    grace          <duration>
//	    title          <text>
//	    template       <file>
//	}
func (e *Endpoint) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the name of the endpoint
	if d.NextArg() {
		return d.ArgErr()
	}
	for d.NextBlock(0) {
		word := d.Val()
		args := d.RemainingArgs()
		if len(args) == 0 {
			return d.ArgErr()
		}
		if word == "scopes" {
			e.Scopes = append(e.Scopes, args...)
			continue
		}
		if len(args) > 1 {
			return d.ArgErr()
		}
		if err := e.set(d, word, args[0]); err != nil {
			return err
		}
	}
	return nil
}

// set sets what is said in one word, and once.
func (e *Endpoint) set(d *caddyfile.Dispenser, word, value string) error {
	var ttl *caddy.Duration
	switch word {
	case "prefix":
		return setText(d, &e.Prefix, word, value)
	case "title":
		return setText(d, &e.Title, word, value)
	case "template":
		return setText(d, &e.Template, word, value)
	case "limit_per_user":
		n, err := strconv.Atoi(value)
		switch {
		case e.LimitPerUser != 0:
			return d.Err("limit_per_user is given twice")
		case err != nil || n < 1:
			return d.Errf("limit_per_user: '%s' is not a number above zero", value)
		}
		e.LimitPerUser = n
		return nil
	case "default_ttl":
		ttl = &e.DefaultTTL
	case "max_ttl":
		ttl = &e.MaxTTL
	case "grace":
		if e.Grace != nil {
			return d.Err("grace is given twice")
		}
		e.Grace = new(caddy.Duration)
		ttl = e.Grace
	default:
		return d.Errf("unrecognized subdirective '%s'", word)
	}
	if *ttl != 0 {
		return d.Errf("%s is given twice", word)
	}
	duration, err := caddy.ParseDuration(value)
	if err != nil || duration < 0 || duration == 0 && word != "grace" {
		return d.Errf("%s: '%s' is not a duration, as 90d", word, value)
	}
	*ttl = caddy.Duration(duration)
	return nil
}

func setText(d *caddyfile.Dispenser, field *string, word, value string) error {
	if *field != "" {
		return d.Errf("%s is given twice", word)
	}
	if value == "" {
		return d.ArgErr()
	}
	*field = value
	return nil
}

// Interface guard
var _ caddyfile.Unmarshaler = (*Endpoint)(nil)
