// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package issue

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// keyName is the server key that tokens are derived from.
const keyName = "derived_tokens"

// maxDigits is what one HMAC-SHA256 spells in hexadecimal.
const maxDigits = 2 * sha256.Size

// attempts bounds the race of callers who all make and end the same token.
const attempts = 8

var (
	errContended = errors.New("the token was replaced again and again")

	errForeignKey = errors.New("the user's token was derived from another server key than the one in Caddy's storage: " +
		"nodes that share a store of tokens have to share Caddy's storage; if the key is lost, revoking the token makes another")
)

// derivation is what a record keeps of a derived token. The token is
// HMAC(server key, kind, user, client, generation): who holds the store and not
// the key, or the key and not the store, cannot derive it.
type derivation struct {
	Generation []byte `json:"generation"` // random, so that a revoked token never comes back
	Prefix     string `json:"prefix,omitempty"`
	Digits     int    `json:"digits"`
}

// Derived returns the one token of a user, kind and client, with its record:
// the same on each call until it is revoked or expires, and a new one
// afterwards; made says whether this call made it. c says what the record is to
// be: Kind, UserKey and perhaps ClientID, Expires, Label, Scopes. An imported
// token of the same user, kind and client cannot be shown, keeps working, and
// is no obstacle. Errors are the store's, or those of Caddy's storage, in which
// the server key is; one that a token was not derived from is an error too.
func (i *Issuer) Derived(ctx context.Context, c tokenstore.Credential, prefix string, digits int) (token string, record tokenstore.Credential, made bool, err error) {
	if digits < 32 || digits > maxDigits {
		return "", tokenstore.Credential{}, false, fmt.Errorf("%d hexadecimal digits: expected 32 to %d", digits, maxDigits)
	}
	key, err := i.keys.Key(ctx, keyName)
	if err != nil {
		return "", tokenstore.Credential{}, false, err
	}
	for range attempts {
		record, d, err := i.derived(ctx, c)
		if err == nil {
			token, err := d.show(key[:], &record)
			if err != nil {
				return "", tokenstore.Credential{}, false, err
			}
			return token, record, false, nil
		}
		if !errors.Is(err, tokenstore.ErrNotFound) {
			return "", tokenstore.Credential{}, false, err
		}
		d = derivation{Generation: make([]byte, 16), Prefix: prefix, Digits: digits}
		rand.Read(d.Generation)
		fresh := c
		fresh.Slot = slot(&c)
		if fresh.Data, err = json.Marshal(d); err != nil {
			return "", tokenstore.Credential{}, false, err
		}
		token := d.token(key[:], &fresh)
		record, err = i.Issue(ctx, token, fresh, 0, false)
		if err == nil {
			return token, record, true, nil
		}
		// Somebody else made it just now.
		if !errors.Is(err, tokenstore.ErrExists) {
			return "", tokenstore.Credential{}, false, err
		}
	}
	return "", tokenstore.Credential{}, false, errContended
}

// Rederive returns the token of a record that Derived returned, and reports
// whether it is such a one.
func (i *Issuer) Rederive(ctx context.Context, record *tokenstore.Credential) (token string, ok bool, err error) {
	d, ok := decodeDerivation(record)
	if !ok {
		return "", false, nil
	}
	key, err := i.keys.Key(ctx, keyName)
	if err != nil {
		return "", false, err
	}
	if token, err = d.show(key[:], record); err != nil {
		return "", false, err
	}
	return token, true, nil
}

// IsDerived reports whether Derived returned the record: its secret follows
// from it, so that no other can take its place.
func IsDerived(record *tokenstore.Credential) bool {
	_, ok := decodeDerivation(record)
	return ok
}

// derived finds the live derived record, or returns tokenstore.ErrNotFound.
func (i *Issuer) derived(ctx context.Context, c tokenstore.Credential) (tokenstore.Credential, derivation, error) {
	now := i.now()
	if !c.Created.IsZero() {
		now = c.Created
	}
	filter := tokenstore.Filter{UserKey: c.UserKey, ClientID: c.ClientID, Kind: c.Kind}
	for cursor := ""; ; {
		page, next, err := i.store.List(ctx, filter, cursor, tokenstore.MaxPage)
		if err != nil {
			return tokenstore.Credential{}, derivation{}, err
		}
		for n := range page {
			record := page[n]
			if record.Slot != slot(&c) || !record.Expires.IsZero() && !record.Expires.After(now) {
				continue
			}
			if d, ok := decodeDerivation(&record); ok {
				return record, d, nil
			}
		}
		if next == "" {
			return tokenstore.Credential{}, derivation{}, tokenstore.ErrNotFound
		}
		cursor = next
	}
}

// slot keeps a user to one derived token of a kind and client, beside what was
// imported.
func slot(c *tokenstore.Credential) string {
	return "derived:" + c.Kind + ":" + c.UserKey + ":" + c.ClientID
}

func decodeDerivation(record *tokenstore.Credential) (derivation, bool) {
	var d derivation
	if len(record.Data) == 0 || json.Unmarshal(record.Data, &d) != nil ||
		len(d.Generation) == 0 || d.Digits < 1 || d.Digits > maxDigits {
		return derivation{}, false
	}
	return d, true
}

// show returns the token of a record, unless that would be another one, which
// nothing accepts.
func (d *derivation) show(key []byte, record *tokenstore.Credential) (string, error) {
	token := d.token(key, record)
	if !bytes.Equal(Digest(token), record.Digest) {
		return "", errForeignKey
	}
	return token, nil
}

func (d *derivation) token(key []byte, record *tokenstore.Credential) string {
	mac := hmac.New(sha256.New, key)
	for _, part := range [][]byte{[]byte(record.Kind), []byte(record.UserKey), []byte(record.ClientID), d.Generation} {
		// The lengths keep one name's end from passing for another's beginning.
		var length [4]byte
		binary.BigEndian.PutUint32(length[:], uint32(len(part)))
		mac.Write(length[:])
		mac.Write(part)
	}
	return d.Prefix + hex.EncodeToString(mac.Sum(nil))[:d.Digits]
}
