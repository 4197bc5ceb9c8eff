// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/dustin/go-humanize"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/loginthrottle"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/session"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/simplejwt"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
)

// parseApp sets up the app from the global option. Syntax:
//
//	rest_auth {
//	    store <driver> [<args...>] { … }
//	    user  <name> <password_hash> {
//	        email       <address>
//	        full_name   <text>
//	        groups      <name...>
//	        permissions <app.codename...>
//	        staff
//	        superuser
//	        inactive
//	    }
//	    cache <entries>
//	    passwords {
//	        slots  <n>
//	        memory <size>
//	        queue  <n>
//	        allow  <format...>
//	    }
//	    session {
//	        # the lines of session.Settings.ParseLine
//	    }
//	    simplejwt {
//	        # the lines of simplejwt.Settings.ParseLine
//	    }
//	    login_throttle off
//	    login_throttle {
//	        user    <failures>
//	        address <failures>
//	        delay   <first> <longest>
//	        limit   <failures>
//	        quiet   <duration>
//	        known   <duration>
//	    }
//	    # and every line of the directive rest_auth, as the sites' default
//	}
func parseApp(d *caddyfile.Dispenser, existing any) (any, error) {
	d.Next() // the option's name
	if existing != nil {
		return nil, d.Err("the option rest_auth is given twice")
	}
	if d.NextArg() {
		return nil, d.ArgErr()
	}
	app := new(App)
	defaults := new(Settings)
	for d.NextBlock(0) {
		known, err := defaults.parseLine(d)
		if err == nil && !known {
			err = app.parseLine(d)
		} else if known {
			app.Defaults = defaults
		}
		if err != nil {
			return nil, err
		}
	}
	return httpcaddyfile.App{Name: "rest_auth", Value: caddyconfig.JSON(app, nil)}, nil
}

func (a *App) parseLine(d *caddyfile.Dispenser) error {
	switch d.Val() {
	case "store":
		if a.StoreRaw != nil {
			return d.Err("store is given twice")
		}
		if !d.NextArg() {
			return d.ArgErr()
		}
		raw, err := parseGuest(d, "rest_auth.token_stores.", "driver", d.Val())
		a.StoreRaw = raw
		return err
	case "user":
		return a.parseUser(d)
	case "session":
		if a.Session != nil {
			return d.Err("session is given twice")
		}
		a.Session = new(session.Settings)
		return a.Session.ParseBlock(d)
	case "simplejwt":
		if a.SimpleJWT != nil {
			return d.Err("simplejwt is given twice")
		}
		a.SimpleJWT = new(simplejwt.Settings)
		return a.SimpleJWT.ParseBlock(d)
	case "cache":
		return parseCount(d, &a.CacheEntries)
	case "passwords":
		if a.Passwords != nil {
			return d.Err("passwords is given twice")
		}
		a.Passwords = new(PasswordBounds)
		return a.Passwords.parse(d)
	case "login_throttle":
		if a.LoginThrottle != nil {
			return d.Err("login_throttle is given twice")
		}
		a.LoginThrottle = new(loginthrottle.Settings)
		return parseLoginThrottle(d, a.LoginThrottle)
	}
	return d.Errf("unrecognized subdirective '%s'", d.Val())
}

func (a *App) parseUser(d *caddyfile.Dispenser) error {
	var user users.User
	// The usual error quotes the last word, which here may be the hash.
	if !d.AllArgs(&user.Name, &user.Password) {
		return d.Err("user takes a name and a password hash")
	}
	if strings.Count(user.Name, "$") > 1 {
		return d.Err("user takes the name first, then the password hash")
	}
	for i := range a.Users {
		if a.Users[i].Name == user.Name {
			return d.Errf("user '%s' is given twice", user.Name)
		}
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		word := d.Val()
		args := d.RemainingArgs()
		switch word {
		case "staff", "superuser", "inactive":
			if len(args) > 0 {
				return d.ArgErr()
			}
			user.Staff = user.Staff || word == "staff"
			user.Superuser = user.Superuser || word == "superuser"
			user.Inactive = user.Inactive || word == "inactive"
		case "email", "full_name":
			field := &user.Email
			if word == "full_name" {
				field = &user.FullName
			}
			if len(args) != 1 {
				return d.ArgErr()
			}
			if *field != "" {
				return d.Errf("%s is given twice", word)
			}
			*field = args[0]
		case "groups", "permissions":
			if len(args) == 0 {
				return d.ArgErr()
			}
			if word == "groups" {
				user.Groups = append(user.Groups, args...)
			} else {
				user.Permissions = append(user.Permissions, args...)
			}
		default:
			return d.Errf("unrecognized subdirective '%s'", word)
		}
	}
	a.Users = append(a.Users, user)
	return nil
}

func (b *PasswordBounds) parse(d *caddyfile.Dispenser) error {
	if d.NextArg() {
		return d.ArgErr()
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		switch word := d.Val(); word {
		case "slots":
			if err := parseCount(d, &b.Slots); err != nil {
				return err
			}
		case "queue":
			if err := parseCount(d, &b.Queue); err != nil {
				return err
			}
		case "memory":
			if b.Memory != 0 {
				return d.Err("memory is given twice")
			}
			var size string
			if !d.AllArgs(&size) {
				return d.ArgErr()
			}
			bytes, err := humanize.ParseBytes(size)
			if err != nil || bytes == 0 || bytes > 1<<40 {
				return d.Errf("memory: '%s' is not a size, as 256MiB", size)
			}
			b.Memory = int64(bytes)
		case "allow":
			formats := d.RemainingArgs()
			if len(formats) == 0 {
				return d.ArgErr()
			}
			b.Allow = append(b.Allow, formats...)
		default:
			return d.Errf("unrecognized subdirective '%s'", word)
		}
	}
	return nil
}

// parseCount parses a line of one number above zero.
func parseCount(d *caddyfile.Dispenser, into *int) error {
	setting := d.Val()
	if *into != 0 {
		return d.Errf("%s is given twice", setting)
	}
	var text string
	if !d.AllArgs(&text) {
		return d.ArgErr()
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return d.Errf("%s: '%s' is not a number above zero", setting, text)
	}
	*into = n
	return nil
}
