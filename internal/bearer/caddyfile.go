// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package bearer

import "github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

// ParseLine reads one line of an authenticator's block, and reports whether it is
// one of these. Syntax:
//
//	header <name>
//	scheme <word...>
//	cookie <name>
//	query  [<parameter>]
//
// The parameter is access_token unless the line says another.
func (s *Sources) ParseLine(d *caddyfile.Dispenser) (known bool, err error) {
	switch d.Val() {
	case "header":
		return true, parseWord(d, &s.Header)
	case "scheme":
		return true, parseWords(d, &s.Schemes)
	case "cookie":
		return true, parseWord(d, &s.Cookie)
	case "query":
		if s.Query == "" && d.CountRemainingArgs() == 0 {
			s.Query = "access_token"
			return true, nil
		}
		return true, parseWord(d, &s.Query)
	}
	return false, nil
}

// ParseLine reads one line of an authenticator's block, and reports whether it is
// one of these. Syntax:
//
//	realm             <name>
//	resource_metadata <url>
//	challenge_scope   <scope...>
func (c *Challenger) ParseLine(d *caddyfile.Dispenser) (known bool, err error) {
	switch d.Val() {
	case "realm":
		return true, parseWord(d, &c.Realm)
	case "resource_metadata":
		return true, parseWord(d, &c.ResourceMetadata)
	case "challenge_scope":
		return true, parseWords(d, &c.ChallengeScopes)
	}
	return false, nil
}

func parseWord(d *caddyfile.Dispenser, into *string) error {
	name := d.Val()
	if *into != "" {
		return d.Errf("%s is given twice", name)
	}
	if !d.NextArg() || d.Val() == "" {
		return d.ArgErr()
	}
	*into = d.Val()
	if d.NextArg() {
		return d.ArgErr()
	}
	return nil
}

func parseWords(d *caddyfile.Dispenser, into *[]string) error {
	name := d.Val()
	if len(*into) > 0 {
		return d.Errf("%s is given twice", name)
	}
	words := d.RemainingArgs()
	if len(words) == 0 {
		return d.ArgErr()
	}
	*into = words
	return nil
}
