// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package users

import (
	"context"
	"crypto/md5" //nolint:gosec // what tokens of simplejwt have of a hash
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// formerLife is how long a hash that was renewed is remembered by its digest: no
// token that a project issued lives as long.
const formerLife = 400 * 24 * time.Hour

// HashDigest is what tokens of simplejwt have of the hash of their user's password.
func HashDigest(hash string) string {
	sum := md5.Sum([]byte(hash)) //nolint:gosec // it is compared with what simplejwt wrote
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

// formerHash is the mark of a hash that was renewed, of one password of a user.
func formerHash(key string, version int64, digest string) string {
	return "former hash:" + key + ":" + strconv.FormatInt(version, 10) + ":" + digest
}

// HadHash reports whether the password of a user of the store had a hash of that
// digest before a login renewed it. Another password has not.
func (d *Directory) HadHash(ctx context.Context, u tokenstore.User, digest string) (bool, error) {
	if u.Origin == "" || len(digest) != 2*md5.Size {
		return false, nil
	}
	return d.store.Known(ctx, formerHash(u.Key, u.PasswordVersion, strings.ToUpper(digest)))
}

// rememberHash marks the hash of a user who was imported before it is replaced:
// tokens that the project has issued know the user's password by it.
func (d *Directory) rememberHash(ctx context.Context, key, hash string) error {
	u, err := d.store.User(ctx, key)
	switch {
	case errors.Is(err, tokenstore.ErrNotFound):
		return nil // as whoever replaces the hash will find
	case err != nil:
		return fmt.Errorf("remembering the former hash: %w", err)
	case u.Origin == "" || u.PasswordHash != hash:
		return nil
	}
	if _, err := d.store.Remember(ctx, formerHash(key, u.PasswordVersion, HashDigest(hash)), d.now().Add(formerLife)); err != nil {
		return fmt.Errorf("remembering the former hash: %w", err)
	}
	return nil
}
