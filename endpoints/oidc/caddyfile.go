// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/oidclogin"
	sessions "github.com/caddy-rest-auth/caddy-rest-auth/internal/session"
)

// UnmarshalCaddyfile sets up the endpoint from Caddyfile tokens. Syntax:
//
//	oidc <path> {
//	    provider                    <name> [<preset>] { … }
//	    login_redirect_url          <path>|<url>
//	    logout_redirect_url         <path>|<url>
//	    redirect_authenticated_user [on|off]
//	    title                       <text>
//	    template                    <file>
//	    # and the lines of `authenticate session`
//	}
func (e *Endpoint) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the endpoint's name
	if d.NextArg() {
		return d.ArgErr()
	}
	given := make(map[string]bool)
	for d.NextBlock(0) {
		word := d.Val()
		known, err := e.ParseLine(d)
		if err != nil {
			return err
		}
		if known {
			continue
		}
		if given[word] && word != "provider" {
			return d.Errf("%s is given twice", word)
		}
		given[word] = true
		switch word {
		case "provider":
			err = e.parseProvider(d)
		case "login_redirect_url":
			err = parseTarget(d, &e.LoginRedirectURL)
		case "logout_redirect_url":
			err = parseTarget(d, &e.LogoutRedirectURL)
		case "redirect_authenticated_user":
			err = parseSwitch(d, &e.RedirectAuthenticatedUser)
		case "title":
			err = parseText(d, &e.Title)
		case "template":
			err = parseText(d, &e.Template)
		default:
			err = sessions.Unrecognized(d)
		}
		if err != nil {
			return err
		}
	}
	if len(e.Providers) == 0 {
		return d.Err("oidc has no provider, as `provider google { … }`")
	}
	return nil
}

func (e *Endpoint) parseProvider(d *caddyfile.Dispenser) error {
	line := d.Token()
	p, err := oidclogin.ParseProvider(d)
	if err != nil {
		return err
	}
	for _, other := range e.Providers {
		if other.Name == p.Name {
			at := caddyfile.NewDispenser([]caddyfile.Token{line})
			at.Next()
			return at.Errf("provider %s is given twice", p.Name)
		}
	}
	e.Providers = append(e.Providers, p)
	return nil
}

func parseText(d *caddyfile.Dispenser, into *string) error {
	if !d.AllArgs(into) || *into == "" {
		return d.ArgErr()
	}
	return nil
}

func parseTarget(d *caddyfile.Dispenser, into *string) error {
	word := d.Val()
	if err := parseText(d, into); err != nil || strings.Contains(*into, "{") {
		return err
	}
	if err := checkTarget(*into); err != nil {
		return d.Errf("%s: %v", word, err)
	}
	return nil
}

func parseSwitch(d *caddyfile.Dispenser, into *bool) error {
	word, value := d.Val(), "on"
	if d.CountRemainingArgs() > 0 {
		if err := parseText(d, &value); err != nil {
			return err
		}
	}
	if value != "on" && value != "off" {
		return d.Errf("%s: unknown word '%s', expected on or off", word, value)
	}
	*into = value == "on"
	return nil
}

// checkTarget refuses what a browser could take for another place than meant.
func checkTarget(target string) error {
	if target == "" || sessions.SafeNext(target) == target {
		return nil
	}
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || strings.ContainsAny(target, "\\ ") {
		return fmt.Errorf("'%s' is neither a path, as /welcome/, nor a URL, as https://www.example.com/", target)
	}
	return nil
}
