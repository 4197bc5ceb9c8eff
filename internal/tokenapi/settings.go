// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package tokenapi

import (
	"fmt"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/issue"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
)

const (
	defaultCharacters = 64
	defaultKeyword    = "Token"

	minCharacters = 32 // 128 bits
)

// Settings are those that every token API has, whatever it calls them. Defaults
// go where they point.
type Settings struct {
	CharactersName       string // of the option
	Characters           *int   // how many hexadecimal digits a token has
	MaxCharacters        int
	AuthHeaderPrefix     *string
	ExpiryDatetimeFormat string
	UserSerializer       []string
}

// Check sets the defaults and refuses what has no meaning.
func (s Settings) Check() error {
	if *s.Characters == 0 {
		*s.Characters = defaultCharacters
	}
	if n := *s.Characters; n < minCharacters || n > s.MaxCharacters {
		return fmt.Errorf("%s: %d is not from %d to %d", s.CharactersName, n, minCharacters, s.MaxCharacters)
	}
	if *s.AuthHeaderPrefix == "" {
		*s.AuthHeaderPrefix = defaultKeyword
	}
	if err := CheckWord("auth_header_prefix", *s.AuthHeaderPrefix); err != nil {
		return err
	}
	if err := CheckExpiryFormat(s.ExpiryDatetimeFormat); err != nil {
		return fmt.Errorf("expiry_datetime_format: %w", err)
	}
	return CheckUserFields(s.UserSerializer)
}

// Load finds what tokens are issued with, and who may log in. The store need not
// answer yet.
func Load(ctx caddy.Context) (*issue.Issuer, Directory, error) {
	issuer, err := issue.FromContext(ctx)
	if err != nil {
		return nil, nil, err
	}
	directory, err := users.FromContext(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("loading the users: %w", err)
	}
	return issuer, directory, nil
}
