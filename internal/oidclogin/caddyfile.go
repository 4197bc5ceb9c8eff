// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package oidclogin

import (
	"maps"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// ParseProvider parses the line of a provider that d stands at, with its block:
//
//	provider <name> [<preset>] {
//	    label              <text>
//	    issuer             <url>
//	    discovery_url      <url>
//	    tenant             <id|domain|organizations|common|consumers>
//	    allowed_tenants    <id...>
//	    client_id          <id>
//	    client_secret      <secret>
//	    client_secret_file <file>
//	    client_key_file    <file>
//	    client_key_id      <id>
//	    client_auth        basic|post|private_key_jwt|none
//	    scopes             <scope...>
//	    prompt             login|consent|select_account|none
//	    acr_values         <value...>
//	    max_age            <duration>
//	    param              <name> <value>
//	    userinfo           [on|off]
//	    allowed_groups     <group...>
//	    allowed_domains    <domain...>
//	    link               subject|<claim>
//	    create             [on|off]
//	    # claims: user_claim, name_claim, email_claim, group_claim, permission_claim, staff_claim, superuser_claim, scope_claim
//	    # servers: allow_internal, allow_http, ca_file, timeout
//	}
func ParseProvider(d *caddyfile.Dispenser) (*Provider, error) {
	args := d.RemainingArgs()
	if len(args) < 1 || len(args) > 2 {
		return nil, d.ArgErr()
	}
	p := &Provider{Name: args[0]}
	if !namePattern.MatchString(p.Name) && !strings.Contains(p.Name, "{") {
		return nil, d.Errf("provider '%s': expected small letters, digits, - and _", p.Name)
	}
	if len(args) == 2 {
		p.Preset = args[1]
		if _, known := presets[p.Preset]; !known && !strings.Contains(p.Preset, "{") {
			return nil, d.Errf("provider %s: unknown preset '%s', expected one of %v", p.Name, p.Preset, slices.Sorted(maps.Keys(presets)))
		}
	}
	line := d.Token()
	given := make(map[string]bool)
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		if err := p.parseLine(d, given); err != nil {
			return nil, err
		}
	}
	if p.ClientID == "" {
		end := caddyfile.NewDispenser([]caddyfile.Token{line})
		end.Next()
		return nil, end.Errf("provider %s: client_id is missing", p.Name)
	}
	return p, nil
}

func (p *Provider) parseLine(d *caddyfile.Dispenser, given map[string]bool) error {
	word := d.Val()
	if word == "param" {
		var name, value string
		if !d.AllArgs(&name, &value) {
			return d.ArgErr()
		}
		if _, twice := p.Params[name]; twice {
			return d.Errf("param %s is given twice", name)
		}
		if name == "" || slices.Contains(reserved, name) {
			return d.Errf("param '%s' is not set this way", name)
		}
		if p.Params == nil {
			p.Params = make(map[string]string)
		}
		p.Params[name] = value
		return nil
	}
	// That of the accounts has another default.
	if word != "create" {
		for _, parse := range []func(*caddyfile.Dispenser) (bool, error){p.Mapping.ParseLine, p.Accounts.ParseLine, p.Settings.ParseLine} {
			if known, err := parse(d); known || err != nil {
				return err
			}
		}
	}
	if given[word] {
		return d.Errf("%s is given twice", word)
	}
	given[word] = true
	texts := map[string]*string{
		"label": &p.Label, "issuer": &p.Issuer, "discovery_url": &p.DiscoveryURL, "tenant": &p.Tenant, "client_id": &p.ClientID,
		"client_secret": &p.ClientSecret, "client_secret_file": &p.ClientSecretFile, "client_key_file": &p.ClientKeyFile,
		"client_key_id": &p.ClientKeyID,
	}
	lists := map[string]*[]string{
		"allowed_tenants": &p.AllowedTenants, "scopes": &p.Scopes, "acr_values": &p.ACRValues, "allowed_groups": &p.AllowedGroups, "allowed_domains": &p.AllowedDomains,
	}
	if text := texts[word]; text != nil {
		if !d.AllArgs(text) || *text == "" {
			return d.ArgErr()
		}
		return nil
	}
	if list := lists[word]; list != nil {
		if *list = d.RemainingArgs(); len(*list) == 0 || slices.Contains(*list, "") {
			return d.ArgErr()
		}
		return nil
	}
	switch word {
	case "client_auth":
		return parseWord(d, &p.ClientAuth, clientBasic, clientPost, clientKey, clientNone)
	case "prompt":
		return parseWord(d, &p.Prompt, "login", "consent", "select_account", "none")
	case "max_age":
		return parseDuration(d, &p.MaxAge)
	case "userinfo":
		return parseSwitch(d, &p.Userinfo)
	case "create":
		p.Create = new(bool)
		return parseSwitch(d, p.Create)
	}
	return d.Errf("unrecognized subdirective '%s'", word)
}

func parseWord(d *caddyfile.Dispenser, into *string, words ...string) error {
	setting := d.Val()
	if !d.AllArgs(into) {
		return d.ArgErr()
	}
	if !slices.Contains(words, *into) && !strings.Contains(*into, "{") {
		return d.Errf("%s: unknown word '%s', expected one of %v", setting, *into, words)
	}
	return nil
}

func parseSwitch(d *caddyfile.Dispenser, into *bool) error {
	setting, word := d.Val(), "on"
	if d.CountRemainingArgs() > 0 && !d.AllArgs(&word) {
		return d.ArgErr()
	}
	if word != "on" && word != "off" {
		return d.Errf("%s: unknown word '%s', expected on or off", setting, word)
	}
	*into = word == "on"
	return nil
}

func parseDuration(d *caddyfile.Dispenser, into *caddy.Duration) error {
	setting, text := d.Val(), ""
	if !d.AllArgs(&text) {
		return d.ArgErr()
	}
	duration, err := caddy.ParseDuration(text)
	if err != nil || duration <= 0 {
		return d.Errf("%s: '%s' is not a duration, as 1h", setting, text)
	}
	*into = caddy.Duration(duration)
	return nil
}
