// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// ParseText parses a line of one text that is not empty.
func ParseText(d *caddyfile.Dispenser, into *string) error {
	if !d.AllArgs(into) || *into == "" {
		return d.ArgErr()
	}
	return nil
}

// ParseTarget parses a line that says where people go.
func ParseTarget(d *caddyfile.Dispenser, into *string) error {
	word := d.Val()
	if err := ParseText(d, into); err != nil || strings.Contains(*into, "{") {
		return err
	}
	if err := CheckTarget(*into); err != nil {
		return d.Errf("%s: %v", word, err)
	}
	return nil
}

// ParseSwitch parses a line that is on, which may be left out, or off.
func ParseSwitch(d *caddyfile.Dispenser, into *bool) error {
	word, value := d.Val(), "on"
	if d.CountRemainingArgs() > 0 {
		if err := ParseText(d, &value); err != nil {
			return err
		}
	}
	if value != "on" && value != "off" {
		return d.Errf("%s: unknown word '%s', expected on or off", word, value)
	}
	*into = value == "on"
	return nil
}

// CheckTarget refuses what a browser could take for another place than meant.
func CheckTarget(target string) error {
	if target == "" || SafeNext(target) == target {
		return nil
	}
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || strings.ContainsAny(target, "\\ ") {
		return fmt.Errorf("'%s' is neither a path, as /welcome/, nor a URL, as https://www.example.com/", target)
	}
	return nil
}
