// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/csrf"
)

// ParseLine parses the line that d stands at, if it is one of these, and
// reports whether it is:
//
//	cookie                  <name>
//	cookie_age              <duration>|<seconds>
//	cookie_domain           <domain>
//	cookie_path             <path>
//	cookie_samesite         Lax|Strict|None
//	cookie_secure           auto|on|off
//	expire_at_browser_close [on|off]
//	save_every_request      [on|off]
//	idle_timeout            <duration>|<seconds>
//	absolute_timeout        <duration>|<seconds>
//	csrf_cookie             <name>
//	csrf_cookie_age         <duration>|<seconds>
//	csrf_cookie_domain      <domain>
//	csrf_header             <name>
//	trusted_origins         <origin...>
//	login_url               <path>|<url>
func (s *Settings) ParseLine(d *caddyfile.Dispenser) (known bool, err error) {
	switch d.Val() {
	case "cookie":
		return true, parseText(d, &s.Cookie)
	case "cookie_age":
		return true, parseDuration(d, &s.CookieAge)
	case "cookie_domain":
		return true, parseText(d, &s.CookieDomain)
	case "cookie_path":
		return true, parseText(d, &s.CookiePath)
	case "cookie_samesite":
		return true, parseWord(d, &s.CookieSameSite, "Lax", "Strict", "None")
	case "cookie_secure":
		return true, parseWord(d, &s.CookieSecure, "auto", "on", "off")
	case "expire_at_browser_close":
		return true, parseSwitch(d, &s.ExpireAtBrowserClose)
	case "save_every_request":
		return true, parseSwitch(d, &s.SaveEveryRequest)
	case "idle_timeout":
		return true, parsed(d, parseDuration(d, &s.IdleTimeout), s.checkIdle)
	case "absolute_timeout":
		return true, parseDuration(d, &s.AbsoluteTimeout)
	case "csrf_cookie":
		return true, parseText(d, &s.CSRFCookie)
	case "csrf_cookie_age":
		return true, parseDuration(d, &s.CSRFCookieAge)
	case "csrf_cookie_domain":
		return true, parseText(d, &s.CSRFCookieDomain)
	case "csrf_header":
		return true, parseText(d, &s.CSRFHeader)
	case "login_url":
		return true, parsed(d, parseText(d, &s.LoginURL), func() error {
			if strings.Contains(s.LoginURL, "{") {
				return nil
			}
			return s.checkLoginURL()
		})
	case "trusted_origins":
		origins := d.RemainingArgs()
		if len(origins) == 0 {
			return true, d.ArgErr()
		}
		for _, origin := range origins {
			if err := csrf.CheckOrigin(origin); err != nil && !strings.Contains(origin, "{") {
				return true, d.Errf("trusted_origins: '%s': %v", origin, err)
			}
		}
		s.TrustedOrigins = append(s.TrustedOrigins, origins...)
		return true, nil
	}
	return false, nil
}

// ParseBlock parses the block of lines that follows, and nothing but these.
func (s *Settings) ParseBlock(d *caddyfile.Dispenser) error {
	if d.NextArg() {
		return d.ArgErr()
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		known, err := s.ParseLine(d)
		if err != nil {
			return err
		}
		if !known {
			return Unrecognized(d)
		}
	}
	return nil
}

// Unrecognized is the error for a line that is none of the settings', which says
// how a setting of Django's is called here.
func Unrecognized(d *caddyfile.Dispenser) error {
	name := strings.TrimPrefix(strings.ToLower(d.Val()), "session_")
	for _, ours := range []string{name, strings.TrimSuffix(name, "_name")} {
		alone := caddyfile.NewDispenser([]caddyfile.Token{{Text: ours}})
		alone.Next()
		if known, _ := new(Settings).ParseLine(alone); known {
			return d.Errf("unrecognized subdirective '%s', which is '%s' here", d.Val(), ours)
		}
	}
	return d.Errf("unrecognized subdirective '%s'", d.Val())
}

// parsed checks a line that was parsed.
func parsed(d *caddyfile.Dispenser, err error, check func() error) error {
	if err == nil {
		if err = check(); err != nil {
			err = d.WrapErr(err)
		}
	}
	return err
}

func parseText(d *caddyfile.Dispenser, into *string) error {
	setting := d.Val()
	if *into != "" {
		return d.Errf("%s is given twice", setting)
	}
	if !d.AllArgs(into) || *into == "" {
		return d.ArgErr()
	}
	return nil
}

func parseWord(d *caddyfile.Dispenser, into *string, words ...string) error {
	setting := d.Val()
	if err := parseText(d, into); err != nil {
		return err
	}
	for _, word := range words {
		if *into == word {
			return nil
		}
	}
	return d.Errf("%s: unknown word '%s', expected one of %v", setting, *into, words)
}

func parseSwitch(d *caddyfile.Dispenser, into **bool) error {
	setting := d.Val()
	if *into != nil {
		return d.Errf("%s is given twice", setting)
	}
	word := "on"
	if d.CountRemainingArgs() > 0 {
		word = ""
		if err := parseWord(d, &word, "on", "off"); err != nil {
			// d stands at the word by now.
			return err
		}
	}
	on := word == "on"
	*into = &on
	return nil
}

// parseDuration parses a duration as Caddy writes it, or a number of seconds.
func parseDuration(d *caddyfile.Dispenser, into *caddy.Duration) error {
	setting := d.Val()
	if *into != 0 {
		return d.Errf("%s is given twice", setting)
	}
	var text string
	if !d.AllArgs(&text) {
		return d.ArgErr()
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n > 0 && n <= math.MaxInt64/int64(time.Second) {
		*into = caddy.Duration(time.Duration(n) * time.Second)
		return nil
	}
	duration, err := caddy.ParseDuration(text)
	if err != nil || duration <= 0 {
		return d.Errf("%s: '%s' is not a duration, as 336h, or a number of seconds", setting, text)
	}
	*into = caddy.Duration(duration)
	return nil
}
