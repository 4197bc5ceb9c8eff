// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package outbound asks other servers: identity providers, and whoever they
// name. What it asks may be named by a document of somebody else, so it dials
// no internal address that the operator did not allow, follows no redirection,
// and bounds the time and size of every answer.
package outbound

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// DefaultTimeout is how long an exchange with another server may take.
const DefaultTimeout = 5 * time.Second

// Settings are what an operator says about servers that are asked.
type Settings struct {
	// Internal addresses that may be dialed: ranges as 10.1.0.0/16, single
	// addresses, or the words `loopback` and `private_ranges`.
	// Default: none. Addresses of this host, of private, link-local and shared
	// networks, and of the metadata services of clouds are refused when they
	// are dialed, whatever name led there.
	AllowInternal []string `json:"allow_internal,omitempty"`

	// Whether http:// URLs are asked too. Who is between reads secrets and
	// replaces keys. Default: false; https only.
	AllowHTTP bool `json:"allow_http,omitempty"`

	// A PEM file of certificate authorities that are trusted beside those of
	// the system. It is read again when it changes. Default: none.
	CAFile string `json:"ca_file,omitempty"`

	// How long an exchange may take as a whole. Default: 5s.
	Timeout caddy.Duration `json:"timeout,omitempty"`
}

// ParseLine reads the line that d is at if it is one of the settings:
//
//	allow_internal <range|loopback|private_ranges...>
//	allow_http
//	ca_file <file>
//	timeout <duration>
func (s *Settings) ParseLine(d *caddyfile.Dispenser) (known bool, err error) {
	word := d.Val()
	switch word {
	case "allow_internal":
		if s.AllowInternal != nil {
			return true, d.Errf("%s was given already", word)
		}
		if s.AllowInternal = d.RemainingArgs(); len(s.AllowInternal) == 0 {
			return true, d.ArgErr()
		}
		return true, nil
	case "allow_http":
		if s.AllowHTTP {
			return true, d.Errf("%s was given already", word)
		}
		s.AllowHTTP = true
		return true, noMore(d)
	case "ca_file":
		if s.CAFile != "" {
			return true, d.Errf("%s was given already", word)
		}
		if !d.AllArgs(&s.CAFile) {
			return true, d.ArgErr()
		}
		return true, nil
	case "timeout":
		if s.Timeout != 0 {
			return true, d.Errf("%s was given already", word)
		}
		var text string
		if !d.AllArgs(&text) {
			return true, d.ArgErr()
		}
		duration, err := caddy.ParseDuration(text)
		if err != nil || duration <= 0 {
			return true, d.Errf("timeout '%s' is not a positive duration", text)
		}
		s.Timeout = caddy.Duration(duration)
		return true, nil
	}
	return false, nil
}

func noMore(d *caddyfile.Dispenser) error {
	if d.NextArg() {
		return d.ArgErr()
	}
	return nil
}

// Resolve replaces the placeholders in the settings. It belongs into Provision.
func (s *Settings) Resolve() error {
	replacer := caddy.NewReplacer()
	s.AllowInternal = slices.Clone(s.AllowInternal) // may be another's
	fields := []*string{&s.CAFile}
	for i := range s.AllowInternal {
		fields = append(fields, &s.AllowInternal[i])
	}
	for _, field := range fields {
		value, err := replacer.ReplaceOrErr(*field, true, true)
		if err != nil {
			return err
		}
		*field = value
	}
	return nil
}

// Check reports a mistake in the settings.
func (s *Settings) Check() error {
	if _, err := s.ranges(); err != nil {
		return err
	}
	if s.Timeout < 0 {
		return errors.New("timeout: expected a positive duration")
	}
	return nil
}

// ranges returns what allow_internal names.
func (s *Settings) ranges() ([]netip.Prefix, error) {
	var ranges []netip.Prefix
	for _, text := range s.AllowInternal {
		named, err := namedRange(text)
		if err != nil {
			return nil, fmt.Errorf("allow_internal: %w", err)
		}
		ranges = append(ranges, named...)
	}
	return ranges, nil
}
