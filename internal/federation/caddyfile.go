// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package federation

import "github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

// ParseLine parses the line that d stands at, if it is one of these, and
// reports whether it is:
//
//	user_claim       <claim>
//	name_claim       <claim>
//	email_claim      <claim>
//	group_claim      <claim...>
//	permission_claim <claim...>
//	staff_claim      <claim> [<value...>]
//	superuser_claim  <claim> [<value...>]
//	scope_claim      <claim...>
func (m *Mapping) ParseLine(d *caddyfile.Dispenser) (known bool, err error) {
	switch d.Val() {
	case "user_claim":
		return true, parseText(d, &m.UserClaim)
	case "name_claim":
		return true, parseText(d, &m.NameClaim)
	case "email_claim":
		return true, parseText(d, &m.EmailClaim)
	case "group_claim":
		return true, parseList(d, &m.GroupClaim)
	case "permission_claim":
		return true, parseList(d, &m.PermissionClaim)
	case "staff_claim":
		return true, parseFlag(d, &m.StaffClaim)
	case "superuser_claim":
		return true, parseFlag(d, &m.SuperuserClaim)
	case "scope_claim":
		return true, parseList(d, &m.ScopeClaim)
	}
	return false, nil
}

// ParseLine parses the line that d stands at, if it is one of these, and
// reports whether it is:
//
//	user_prefix <text>|off
//	link        subject|<claim>
//	create      [on|off]
func (a *Accounts) ParseLine(d *caddyfile.Dispenser) (known bool, err error) {
	switch d.Val() {
	case "user_prefix":
		return true, parseText(d, &a.UserPrefix.UserPrefix)
	case "link":
		return true, parseText(d, &a.Link)
	case "create":
		if a.Create != nil {
			return true, d.Err("create is given twice")
		}
		word := "on"
		if d.CountRemainingArgs() > 0 && !d.AllArgs(&word) {
			return true, d.ArgErr()
		}
		if word != "on" && word != "off" {
			return true, d.Errf("create: unknown word '%s', expected on or off", word)
		}
		create := word == "on"
		a.Create = &create
		return true, nil
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

func parseList(d *caddyfile.Dispenser, into *[]string) error {
	word := d.Val()
	if *into != nil {
		return d.Errf("%s is given twice", word)
	}
	args := d.RemainingArgs()
	if len(args) == 0 {
		return d.ArgErr()
	}
	for _, arg := range args {
		if arg == "" {
			return d.Errf("%s: a claim has no name", word)
		}
	}
	*into = args
	return nil
}

func parseFlag(d *caddyfile.Dispenser, into **Flag) error {
	word := d.Val()
	if *into != nil {
		return d.Errf("%s is given twice", word)
	}
	args := d.RemainingArgs()
	if len(args) == 0 || args[0] == "" {
		return d.ArgErr()
	}
	*into = &Flag{Claim: args[0]}
	if len(args) > 1 {
		(*into).Values = args[1:]
	}
	return nil
}
