// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package loginthrottle

import (
	"errors"
	"fmt"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// What a configuration gets that says nothing.
const (
	defaultUser    = 5
	defaultAddress = 50
	defaultDelay   = time.Second
	defaultMax     = time.Hour
	defaultLimit   = 100
	defaultQuiet   = 24 * time.Hour
	defaultKnown   = 90 * 24 * time.Hour
)

// maxSetting bounds durations, so that no sum of them and a time overflows.
const maxSetting = 10 * 365 * 24 * time.Hour

// Settings say how many passwords may be guessed.
type Settings struct {
	// Lets everybody guess as fast as passwords can be hashed. Default: false.
	Off bool `json:"off,omitempty"`

	// Failed logins of a user, in a row, that cost no waiting. Default: 5.
	User int `json:"user,omitempty"`

	// Failed logins from a client address, or from a /64 network of IPv6, that
	// cost no waiting, whoever the users are. Default: 50.
	Address int `json:"address,omitempty"`

	// The wait after those. It is doubled by each failure more. Default: 1s.
	Delay caddy.Duration `json:"delay,omitempty"`

	// The longest wait before the limit. Default: 1h.
	MaxDelay caddy.Duration `json:"max_delay,omitempty"`

	// Failed logins of a user, in a row, after which no more are tried until
	// all was quiet. Default: 100, which NIST SP 800-63B allows at most.
	Limit int `json:"limit,omitempty"`

	// How long without a try until the failures are forgotten. Default: 24h.
	Quiet caddy.Duration `json:"quiet,omitempty"`

	// How long an address from which a user logged in has a count of its own
	// for that user, so that the failures of strangers do not matter there.
	// Default: 90d.
	Known caddy.Duration `json:"known,omitempty"`
}

// complete returns the settings with the defaults in, or why they make no sense.
func (s Settings) complete() (Settings, error) {
	for _, n := range []struct {
		word  string
		value *int
		unset int
	}{{"user", &s.User, defaultUser}, {"address", &s.Address, defaultAddress}, {"limit", &s.Limit, max(defaultLimit, s.User)}} {
		if *n.value < 0 {
			return s, fmt.Errorf("%s: %d is not a number above zero", n.word, *n.value)
		}
		if *n.value == 0 {
			*n.value = n.unset
		}
	}
	for _, d := range []struct {
		word  string
		value *caddy.Duration
		unset time.Duration
	}{
		{"delay", &s.Delay, defaultDelay},
		{"max_delay", &s.MaxDelay, max(defaultMax, time.Duration(s.Delay))},
		{"quiet", &s.Quiet, max(defaultQuiet, time.Duration(s.MaxDelay))},
		{"known", &s.Known, defaultKnown},
	} {
		if *d.value < 0 || time.Duration(*d.value) > maxSetting {
			return s, fmt.Errorf("%s: %s is out of bounds", d.word, time.Duration(*d.value))
		}
		if *d.value == 0 {
			*d.value = caddy.Duration(d.unset)
		}
	}
	switch {
	case s.Limit < s.User:
		return s, errors.New("limit is less than user")
	case s.MaxDelay < s.Delay:
		return s, errors.New("max_delay is shorter than delay")
	case s.Quiet < s.MaxDelay:
		return s, errors.New("quiet is shorter than max_delay, so that waiting would clear the count")
	}
	return s, nil
}

// ofUser is how the guesses at one user are slowed down.
func (s *Settings) ofUser() tokenstore.Backoff {
	b := s.ofAddress()
	b.Free, b.Limit = s.User, s.Limit
	return b
}

// ofAddress is how the guesses from one address are slowed down. It has no
// limit, since many people may have one address.
func (s *Settings) ofAddress() tokenstore.Backoff {
	return tokenstore.Backoff{
		Free: s.Address, Base: time.Duration(s.Delay), Max: time.Duration(s.MaxDelay), Quiet: time.Duration(s.Quiet),
	}
}
