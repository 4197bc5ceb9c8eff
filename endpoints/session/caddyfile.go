// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	sessions "github.com/caddy-rest-auth/caddy-rest-auth/internal/session"
)

// UnmarshalCaddyfile sets up the endpoint from Caddyfile tokens. Syntax:
//
//	session <path> {
//	    login_redirect_url          <path>|<url>
//	    logout_redirect_url         <path>|<url>
//	    redirect_authenticated_user [on|off]
//	    remember_me                 [on|off]
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
		if given[word] {
			return d.Errf("%s is given twice", word)
		}
		given[word] = true
		switch word {
		case "login_redirect_url":
			err = sessions.ParseTarget(d, &e.LoginRedirectURL)
		case "logout_redirect_url":
			err = sessions.ParseTarget(d, &e.LogoutRedirectURL)
		case "redirect_authenticated_user":
			err = sessions.ParseSwitch(d, &e.RedirectAuthenticatedUser)
		case "remember_me":
			err = sessions.ParseSwitch(d, &e.RememberMe)
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
	return nil
}
