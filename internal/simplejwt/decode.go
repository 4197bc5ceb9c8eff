// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package simplejwt

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
)

// Decode returns a token of one of these types, or of any if none is given. It
// returns an *Error that says what is wrong with it, and otherwise an
// *auth.Unavailable. It does not know what is blacklisted.
func (c *Codec) Decode(ctx context.Context, compact string, types ...string) (*Token, error) {
	token, err := c.Verify(ctx, compact)
	if err != nil {
		return nil, err
	}
	if len(types) == 0 {
		return token, c.Check(token, "")
	}
	for _, kind := range types {
		if err = c.Check(token, kind); err == nil {
			return token, nil
		}
	}
	return nil, err
}

// Verify returns a token of whatever type whose signature and registered claims
// are good, as simplejwt's backend does, with its errors in its order: the
// signature before the times, and those before audience and issuer.
func (c *Codec) Verify(ctx context.Context, compact string) (*Token, error) {
	parsed, err := jose.Parse(compact)
	if err != nil {
		return nil, &Error{Invalid, err}
	}
	if !c.accepts(parsed.Alg) {
		return nil, &Error{Invalid, jose.ErrAlgorithm}
	}
	if err := c.verify(ctx, parsed); err != nil {
		return nil, err
	}
	return c.read(parsed, compact)
}

// Reread is Verify of a token that was verified before, with the same keys: its
// signature is not looked at again.
func (c *Codec) Reread(compact string) (*Token, error) {
	parsed, err := jose.Parse(compact)
	if err != nil {
		return nil, &Error{Invalid, err}
	}
	return c.read(parsed, compact)
}

// read judges all of a token but its signature.
func (c *Codec) read(parsed *jose.Token, compact string) (*Token, error) {
	token := &Token{Claims: claimsOf(parsed), compact: compact, payload: parsed.Payload}
	if err := c.checkTimes(parsed, token); err != nil {
		return nil, err
	}
	if err := c.checkParties(parsed, token); err != nil {
		return nil, err
	}
	return token, nil
}

// accepts compares an algorithm with the configured one. Keys would refuse it,
// too; this costs less.
func (c *Codec) accepts(alg string) bool { return alg == c.settings.Algorithm }

// verify looks for the key that signed the token, once more where other nodes
// may have made a new one meanwhile.
func (c *Codec) verify(ctx context.Context, parsed *jose.Token) error {
	for again := false; ; again = true {
		keys, err := c.keys.find(ctx, parsed.Alg, parsed.KeyID)
		if errors.Is(err, errUnknownKey) {
			err = nil
		}
		if err != nil {
			return unavailable(err)
		}
		err = parsed.Verify(keys)
		if err == nil {
			return nil
		}
		if again || !c.keys.missed(ctx) {
			return &Error{Invalid, err}
		}
	}
}

// checkTimes judges iat, nbf and exp. A token without exp passes here.
func (c *Codec) checkTimes(parsed *jose.Token, token *Token) error {
	now, leeway := c.now(), time.Duration(c.settings.Leeway)
	issued, hasIssued, err := parsed.Time("iat")
	if err != nil {
		return &Error{Invalid, err}
	}
	if hasIssued && issued.After(now.Add(leeway)) {
		return &Error{Invalid, jose.ErrNotYet}
	}
	before, ok, err := parsed.Time("nbf")
	if err != nil {
		return &Error{Invalid, err}
	}
	if ok && before.After(now.Add(leeway)) {
		return &Error{Invalid, jose.ErrNotYet}
	}
	expires, hasExpires, err := parsed.Time("exp")
	if err != nil {
		return &Error{Invalid, err}
	}
	if hasExpires && !expires.Add(leeway).After(now) {
		return &Error{Expired, jose.ErrExpired}
	}
	if hasIssued {
		token.Issued = issued
	}
	if hasExpires {
		token.Expires = expires
	}
	return nil
}

// checkParties judges aud, where an audience is configured, iss, where an issuer
// is, and that identifiers are texts.
func (c *Codec) checkParties(parsed *jose.Token, token *Token) error {
	if want := c.settings.Audience; len(want) > 0 {
		audience, err := parsed.Audience()
		if err != nil {
			return &Error{Invalid, err}
		}
		if !slices.ContainsFunc(audience, func(name string) bool { return slices.Contains(want, name) }) {
			return &Error{Invalid, jose.ErrAudience}
		}
	}
	issuer, _, err := parsed.String("iss")
	if want := c.settings.Issuer; want != "" && (err != nil || issuer != want) {
		return &Error{Invalid, errIssuer}
	}
	token.issuer = issuer
	name := c.settings.JTIClaim
	if name == None {
		name = "jti"
	}
	if token.id, _, err = parsed.String(name); err != nil {
		return &Error{Invalid, err}
	}
	return nil
}

var errIssuer = errors.New("the token is of another issuer")

// Check judges what simplejwt requires of its own tokens: an end, an ID and a
// type, which is the given one unless that is empty.
func (c *Codec) Check(t *Token, kind string) error {
	if t.Expires.IsZero() {
		return &Error{Message: "Token has no 'exp' claim"}
	}
	if name := c.settings.JTIClaim; name != None && t.Claims.Raw(name) == nil {
		return &Error{Message: NoID}
	}
	name := c.settings.TokenTypeClaim
	if name == None || kind == "" {
		return nil
	}
	if t.Claims.Raw(name) == nil {
		return &Error{Message: NoType}
	}
	if text, _ := t.Claims.Text(name); text != kind {
		return &Error{Message: WrongType}
	}
	return nil
}

// CheckRefreshExp judges until when a sliding token may be renewed.
func (c *Codec) CheckRefreshExp(t *Token) error {
	name := c.settings.SlidingTokenRefreshExpClaim
	raw := t.Claims.Raw(name)
	if raw == nil {
		return &Error{Message: "Token has no '" + name + "' claim"}
	}
	end, err := numericDate(raw)
	if err != nil {
		return &Error{Invalid, err}
	}
	if !end.Add(time.Duration(c.settings.Leeway)).After(c.now()) {
		return &Error{Message: "Token '" + name + "' claim has expired"}
	}
	return nil
}

// RefreshUntil returns until when a sliding token can be renewed, if it says so.
func (c *Codec) RefreshUntil(t *Token) (time.Time, bool) {
	raw := t.Claims.Raw(c.settings.SlidingTokenRefreshExpClaim)
	if raw == nil {
		return time.Time{}, false
	}
	end, err := numericDate(raw)
	return end, err == nil
}
