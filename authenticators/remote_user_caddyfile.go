// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import "github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

// UnmarshalCaddyfile sets up the authenticator from Caddyfile tokens. Syntax:
//
//	authenticate remote_user {
//	    from         <placeholder>
//	    header       <name> from <range...>
//	    create       on|off
//	    strip_domain <domain...>
//	    strip_realm  <realm...>
//	    lowercase
//	}
func (u *RemoteUser) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the name of the authenticator
	if d.NextArg() {
		return d.ArgErr()
	}
	given := make(map[string]bool)
	for d.NextBlock(0) {
		word := d.Val()
		args := d.RemainingArgs()
		if given[word] && word != "strip_domain" && word != "strip_realm" {
			return d.Errf("%s is given twice", word)
		}
		given[word] = true
		switch word {
		case "from":
			if len(args) != 1 || args[0] == "" {
				return d.ArgErr()
			}
			u.From = args[0]
		case "header":
			if len(args) < 3 || args[1] != "from" {
				return d.Err("header takes a name, the word from, and the addresses of those who may send it")
			}
			u.Header = &RemoteHeader{Name: args[0], From: args[2:]}
		case "create":
			if len(args) != 1 || args[0] != "on" && args[0] != "off" {
				return d.Err("create takes on or off")
			}
			u.Create = args[0] == "on"
		case "strip_domain", "strip_realm":
			if len(args) == 0 {
				return d.ArgErr()
			}
			if word == "strip_domain" {
				u.StripDomains = append(u.StripDomains, args...)
			} else {
				u.StripRealms = append(u.StripRealms, args...)
			}
		case "lowercase":
			if len(args) > 0 {
				return d.ArgErr()
			}
			u.Lowercase = true
		default:
			return d.Errf("unrecognized subdirective '%s'", word)
		}
	}
	return nil
}

// Interface guards
var _ caddyfile.Unmarshaler = (*RemoteUser)(nil)
