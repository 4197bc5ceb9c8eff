// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package accesstoken judges access tokens that are JSON Web Tokens: those of
// one issuer with a Verifier, which says what holds for them, and those of
// several with Issuers, which finds whose a token is.
//
// A token is judged in the order of package jose, the cheap before the dear,
// and the issuer first: what is not of an issuer here is none of ours, and may
// be another authenticator's. From then on everything that is wrong with it is a
// refusal, but for what the issuer or the store is to blame for.
package accesstoken

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/bearer"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/federation"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/possession"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/revocation"
)

// maxHandle is the length in bytes of the longest jti that is accepted.
const maxHandle = 512

// KeyFinder finds the keys that may verify a token; *keyset.Set is one.
type KeyFinder interface {
	Find(ctx context.Context, alg, kid string) ([]*keyset.Key, error)
}

// Revocations knows which families of tokens are revoked; *revocation.List is
// one.
type Revocations interface {
	Revoked(ctx context.Context, families ...string) (bool, error)
}

// A Verifier judges the tokens of one issuer. It is safe for concurrent use.
type Verifier struct {
	Keys     KeyFinder
	Rules    jose.Rules
	Revoked  Revocations
	Mapping  federation.Mapping
	Accounts *federation.Accounts

	// Bind leaves out keys that are not for this token. Nil leaves all.
	Bind func(t *jose.Token, keys []*keyset.Key) []*keyset.Key
}

// Causes of refusals.
var (
	errRevoked = errors.New("the token is revoked")
	errHandle  = errors.New("claim 'jti' or 'uti' is no text of at most 512 bytes")
	errSubject = errors.New("claim 'sub' begins as no subject does")
	errCnf     = errors.New("claim 'cnf' is not an object")
)

// Check judges everything about a token but who issued it and who its user is.
// It returns nil, an *auth.Failure, or an *auth.Unavailable if the keys are not
// known.
func (v *Verifier) Check(ctx context.Context, t *jose.Token, now time.Time) error {
	if err := jose.AccessTokenOnly(t, v.Rules.Types...); err != nil {
		return refusal(err)
	}
	if err := v.Rules.Check(t, now); err != nil {
		return refusal(err)
	}
	keys, err := v.Keys.Find(ctx, t.Alg, t.KeyID)
	if err != nil {
		return keyError(err)
	}
	if v.Bind != nil {
		keys = v.Bind(t, keys)
	}
	if err := t.Verify(keys); err != nil {
		return refusal(err)
	}
	return nil
}

// Identity returns whom a token that Check has accepted stands for, as a new
// identity whose Method the caller sets. The name says whose users they are: the
// issuer, or what stands for it where tokens have none. It returns an
// *auth.Failure for a token that is revoked, or whose user is unknown, inactive or
// cannot be told, and an *auth.Unavailable if the store does not answer.
func (v *Verifier) Identity(ctx context.Context, t *jose.Token, name string) (*auth.Identity, error) {
	external, err := v.Mapping.IdentityOf(t.Payload, t.Raw)
	if err != nil {
		return nil, err
	}
	handle, _, err := t.ID()
	if err != nil || len(handle) > maxHandle {
		return nil, refusal(errHandle)
	}
	external.Credential = handle
	if handle != "" {
		external.Family = revocation.JWT(name, handle)
	}
	external.Expires = v.Rules.Expires(t)
	external.Proof = name
	if cnf := t.Raw("cnf"); cnf != nil {
		if cnf[0] != '{' {
			return nil, refusal(errCnf)
		}
		external.Proof += possession.Marker
	}
	return v.standing(ctx, external, t.Raw, name)
}

// Recheck returns an identity that Identity returned as it is now, without its
// signature being verified again.
func (v *Verifier) Recheck(ctx context.Context, remembered *auth.Identity, name string) (*auth.Identity, error) {
	get, err := federation.Object(remembered.Claims)
	if err != nil {
		return nil, auth.ErrChanged
	}
	external, err := v.Mapping.IdentityOf(remembered.Claims, get)
	if err != nil {
		return nil, auth.ErrChanged
	}
	external.Credential = remembered.Credential
	external.Family = remembered.Family
	external.Expires = remembered.Expires
	external.Proof = remembered.Proof
	return v.standing(ctx, external, get, name)
}

// standing is what may change while a token stays the same: whether it is
// revoked, and who its user is.
func (v *Verifier) standing(ctx context.Context, external *auth.Identity, get federation.Lookup, name string) (*auth.Identity, error) {
	if v.Revoked != nil && external.Family != "" {
		revoked, err := v.Revoked.Revoked(ctx, external.Family)
		switch {
		case err != nil:
			return nil, &auth.Unavailable{Err: err}
		case revoked:
			return nil, bearer.InvalidToken("The access token is revoked.", errRevoked)
		}
	}
	subject, err := subjectOf(external, get)
	if err != nil {
		return nil, err
	}
	return v.Accounts.Identity(ctx, external, name, subject)
}

// subjectOf returns what names the user for ever: sub, or where an issuer knows
// none, the claim that is the login name, written as no sub is.
func subjectOf(external *auth.Identity, get federation.Lookup) (string, error) {
	subject, err := get.Subject()
	switch {
	case err != nil:
		return "", err
	case strings.HasPrefix(subject, "|"):
		return "", refusal(errSubject)
	case subject == "" && external.HasUser():
		return "|" + external.ID, nil
	case subject == "":
		return external.Client, nil
	}
	return subject, nil
}
