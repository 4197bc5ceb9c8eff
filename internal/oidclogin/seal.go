// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package oidclogin

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/serverkey"
)

// keyName is that of the server key, in Caddy's storage.
const keyName = "oidc"

// saltSize is how many random bytes each sealed text begins with. They make a
// key and a nonce of its own for it, so that however many are sealed no two
// share both.
const saltSize = 16

const nonceSize = 12

// errSealed says no more than that: whoever tries texts learns nothing.
var errSealed = errors.New("not sealed here, or for another purpose")

// A Sealer gives texts to browsers and to the store which they can neither read
// nor change. All nodes of a fleet share its key.
type Sealer struct{ keys *serverkey.Keys }

// NewSealer returns the Sealer of a key that is read when it is first needed.
func NewSealer(keys *serverkey.Keys) *Sealer { return &Sealer{keys} }

// Seal returns the text for that purpose, and for no other. It returns an
// *auth.Unavailable if the key cannot be had.
func (s *Sealer) Seal(ctx context.Context, purpose string, text []byte) ([]byte, error) {
	salt := make([]byte, saltSize, saltSize+len(text)+16)
	rand.Read(salt)
	aead, nonce, err := s.open(ctx, purpose, salt)
	if err != nil {
		return nil, err
	}
	return aead.Seal(salt, nonce, text, []byte(purpose)), nil
}

// Open returns what was sealed for that purpose.
func (s *Sealer) Open(ctx context.Context, purpose string, sealed []byte) ([]byte, error) {
	if len(sealed) < saltSize {
		return nil, errSealed
	}
	aead, nonce, err := s.open(ctx, purpose, sealed[:saltSize])
	if err != nil {
		return nil, err
	}
	text, err := aead.Open(nil, nonce, sealed[saltSize:], []byte(purpose))
	if err != nil {
		return nil, errSealed
	}
	return text, nil
}

func (s *Sealer) open(ctx context.Context, purpose string, salt []byte) (cipher.AEAD, []byte, error) {
	key, err := s.keys.Key(ctx, keyName)
	if err != nil {
		return nil, nil, &auth.Unavailable{Err: err}
	}
	derived, err := hkdf.Key(sha256.New, key[:], salt, purpose, 32+nonceSize)
	if err != nil {
		return nil, nil, fmt.Errorf("deriving a key: %w", err)
	}
	block, err := aes.NewCipher(derived[:32])
	if err != nil {
		return nil, nil, fmt.Errorf("deriving a key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, nil, fmt.Errorf("deriving a key: %w", err)
	}
	return aead, derived[32:], nil
}

// sealText and openText are Seal and Open of what stands in a cookie.
func (s *Sealer) sealText(ctx context.Context, purpose string, text []byte) (string, error) {
	sealed, err := s.Seal(ctx, purpose, text)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

func (s *Sealer) openText(ctx context.Context, purpose, text string) ([]byte, error) {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, errSealed
	}
	return s.Open(ctx, purpose, sealed)
}
