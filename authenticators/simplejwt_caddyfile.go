// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import "github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

// UnmarshalCaddyfile sets up the authenticator from Caddyfile tokens. Syntax:
//
//	authenticate simplejwt {
//	    stateless   [on|off]
//	    user_prefix <text>|off
//	    # the lines of simplejwt.Settings.ParseLine
//	}
func (s *SimpleJWT) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the name of the authenticator
	if d.NextArg() {
		return d.ArgErr()
	}
	said := false // whether there was a line `stateless`
	for d.NextBlock(0) {
		switch d.Val() {
		case "stateless":
			if said {
				return d.Err("stateless is given twice")
			}
			said = true
			if err := parseSwitch(d, &s.Stateless); err != nil {
				return err
			}
		case "user_prefix":
			if s.UserPrefix.UserPrefix != "" {
				return d.Err("user_prefix is given twice")
			}
			if !d.NextArg() || d.Val() == "" {
				return d.ArgErr()
			}
			s.UserPrefix.UserPrefix = d.Val()
			if d.NextArg() {
				return d.ArgErr()
			}
		default:
			known, err := s.ParseLine(d)
			if err != nil {
				return err
			}
			if !known {
				return d.Errf("unrecognized subdirective '%s'", d.Val())
			}
		}
	}
	return nil
}

// parseSwitch parses on or off; a line without either is on.
func parseSwitch(d *caddyfile.Dispenser, into *bool) error {
	name := d.Val()
	args := d.RemainingArgs()
	if len(args) > 1 {
		return d.ArgErr()
	}
	*into = true
	if len(args) == 1 && args[0] != "on" {
		if *into = false; args[0] != "off" {
			return d.Errf("%s: unknown word '%s', expected on or off", name, args[0])
		}
	}
	return nil
}

var _ caddyfile.Unmarshaler = (*SimpleJWT)(nil)
