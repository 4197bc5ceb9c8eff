// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"fmt"
	"path/filepath"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/htpasswd"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
)

func (b *Basic) openHtpasswd(logger *zap.Logger) error {
	path, err := caddy.NewReplacer().ReplaceOrErr(b.Htpasswd, true, true)
	if err != nil {
		return fmt.Errorf("resolving the htpasswd file: %w", err)
	}
	// The path is a part of the users' keys, and must not depend on where
	// Caddy was started.
	if b.Htpasswd, err = filepath.Abs(path); err != nil {
		return fmt.Errorf("resolving the htpasswd file: %w", err)
	}
	if b.file, err = htpasswd.Open(b.Htpasswd, b.users.CheckHash, logger); err != nil {
		return fmt.Errorf("loading the htpasswd file: %w", err)
	}
	return nil
}

// Owns reports whether the file has a user of that name.
func (b *Basic) Owns(name string) bool { return b.file != nil && b.file.Owns(users.Canonical(name)) }

// roster returns the users of the file as an interface that is nil without one.
func (b *Basic) roster() users.Roster {
	if b.file == nil {
		return nil
	}
	return b.file
}

// hashInFile returns what the file says of the user. It is a part of the key, so
// that what was remembered is forgotten as soon as the file says something else,
// of this user alone.
func (b *Basic) hashInFile(credentials string) (hash string, ok bool) {
	name, _, ok := parseBasic(credentials)
	if !ok {
		return "", false
	}
	hash, _, err := b.file.Find(users.Canonical(name))
	return hash, err == nil
}

// Interface guards
var (
	_ auth.Owner   = (*Basic)(nil)
	_ users.Roster = (*htpasswd.File)(nil)
)
