// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// UnmarshalCaddyfile sets up the authenticator from Caddyfile tokens. Syntax:
//
//	authenticate entra <tenant...>|common|organizations {
//	    allowed_tenants  <tenant...>|any
//	    audience         <audience...>
//	    versions         <1.0|2.0...>
//	    cloud            public|usgov|china
//	    authority        <url>
//	    client_id        <id>
//	    allow_guests     [on|off]
//	    guest_user_claim <claim>
//	    apps             roles|any|off
//	    app_user_claim   <claim>
//	    overage          refuse|ignore
//	    graph {
//	        client_id     <id>
//	        client_secret <secret>
//	        flow          on_behalf_of|client_credentials
//	        group_name    id|display_name
//	        endpoint      <url>
//	        cache         <duration>
//	    }
//	    leeway           <duration>
//	    max_lifetime     <duration>
//	    compat           django
//	    mirror_groups    [on|off]
//	    create           [on|off]
//	    # and the lines of federation.Mapping, federation.Accounts,
//	    # bearer.Challenger and outbound.Settings
//	}
func (e *Entra) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the name of the authenticator
	e.Tenants = d.RemainingArgs()
	if len(e.Tenants) == 0 {
		return d.ArgErr()
	}
	given := make(map[string]bool)
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		word := d.Val()
		known, err := e.parseLine(d)
		if err != nil {
			return err
		}
		if !known {
			return d.Errf("unrecognized subdirective '%s'", word)
		}
		if given[word] {
			return d.Errf("%s is given twice", word)
		}
		given[word] = true
	}
	return nil
}

func (e *Entra) parseLine(d *caddyfile.Dispenser) (known bool, err error) {
	switch d.Val() {
	case "allowed_tenants":
		return true, parseEntraList(d, &e.AllowedTenants)
	case "audience":
		return true, parseEntraList(d, &e.Audience)
	case "versions":
		return true, parseEntraList(d, &e.Versions)
	case "cloud":
		return true, parseEntraText(d, &e.Cloud)
	case "authority":
		return true, parseEntraText(d, &e.Authority)
	case "client_id":
		return true, parseEntraText(d, &e.ClientID)
	case "allow_guests":
		e.AllowGuests = new(bool)
		return true, parseEntraSwitch(d, e.AllowGuests)
	case "guest_user_claim":
		return true, parseEntraText(d, &e.GuestUserClaim)
	case "apps":
		return true, parseEntraText(d, &e.Apps)
	case "app_user_claim":
		return true, parseEntraText(d, &e.AppUserClaim)
	case "overage":
		return true, parseEntraText(d, &e.Overage)
	case "graph":
		if e.Graph != nil {
			return true, d.Err("graph is given twice")
		}
		e.Graph = new(EntraGraph)
		return true, e.Graph.parse(d)
	case "leeway":
		e.Leeway = new(caddy.Duration)
		return true, parseEntraDuration(d, e.Leeway)
	case "max_lifetime":
		return true, parseEntraDuration(d, &e.MaxLifetime)
	case "compat":
		return true, parseEntraText(d, &e.Compat)
	case "mirror_groups":
		return true, parseEntraSwitch(d, &e.MirrorGroups)
	case "create":
		e.Create = new(bool)
		return true, parseEntraSwitch(d, e.Create)
	}
	for _, parse := range []func(*caddyfile.Dispenser) (bool, error){
		e.Mapping.ParseLine, e.Accounts.ParseLine, e.Challenger.ParseLine, e.Settings.ParseLine,
	} {
		if known, err := parse(d); known || err != nil {
			return known, err
		}
	}
	return false, nil
}

func (g *EntraGraph) parse(d *caddyfile.Dispenser) error {
	if d.NextArg() {
		return d.ArgErr()
	}
	given := make(map[string]bool)
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		word := d.Val()
		if given[word] {
			return d.Errf("%s is given twice", word)
		}
		given[word] = true
		var err error
		switch word {
		case "client_id":
			err = parseEntraText(d, &g.ClientID)
		case "client_secret":
			err = parseEntraText(d, &g.ClientSecret)
		case "flow":
			err = parseEntraText(d, &g.Flow)
		case "group_name":
			err = parseEntraText(d, &g.GroupName)
		case "endpoint":
			err = parseEntraText(d, &g.Endpoint)
		case "cache":
			g.Cache = new(caddy.Duration)
			err = parseEntraDuration(d, g.Cache)
		default:
			err = d.Errf("unrecognized subdirective '%s'", word)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func parseEntraText(d *caddyfile.Dispenser, into *string) error {
	if !d.AllArgs(into) || *into == "" {
		return d.ArgErr()
	}
	return nil
}

func parseEntraList(d *caddyfile.Dispenser, into *[]string) error {
	if *into = d.RemainingArgs(); len(*into) == 0 {
		return d.ArgErr()
	}
	return nil
}

// parseEntraSwitch reads on or off; the word alone means on.
func parseEntraSwitch(d *caddyfile.Dispenser, into *bool) error {
	word := d.Val()
	args := d.RemainingArgs()
	switch {
	case len(args) == 0, len(args) == 1 && args[0] == "on":
		*into = true
	case len(args) == 1 && args[0] == "off":
		*into = false
	default:
		return d.Errf("%s takes on or off", word)
	}
	return nil
}

func parseEntraDuration(d *caddyfile.Dispenser, into *caddy.Duration) error {
	word := d.Val()
	var text string
	if !d.AllArgs(&text) {
		return d.ArgErr()
	}
	duration, err := caddy.ParseDuration(text)
	if err != nil || duration < 0 {
		return d.Errf("%s '%s' is not a duration", word, text)
	}
	*into = caddy.Duration(duration)
	return nil
}

// Interface guards
var _ caddyfile.Unmarshaler = (*Entra)(nil)
