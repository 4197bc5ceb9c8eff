// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package jose

import (
	"slices"
	"time"
)

// Rules is what a token has to say of itself. The issuer is the caller's to
// compare, since it decides which rules are a token's.
type Rules struct {
	// Audiences are those of which the token has to name one, exactly. None:
	// every audience is refused, unless aud is optional and absent.
	Audiences []string
	// Types are the values of typ that are accepted, in any case, with or
	// without "application/" before them. An empty one is a token without typ.
	// None: any but those known not to be of access tokens.
	Types []string
	// Optional are those of exp, aud and iss that a token need not have. What
	// it has is checked all the same.
	Optional []string
	// Leeway is how far the issuer's clock may be from ours.
	Leeway time.Duration
	// MaxLifetime is how long after iat a token is valid, whatever exp says; a
	// token that says more is refused, as is one without iat. 0: no bound.
	MaxLifetime time.Duration
}

// Check judges what costs nothing: typ, exp, nbf, iat, the lifetime and aud.
func (r *Rules) Check(t *Token, now time.Time) error {
	if err := r.checkType(t); err != nil {
		return err
	}
	if err := r.checkTimes(t, now); err != nil {
		return err
	}
	if !t.Has("iss") && !r.optional("iss") {
		return &ClaimError{"iss", ErrMissing}
	}
	return r.checkAudience(t)
}

// Expires returns when Check begins to refuse the token, and the zero time if
// it never will.
func (r *Rules) Expires(t *Token) time.Time {
	if expires, ok, _ := t.Time("exp"); ok {
		return expires.Add(r.Leeway)
	}
	if issued, ok, _ := t.Time("iat"); ok && r.MaxLifetime > 0 {
		return issued.Add(r.MaxLifetime + r.Leeway)
	}
	return time.Time{}
}

func (r *Rules) optional(claim string) bool { return slices.Contains(r.Optional, claim) }

func (r *Rules) checkType(t *Token) error {
	typ := mediaType(t.Type)
	if len(r.Types) == 0 && otherType(typ) || len(r.Types) > 0 && !oneOf(typ, r.Types) {
		return errTyp
	}
	return nil
}

func (r *Rules) checkTimes(t *Token, now time.Time) error {
	expires, hasExpires, err := t.Time("exp")
	if err != nil {
		return err
	}
	if !hasExpires && !r.optional("exp") {
		return &ClaimError{"exp", ErrMissing}
	}
	if hasExpires && !now.Before(expires.Add(r.Leeway)) {
		return ErrExpired
	}
	before, ok, err := t.Time("nbf")
	if err != nil {
		return err
	}
	if ok && now.Add(r.Leeway).Before(before) {
		return ErrNotYet
	}
	issued, hasIssued, err := t.Time("iat")
	if err != nil {
		return err
	}
	if hasIssued && now.Add(r.Leeway).Before(issued) {
		return ErrNotYet
	}
	if r.MaxLifetime <= 0 {
		return nil
	}
	switch {
	case !hasIssued:
		return &ClaimError{"iat", ErrMissing}
	case hasExpires && expires.Sub(issued) > r.MaxLifetime:
		return ErrLifetime
	case !hasExpires && !now.Before(issued.Add(r.MaxLifetime+r.Leeway)):
		return ErrExpired
	}
	return nil
}

func (r *Rules) checkAudience(t *Token) error {
	audience, err := t.Audience()
	if err != nil {
		return err
	}
	if audience == nil {
		if r.optional("aud") {
			return nil
		}
		return &ClaimError{"aud", ErrMissing}
	}
	for _, name := range audience {
		if slices.Contains(r.Audiences, name) {
			return nil
		}
	}
	return ErrAudience
}
