// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"bytes"
	"encoding/json"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/caddyauth"
)

// UnmarshalCaddyfile sets up the authenticator from Caddyfile tokens. What is no
// option of this authenticator is the provider's own: its arguments, and the
// other lines of the block. In the second form nothing is taken out of its
// block. Syntax:
//
//	authenticate provider <name> [<args...>] {
//	    json        <object>
//	    challenge   <text>
//	    errors      unavailable|refuse|abstain
//	    group_claim <name>
//	    user_prefix <text>|off
//	    …
//	}
//
//	authenticate provider {
//	    <name> [<args...>] [{ … }]
//	    challenge <text>
//	    …
//	}
//
// A provider that cannot read a Caddyfile is configured by `json`, its own
// object in the JSON configuration. Caddy's `http_basic` reads what the
// directive `basic_auth` does:
//
//	authenticate provider http_basic [<hash_algorithm> [<realm>]] {
//	    <username> <hashed_password>
//	}
func (p *Provider) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the name of the authenticator
	if d.NextArg() {
		return p.parseMixed(d)
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		known, err := p.parseOption(d)
		if err != nil {
			return err
		}
		if known {
			continue
		}
		if p.ProvidersRaw != nil {
			return d.Errf("unexpected '%s': 'provider' takes one provider", d.Val())
		}
		name := d.Val()
		raw, err := parseProvider(caddyfile.NewDispenser(d.NextSegment()), name)
		if err != nil {
			return err
		}
		p.ProvidersRaw = caddy.ModuleMap{name: raw}
	}
	if p.ProvidersRaw == nil {
		return d.Err("'provider' needs the name of a provider")
	}
	return nil
}

// parseMixed parses the provider whose name is the current token, with the
// options of this authenticator taken out of its block.
func (p *Provider) parseMixed(d *caddyfile.Dispenser) error {
	name := d.Val()
	own := []caddyfile.Token{d.Token()}
	for d.NextArg() {
		own = append(own, d.Token())
	}
	head := len(own)
	var object json.RawMessage
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		if d.Val() == "json" && !d.Token().Quoted() {
			if object != nil {
				return d.Err("'json' is given twice")
			}
			var err error
			if object, err = parseJSON(d); err != nil {
				return err
			}
			continue
		}
		known, err := p.parseOption(d)
		if err != nil {
			return err
		}
		if known {
			continue
		}
		if len(own) == head {
			own = append(own, brace("{", own[head-1]))
		}
		own = append(own, d.NextSegment()...)
	}
	if object != nil {
		if len(own) > 1 {
			return d.Errf("'json' is the whole configuration of '%s': nothing else of its own may be said", name)
		}
		if _, err := caddy.GetModule(providers + "." + name); err != nil {
			return d.Errf("unknown authentication provider '%s'", name)
		}
		p.ProvidersRaw = caddy.ModuleMap{name: object}
		return nil
	}
	if len(own) > head {
		own = append(own, brace("}", d.Token()))
	}
	raw, err := parseProvider(caddyfile.NewDispenser(own), name)
	if err != nil {
		return err
	}
	p.ProvidersRaw = caddy.ModuleMap{name: raw}
	return nil
}

// brace returns a brace that stands where the other token does.
func brace(text string, at caddyfile.Token) caddyfile.Token {
	at.Text = text
	return caddyfile.Token{File: at.File, Line: at.Line, Text: text}
}

// parseOption parses the current line of a block if it is an option of this
// authenticator, and reports whether it is.
func (p *Provider) parseOption(d *caddyfile.Dispenser) (bool, error) {
	if d.Token().Quoted() {
		return false, nil
	}
	into := map[string]*string{
		"challenge":   &p.DefaultChallenge,
		"errors":      &p.Errors,
		"group_claim": &p.GroupClaim,
		"user_prefix": &p.UserPrefix.UserPrefix,
	}[d.Val()]
	if into == nil {
		return false, nil
	}
	option := d.Val()
	if *into != "" {
		return true, d.Errf("'%s' is given twice", option)
	}
	if !d.AllArgs(into) || *into == "" {
		return true, d.ArgErr()
	}
	return true, nil
}

// parseJSON parses `json <object>`.
func parseJSON(d *caddyfile.Dispenser) (json.RawMessage, error) {
	var text string
	if !d.AllArgs(&text) {
		return nil, d.ArgErr()
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		return nil, d.Errf("json: %v", err)
	}
	if object == nil {
		return nil, d.Err("json: not an object")
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(text)); err != nil {
		return nil, d.Errf("json: %v", err)
	}
	return compact.Bytes(), nil
}

// parseProvider lets a provider parse its own line and block.
func parseProvider(d *caddyfile.Dispenser, name string) (json.RawMessage, error) {
	d.Next()
	module, err := caddy.GetModule(providers + "." + name)
	if err != nil {
		return nil, d.Errf("unknown authentication provider '%s'", name)
	}
	var guest any
	switch module.New().(type) {
	case caddyfile.Unmarshaler:
		guest, err = caddyfile.UnmarshalModule(d, providers+"."+name)
	case *caddyauth.HTTPBasicAuth:
		guest, err = parseHTTPBasic(d)
	default:
		return nil, d.Errf("authentication provider '%s' has no Caddyfile syntax of its own: "+
			"write `json <object>`, its JSON configuration, in the block", name)
	}
	if err != nil {
		return nil, err
	}
	var warnings []caddyconfig.Warning
	raw := caddyconfig.JSON(guest, &warnings)
	if len(warnings) > 0 {
		return nil, d.Errf("encoding authentication provider '%s': %s", name, warnings[0].Message)
	}
	return raw, nil
}

// parseHTTPBasic parses what Caddy's directive basic_auth takes.
func parseHTTPBasic(d *caddyfile.Dispenser) (*caddyauth.HTTPBasicAuth, error) {
	basic := &caddyauth.HTTPBasicAuth{HashCache: new(caddyauth.Cache)}
	algorithm := "bcrypt"
	switch args := d.RemainingArgs(); len(args) {
	case 2:
		basic.Realm = args[1]
		fallthrough
	case 1:
		algorithm = args[0]
	case 0:
	default:
		return nil, d.ArgErr()
	}
	if _, err := caddy.GetModule("http.authentication.hashes." + algorithm); err != nil {
		return nil, d.Errf("unknown hash algorithm '%s'", algorithm)
	}
	basic.HashRaw = caddyconfig.JSON(map[string]string{"algorithm": algorithm}, nil)
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		account := caddyauth.Account{Username: d.Val()}
		if !d.AllArgs(&account.Password) {
			return nil, d.ArgErr()
		}
		if account.Username == "" || account.Password == "" {
			return nil, d.Err("user name and password hash must not be empty")
		}
		basic.AccountList = append(basic.AccountList, account)
	}
	if len(basic.AccountList) == 0 {
		return nil, d.Err("'http_basic' needs at least one user in its block")
	}
	return basic, nil
}
