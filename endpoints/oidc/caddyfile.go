// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
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
			err = sessions.ParseTarget(d, &e.LoginRedirectURL)
		case "logout_redirect_url":
			err = sessions.ParseTarget(d, &e.LogoutRedirectURL)
		case "redirect_authenticated_user":
			err = sessions.ParseSwitch(d, &e.RedirectAuthenticatedUser)
		case "title":
			err = sessions.ParseText(d, &e.Title)
		case "template":
			err = sessions.ParseText(d, &e.Template)
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
