// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// lookup returns the record of a token, with its user and the digest that it was
// found by. Records of our own have the SHA-256. What an import brought of
// django-rest-knox has what knox stores, so that a token which is not found costs
// one look-up more, and two if it is hexadecimal. A record that has ended is returned with errTokenEnded.
func (t *Token) lookup(ctx context.Context, token string, now time.Time) ([]byte, tokenstore.Credential, tokenstore.User, error) {
	sum := sha256.Sum256(readOnly(token))
	digest := sum[:]
	record, user, err := t.store.Lookup(ctx, digest, beforeAnyEnd)
	if !isUnknown(err) && hasEnded(&record, now) {
		return digest, record, user, errTokenEnded
	}
	if !isUnknown(err) || !slices.Contains(t.Kinds, tokenstore.KindKnox) {
		return digest, record, user, err
	}
	text := sha512.Sum512(readOnly(token))
	digest = text[:]
	record, user, err = t.lookupKnox(ctx, digest, now)
	if !isUnknown(err) {
		return digest, record, user, err
	}
	// Before its version 5 knox hashed the bytes that the token spells, and spelt
	// them in small letters.
	spelled, bad := hex.DecodeString(token)
	if bad != nil || hex.EncodeToString(spelled) != token {
		return digest, record, user, err
	}
	bytes := sha512.Sum512(spelled)
	digest = bytes[:]
	record, user, err = t.lookupKnox(ctx, digest, now)
	return digest, record, user, err
}

// lookupKnox finds nothing but tokens of knox.
func (t *Token) lookupKnox(ctx context.Context, digest []byte, now time.Time) (tokenstore.Credential, tokenstore.User, error) {
	record, user, err := t.store.Lookup(ctx, digest, now)
	if (err == nil || errors.Is(err, tokenstore.ErrInactive)) && record.Kind != tokenstore.KindKnox {
		return tokenstore.Credential{}, tokenstore.User{}, tokenstore.ErrNotFound
	}
	return record, user, err
}

// isUnknown reports whether a look-up found no record, and not one whose user is
// inactive.
func isUnknown(err error) bool {
	return errors.Is(err, tokenstore.ErrNotFound) && !errors.Is(err, tokenstore.ErrInactive)
}
