// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package tokenapi

import (
	"fmt"
	"strconv"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// Options are what the lines of an API's block fill, by their first words:
//
//   - *string takes one word;
//   - *int takes a number from 1;
//   - *bool takes on, off, or nothing, which is on;
//   - **caddy.Duration takes how long something lives: a duration as 10h or 7d, a
//     number of seconds, or none, which is 0 and for ever;
//   - *[]string takes words;
//   - func(args []string) error takes what it wants.
type Options map[string]any

// Parse reads the name of an API and its block, in which every line may stand
// once, and asks the checks what they think of it.
func (o Options) Parse(d *caddyfile.Dispenser, checks ...func() error) error {
	d.Next() // the name of the endpoint
	if d.NextArg() {
		return d.ArgErr()
	}
	given := make(map[string]bool)
	for d.NextBlock(0) {
		name := d.Val()
		into, known := o[name]
		if !known {
			return d.Errf("unrecognized subdirective '%s'", name)
		}
		if given[name] {
			return d.Errf("%s is given twice", name)
		}
		given[name] = true
		if err := parseOption(d, into); err != nil {
			return err
		}
	}
	for _, check := range checks {
		if err := check(); err != nil {
			return d.Err(err.Error())
		}
	}
	return nil
}

func parseOption(d *caddyfile.Dispenser, into any) error {
	name := d.Val()
	args := d.RemainingArgs()
	var err error
	switch into := into.(type) {
	case *bool:
		*into, err = parseSwitch(args)
	case *[]string:
		if len(args) == 0 {
			return d.ArgErr()
		}
		*into = args
	case func([]string) error:
		err = into(args)
	default:
		if len(args) != 1 || args[0] == "" {
			return d.ArgErr()
		}
		err = parseValue(args[0], into)
	}
	if err != nil {
		return d.Errf("%s: %v", name, err)
	}
	return nil
}

func parseSwitch(args []string) (on bool, err error) {
	switch {
	case len(args) == 0, len(args) == 1 && args[0] == "on":
		return true, nil
	case len(args) == 1 && args[0] == "off":
		return false, nil
	}
	return false, fmt.Errorf("expected on or off, not %q", args)
}

func parseValue(text string, into any) (err error) {
	switch into := into.(type) {
	case *string:
		*into = text
	case *int:
		*into, err = ParseNumber(text)
	case **caddy.Duration:
		*into, err = parseLifetime(text)
	}
	return err
}

// ParseNumber reads a number from 1.
func ParseNumber(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("'%s' is not a number from 1", text)
	}
	return n, nil
}

// parseLifetime reads a duration, or none. It refuses 0, which would be for ever
// here, and is no time at all in Django.
func parseLifetime(text string) (*caddy.Duration, error) {
	if text == "none" {
		return new(caddy.Duration), nil
	}
	duration, err := ParseDuration(text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w, nor none", err)
	case *duration == 0:
		return nil, fmt.Errorf("'%s' is no time at all; write none for ever", text)
	}
	return duration, nil
}

// ParseDuration reads a duration; a bare number is seconds, as in Django.
func ParseDuration(text string) (*caddy.Duration, error) {
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		duration := caddy.Duration(time.Duration(seconds) * time.Second)
		return &duration, nil
	}
	parsed, err := caddy.ParseDuration(text)
	if err != nil || parsed < 0 {
		return nil, fmt.Errorf("'%s' is not a duration, as 10h or 7d", text)
	}
	duration := caddy.Duration(parsed)
	return &duration, nil
}
