// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package simplejwt

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/issue"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/simplejwt"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// grace is how long the answer to a rotation is given again, to clients that did
// not get it, or that asked several times at once.
const grace = 10 * time.Second

// mostApart bounds what the leeway adds to the grace.
const mostApart = time.Minute

// grace returns for how long the answer is given again, also by a node whose clock is
// ahead: to take a retry for a theft would end the login.
func (e *Endpoint) grace() time.Duration { return grace + min(time.Duration(e.Leeway), mostApart) }

// errReused is why a family was ended.
var errReused = errors.New("a refresh token was used again after it was rotated: it may be stolen, and its login is ended")

// rotate issues the next refresh token in place of one. Of those who ask at once,
// all get the same.
func (e *Endpoint) rotate(ctx context.Context, token *simplejwt.Token, compact string, f *found, next simplejwt.Claims) (*pair, error) {
	p, err := e.encode(ctx, next, f.record.Family, true)
	if err != nil {
		return nil, err
	}
	record := f.record
	record.ID = tokenstore.NewCredentialID()
	record.Digest = issue.JWTDigest(p.Refresh)
	record.Origin, record.LastUsed = "", time.Time{}
	record.Created = e.now().UTC().Truncate(time.Microsecond)
	record.Expires = record.Created.Add(time.Duration(e.RefreshTokenLifetime + e.Leeway))
	if !*e.BlacklistAfterRotation {
		return p, e.add(ctx, record, f)
	}
	sealed, err := seal(compact, p)
	if err != nil {
		return nil, &auth.Unavailable{Err: err}
	}
	if len(sealed) > tokenstore.MaxData {
		sealed = nil // claims so large that the answer is given once only
	}
	reply, won, err := e.store.Rotate(ctx, f.record.Digest, []tokenstore.Credential{record}, sealed, e.now(), e.grace())
	if err != nil {
		return nil, e.rotationError(ctx, token, err)
	}
	if !won {
		return open(compact, reply)
	}
	e.issuer.Rotated(&record)
	e.note(ctx, token)
	return p, nil
}

// add issues the next refresh token beside the old one, which stays.
func (e *Endpoint) add(ctx context.Context, record tokenstore.Credential, f *found) error {
	_, err := e.issuer.Record(ctx, record)
	if errors.Is(err, tokenstore.ErrNotFound) {
		return errNoAccount
	}
	if err != nil {
		return &auth.Unavailable{Err: err}
	}
	e.touch(ctx, &f.record)
	return nil
}

// again answers for a token whose record is not alive: by the reply to its
// rotation, if that was just now.
func (e *Endpoint) again(ctx context.Context, token *simplejwt.Token, compact string) (*pair, error) {
	// Without a successor: a record that is not alive never will be.
	reply, _, err := e.store.Rotate(ctx, issue.JWTDigest(compact), nil, nil, e.now(), e.grace())
	if err != nil {
		return nil, e.rotationError(ctx, token, err)
	}
	return open(compact, reply)
}

// rotationError returns the answer to an error of a rotation. Reuse ends the
// family, its access tokens included.
func (e *Endpoint) rotationError(ctx context.Context, token *simplejwt.Token, err error) error {
	switch {
	case errors.Is(err, tokenstore.ErrReused):
		if err := e.endFamily(ctx, token, token.Family()); err != nil {
			return err
		}
		e.logger.Warn("refresh token reused", zap.String("family", token.Family()), zap.Error(errReused))
		return &simplejwt.Error{Message: simplejwt.Blacklisted, Err: errReused}
	case errors.Is(err, tokenstore.ErrNotFound):
		return &simplejwt.Error{Message: simplejwt.Blacklisted}
	}
	return &auth.Unavailable{Err: err}
}

// note remembers that a token is spent which may never have had a record, as one of
// Django's, or an access token where types are not told apart. Its record says so
// too, but not to who asks without using it.
func (e *Endpoint) note(ctx context.Context, token *simplejwt.Token) {
	if token.Ours() && e.TokenTypeClaim != simplejwt.None {
		return
	}
	if _, err := e.store.Remember(ctx, token.SpentKey(), e.lastUse(token)); err != nil {
		e.logger.Warn("remembering a spent token", zap.Error(err))
	}
}

// seal encrypts a pair for whoever has the token that it was got for. The store
// keeps it, and has nothing that opens it.
func seal(compact string, p *pair) ([]byte, error) {
	plain, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	aead, err := sealer(compact)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize())
	rand.Read(nonce)
	return aead.Seal(nonce, nonce, plain, nil), nil
}

// open returns what seal has sealed. A token whose signature is written in another
// way opens nothing.
func open(compact string, sealed []byte) (*pair, error) {
	aead, err := sealer(compact)
	if err != nil {
		return nil, &auth.Unavailable{Err: err}
	}
	p := new(pair)
	size := aead.NonceSize()
	if len(sealed) < size {
		return nil, &simplejwt.Error{Message: simplejwt.Blacklisted}
	}
	plain, err := aead.Open(nil, sealed[:size], sealed[size:], nil)
	if err != nil || json.Unmarshal(plain, p) != nil {
		return nil, &simplejwt.Error{Message: simplejwt.Invalid}
	}
	return p, nil
}

func sealer(compact string) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, []byte(compact), nil, "rest_auth simplejwt refresh reply", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
