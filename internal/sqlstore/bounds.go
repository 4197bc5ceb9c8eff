// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// check refuses a record that no driver may store.
func check(c tokenstore.Credential) error {
	if c.ID == "" || c.Kind == "" {
		return errors.New("creating a record without an ID or a kind")
	}
	if len(c.Digest) < tokenstore.MinDigest || len(c.Digest) > tokenstore.MaxDigest || len(c.Data) > tokenstore.MaxData {
		return tokenstore.ErrTooLarge
	}
	return within(c.ID, c.Kind, c.UserKey, c.ClientID, c.Family, c.Slot)
}

// within refuses names that are too long for an index.
func within(names ...string) error {
	for _, name := range names {
		if len(name) > tokenstore.MaxName {
			return tokenstore.ErrTooLarge
		}
	}
	return nil
}

// indexed is a key of Remember or Hit, of any length, as it is stored.
func indexed(key string) string {
	if len(key) <= tokenstore.MaxName {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return "sha256:" + hex.EncodeToString(sum[:])
}
